import { Counter, Gauge, Registry } from 'prom-client'
import type { TruthCounts } from '../store/index.ts'
import { type RaceMetrics, toRaceMetrics } from './race/metrics.ts'

/** What control counts; `/metrics` prints it. */
export interface ControlMetrics {
  readonly registry: Registry
  readonly race: RaceMetrics
  readonly requests: Counter<'operation' | 'status'>
  readonly records: Counter<'state'>
  readonly truths: Counter<'outcome'>
  readonly alerts: Counter<'state'>
}

/** What is read when somebody looks. */
export interface ControlGauges {
  readonly epoch: () => number
  /** Oldest epoch that a gateway still follows; -1 where none has told. */
  readonly gatewayEpoch: () => number
  readonly droppedRecords: () => number
  readonly streams: () => Readonly<Record<'routes' | 'events' | 'logs', number>>
  readonly slowReaders: () => number
}

/** Makes the metrics of one control, in a registry of its own. */
export function toMetrics(gauges: ControlGauges): ControlMetrics {
  const registry = new Registry()
  const registers = [registry]
  const counter = <label extends string>(name: string, help: string, labelNames: readonly label[]): Counter<label> =>
    new Counter({ name: `regatta_control_${name}`, help, labelNames, registers })
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `regatta_control_${name}`,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  gauge('routes_epoch', 'Epoch of the deployment', gauges.epoch)
  gauge('gateway_epoch', 'Oldest epoch that a gateway still follows', gauges.gatewayEpoch)
  gauge('gateway_dropped_records', 'Records that gateways dropped since they started', gauges.droppedRecords)
  gauge('slow_readers', 'Readers of events that were cut off for being slow', gauges.slowReaders)
  new Gauge({
    name: 'regatta_control_streams',
    help: 'Open streams',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const [kind, count] of Object.entries(gauges.streams())) this.set({ kind }, count)
    },
  })
  return {
    registry,
    race: toRaceMetrics(registry),
    requests: counter('requests_total', 'Answers, by operation; unknown paths together', ['operation', 'status']),
    records: counter('records_total', 'Records that were stored, and those that were here already', ['state']),
    truths: counter('truths_total', 'Truths by what became of them', ['outcome']),
    alerts: counter('alerts_total', 'Alerts that were sent, failed for good or gave way to newer ones', ['state']),
  }
}

/** Counts truths by what became of them; those that were refused are wrong in themselves. */
export function countTruths(
  metrics: ControlMetrics,
  counts: Partial<TruthCounts> & { readonly refused: number },
): void {
  for (const [outcome, count] of Object.entries(counts)) metrics.truths.inc({ outcome }, count)
}

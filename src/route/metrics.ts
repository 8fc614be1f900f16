import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** The port that a request came to. */
export type Wire = 'http' | 'grpc'
/** Why a body was recorded without its rows. */
export type UntappedReason = 'too-long' | 'memory-full'
/** Why a shadow got no copy. */
export type ShadowDropReason = 'load' | 'in-flight' | 'bytes' | 'no-replica'

/** What the gateway counts; `/metrics` prints it. Times are in seconds, as Prometheus wants. */
export interface GatewayMetrics {
  readonly registry: Registry
  readonly requests: Counter<'variant' | 'status' | 'protocol'>
  readonly seconds: Histogram<'variant' | 'protocol'>
  readonly retries: Counter<'variant'>
  readonly fallbacks: Counter<'variant'>
  readonly circuits: Counter<'variant'>
  readonly ejections: Counter<'replica'>
  readonly refused: Counter<'code' | 'protocol'>
  readonly shadowsDropped: Counter<'variant' | 'reason'>
  readonly records: Counter<'state'>
  readonly untapped: Counter<'reason'>
  readonly unlabelledRows: Counter
}

/** What is read when somebody looks. */
export interface GatewayGauges {
  readonly outstanding: () => readonly (readonly [replica: string, requests: number])[]
  readonly epoch: () => number
}

// From a fifth of a millisecond (a small model on the same machine) to the longest time limit.
const BUCKETS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60]

/** Makes the metrics of one gateway, in a registry of its own. */
export function toMetrics(gauges: GatewayGauges): GatewayMetrics {
  const registry = new Registry()
  const registers = [registry]
  const counter = <label extends string>(name: string, help: string, labelNames: readonly label[]): Counter<label> =>
    new Counter({ name: `regatta_gateway_${name}`, help, labelNames, registers })
  new Gauge({
    name: 'regatta_gateway_replica_outstanding',
    help: 'Requests sent to a replica and not answered yet',
    labelNames: ['replica'],
    registers,
    collect() {
      this.reset()
      for (const [replica, requests] of gauges.outstanding()) this.set({ replica }, requests)
    },
  })
  new Gauge({
    name: 'regatta_gateway_routes_epoch',
    help: 'Epoch of the routes in force, -1 before the first',
    registers,
    collect() {
      this.set(gauges.epoch())
    },
  })
  return {
    registry,
    requests: counter('requests_total', 'Answers to clients; of gRPC by the name of their status', [
      'variant',
      'status',
      'protocol',
    ]),
    seconds: new Histogram({
      name: 'regatta_gateway_request_seconds',
      help: 'From the arrival of a request to its answer',
      labelNames: ['variant', 'protocol'],
      buckets: BUCKETS,
      registers,
    }),
    retries: counter('retries_total', 'Requests sent a second time, by the variant tried first', ['variant']),
    fallbacks: counter('fallbacks_total', 'Requests that the champion answered for a variant that could not', [
      'variant',
    ]),
    circuits: counter('circuits_opened_total', 'Times a variant failed so often that the champion took its place', [
      'variant',
    ]),
    ejections: counter('ejections_total', 'Times a replica was put out', ['replica']),
    refused: counter('refused_total', 'Requests that the gateway refused', ['code', 'protocol']),
    shadowsDropped: counter('shadows_dropped_total', 'Copies that a shadow did not get', ['variant', 'reason']),
    records: counter('records_total', 'Records handed to control, put into the spool, or dropped', ['state']),
    untapped: counter('untapped_total', 'Bodies that were recorded without their rows', ['reason']),
    unlabelledRows: counter('unlabelled_rows_total', 'Rows without the series or the time that a path should give', []),
  }
}

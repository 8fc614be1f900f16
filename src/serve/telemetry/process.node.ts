import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Family } from './text.ts'
import { readThrottling, type Throttling } from './throttling.node.ts'

/** What the process takes of the machine, under the names that Prometheus' clients share. */
export interface ProcessMetrics extends Disposable {
  read(): readonly Family[]
}

const RESOLUTION_MS = 20

/** Starts to watch the process: how late its event loop is, since somebody looked last, is watched all the time. */
export function openProcessMetrics(): ProcessMetrics {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  return {
    read() {
      const { rss, heapUsed, external } = process.memoryUsage()
      const { user, system } = process.cpuUsage()
      // The timer that measures it counts its own period.
      const toLag = (ns: number): number => Math.max(0, ns / 1e9 - RESOLUTION_MS / 1000) || 0
      const lags = { p50: toLag(delay.percentile(50)), p99: toLag(delay.percentile(99)), max: toLag(delay.max) }
      delay.reset()
      return [
        family('process_cpu_seconds_total', 'counter', 'CPU time of all threads', (user + system) / 1e6),
        family('process_resident_memory_bytes', 'gauge', 'Memory of the process', rss),
        family('process_start_time_seconds', 'gauge', 'When the process began, epoch', performance.timeOrigin / 1000),
        family('nodejs_heap_size_used_bytes', 'gauge', "Memory of this thread's JavaScript objects", heapUsed),
        family('nodejs_external_memory_bytes', 'gauge', 'Memory that these objects hold outside', external),
        family('nodejs_eventloop_lag_p50_seconds', 'gauge', 'How late the event loop was, median', lags.p50),
        family('nodejs_eventloop_lag_p99_seconds', 'gauge', 'How late the event loop was, 99 of 100 times', lags.p99),
        family('nodejs_eventloop_lag_max_seconds', 'gauge', 'How late the event loop was, at most', lags.max),
        ...toThrottlingFamilies(readThrottling()),
      ]
    },
    [Symbol.dispose]() {
      delay.disable()
    },
  }
}

/** Under the names of cAdvisor, which tells the same of containers from outside. */
function toThrottlingFamilies(found: Throttling | undefined): readonly Family[] {
  if (found === undefined) return []
  const { periods, throttled } = found
  return [
    family('container_cpu_cfs_periods_total', 'counter', 'Periods in which CPU was wanted, under a limit', periods),
    family('container_cpu_cfs_throttled_periods_total', 'counter', 'Of these, those cut short by the limit', throttled),
  ]
}

function family(name: string, kind: Family['kind'], help: string, value: number): Family {
  return { name, kind, help, series: [{ labels: {}, value }] }
}

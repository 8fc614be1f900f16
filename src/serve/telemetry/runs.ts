import type { BatchRun } from '../batch/batch-run.ts'
import { toExponentialBounds, toHistogram } from './histogram.ts'
import { SECONDS } from './requests.ts'
import type { Family, Labels, Series } from './text.ts'

const SIZES = toExponentialBounds(1, 2, 11)

/** What is counted of the runs of one version of a model. */
export interface RunMetrics {
  onRun(run: BatchRun): void
  onRunFailure(): void
  read(): readonly Family[]
}

/** Starts to count runs; `waiting` tells how many requests wait for one. */
export function toRunMetrics(labels: Labels, waiting: () => number, now: () => number): RunMetrics {
  const infer = toHistogram(SECONDS, now)
  const batchRows = toHistogram(SIZES, now)
  const batchRequests = toHistogram(SIZES, now)
  let rows = 0
  let failures = 0
  const family = (name: string, kind: Family['kind'], help: string, value: Series['value']): Family => ({
    name: `regatta_server_${name}`,
    help,
    kind,
    series: [{ labels, value }],
  })
  return {
    onRun(run) {
      infer.observe((run.splitAt - run.inferAt) / 1000)
      batchRows.observe(run.rows)
      batchRequests.observe(run.requests)
      rows += run.rows
    },
    onRunFailure() {
      failures += 1
    },
    read: () => [
      family('waiting', 'gauge', 'Requests that wait for the engine', waiting()),
      family('inference_seconds', 'histogram', 'One run of the model, without waiting for its turn', infer.read()),
      family('batch_rows', 'histogram', 'Rows of one run', batchRows.read()),
      family('batch_requests', 'histogram', 'Requests that one run answered', batchRequests.read()),
      family('inference_rows_total', 'counter', 'Rows (first dimension of the first input) that were run', rows),
      family('inference_errors_total', 'counter', 'Runs that failed', failures),
    ],
  }
}

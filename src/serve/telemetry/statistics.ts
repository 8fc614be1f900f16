import type { BatchRun } from '../batch/batch-run.ts'

/** How often something happened, and how long it took in all. */
export interface Duration {
  readonly count: number
  readonly ns: number
}

/**
 * What one version of a model did since it was loaded. Source: the statistics extension of Open Inference V2
 * (triton-inference-server/server, docs/protocol/extension_statistics.md), whose words these are.
 */
export interface ModelStatistics {
  /** Epoch ms of the last inference; 0 for none. */
  readonly lastInferenceAt: number
  /** Rows that were answered. */
  readonly inferenceCount: number
  /** Runs, of one request or several. */
  readonly executionCount: number
  /** Requests, from their arrival to the end. */
  readonly success: Duration
  readonly fail: Duration
  /** Requests, until their run. */
  readonly queue: Duration
  /** Requests, by their runs. */
  readonly computeInput: Duration
  readonly computeInfer: Duration
  readonly computeOutput: Duration
  /** Runs by their number of rows, ascending. */
  readonly batches: readonly BatchStatistics[]
}

/** Runs of one number of rows. */
export interface BatchStatistics {
  readonly rows: number
  readonly computeInput: Duration
  readonly computeInfer: Duration
  readonly computeOutput: Duration
}

/** Counts for `ModelStatistics`. Times are ms. */
export interface StatisticsCounter {
  onRun(run: BatchRun, nowMs: number): void
  /** A request that was answered, having waited so long of its time. */
  onSuccess(tookMs: number, queueMs: number, run: BatchRun): void
  onFail(tookMs: number): void
  read(): ModelStatistics
}

interface Sum {
  count: number
  ms: number
}

/** More sizes than these are counted with the largest: requests may bring any number of rows. */
const MAX_SIZES = 256

/** Starts to count. */
export function toStatisticsCounter(): StatisticsCounter {
  const total = { success: none(), fail: none(), queue: none(), input: none(), infer: none(), output: none() }
  const bySize = new Map<number, { readonly input: Sum; readonly infer: Sum; readonly output: Sum }>()
  let lastInferenceAt = 0
  let rows = 0
  let runs = 0
  return {
    onRun(run, nowMs) {
      lastInferenceAt = nowMs
      rows += run.rows
      runs += 1
      const size = bySize.size < MAX_SIZES || bySize.has(run.rows) ? run.rows : Math.max(...bySize.keys())
      let sums = bySize.get(size)
      if (sums === undefined) {
        sums = { input: none(), infer: none(), output: none() }
        bySize.set(size, sums)
      }
      addRun(sums, run)
    },
    onSuccess(tookMs, queueMs, run) {
      add(total.success, tookMs)
      add(total.queue, queueMs)
      addRun(total, run)
    },
    onFail: tookMs => add(total.fail, tookMs),
    read: () => ({
      lastInferenceAt,
      inferenceCount: rows,
      executionCount: runs,
      success: toDuration(total.success),
      fail: toDuration(total.fail),
      queue: toDuration(total.queue),
      ...toCompute(total),
      batches: [...bySize].sort(([a], [b]) => a - b).map(([size, sums]) => ({ rows: size, ...toCompute(sums) })),
    }),
  }
}

function none(): Sum {
  return { count: 0, ms: 0 }
}

function add(sum: Sum, ms: number): void {
  sum.count += 1
  sum.ms += ms
}

function addRun(sums: { readonly input: Sum; readonly infer: Sum; readonly output: Sum }, run: BatchRun): void {
  add(sums.input, run.inferAt - run.startedAt)
  add(sums.infer, run.splitAt - run.inferAt)
  add(sums.output, run.endedAt - run.splitAt)
}

function toCompute({ input, infer, output }: { readonly input: Sum; readonly infer: Sum; readonly output: Sum }) {
  return { computeInput: toDuration(input), computeInfer: toDuration(infer), computeOutput: toDuration(output) }
}

function toDuration({ count, ms }: Sum): Duration {
  return { count, ns: Math.round(ms * 1e6) }
}

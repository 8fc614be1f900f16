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
  onQueued(queueMs: number): void
  onRun(runMs: number): void
  onSuccess(answer: { readonly rows: number; readonly tookMs: number; readonly at: number }): void
  onFail(tookMs: number): void
  read(): ModelStatistics
}

const NONE: Duration = { count: 0, ns: 0 }

/** Starts to count. */
export function toStatisticsCounter(): StatisticsCounter {
  let now: ModelStatistics = {
    ...{ lastInferenceAt: 0, inferenceCount: 0, executionCount: 0, success: NONE, fail: NONE, queue: NONE },
    ...{ computeInput: NONE, computeInfer: NONE, computeOutput: NONE, batches: [] },
  }
  return {
    onQueued(queueMs) {
      now = { ...now, queue: add(now.queue, queueMs) }
    },
    onRun(runMs) {
      now = { ...now, executionCount: now.executionCount + 1, computeInfer: add(now.computeInfer, runMs) }
    },
    onSuccess({ rows, tookMs, at }) {
      const inferenceCount = now.inferenceCount + rows
      now = { ...now, lastInferenceAt: at, inferenceCount, success: add(now.success, tookMs) }
    },
    onFail(tookMs) {
      now = { ...now, fail: add(now.fail, tookMs) }
    },
    read: () => now,
  }
}

function add({ count, ns }: Duration, ms: number): Duration {
  return { count: count + 1, ns: ns + Math.round(ms * 1e6) }
}

/** How often something took how long. */
export interface Duration {
  readonly count: number
  /** Nanoseconds, all together. */
  readonly ns: number
}

/** What a version has done so far, as Triton's statistics extension tells it. */
export interface VersionCounts {
  /** Rows (first dimension of the first input) that were answered. */
  readonly inferenceCount: number
  /** Runs of the engine. */
  readonly executionCount: number
  /** Epoch ms of the last answer; 0 where there was none. */
  readonly lastInferenceAt: number
  /** Whole requests, without their reading and writing. */
  readonly success: Duration
  readonly fail: Duration
  /** Waiting for the engine. */
  readonly queue: Duration
  /** The engine's runs. */
  readonly computeInfer: Duration
}

/** Counts what a version does. */
export interface VersionCounters {
  readonly counts: VersionCounts
  /** A request waited for the engine. */
  waited(ns: number): void
  /** The engine ran once. */
  ran(ns: number): void
  answered(answer: { readonly rows: number; readonly ns: number; readonly at: number }): void
  failed(ns: number): void
}

const NONE: Duration = { count: 0, ns: 0 }

/** Counters that stand at nothing. */
export function toVersionCounters(): VersionCounters {
  let counts: VersionCounts = {
    inferenceCount: 0,
    executionCount: 0,
    lastInferenceAt: 0,
    success: NONE,
    fail: NONE,
    queue: NONE,
    computeInfer: NONE,
  }
  return {
    get counts() {
      return counts
    },
    waited(ns) {
      counts = { ...counts, queue: add(counts.queue, ns) }
    },
    ran(ns) {
      counts = { ...counts, executionCount: counts.executionCount + 1, computeInfer: add(counts.computeInfer, ns) }
    },
    answered({ rows, ns, at }) {
      const inferenceCount = counts.inferenceCount + rows
      counts = { ...counts, inferenceCount, lastInferenceAt: at, success: add(counts.success, ns) }
    },
    failed(ns) {
      counts = { ...counts, fail: add(counts.fail, ns) }
    },
  }
}

function add({ count, ns }: Duration, more: number): Duration {
  return { count: count + 1, ns: ns + Math.round(more) }
}

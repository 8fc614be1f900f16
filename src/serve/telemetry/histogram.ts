/** How often values fell between bounds. */
export interface Histogram {
  /** Counts a value; a trace that is kept somewhere becomes the example of its bucket. */
  observe(value: number, traceId?: string): void
  read(): HistogramState
}

/** What a histogram holds. */
export interface HistogramState {
  /** Upper bounds, each in its bucket, ascending. */
  readonly bounds: readonly number[]
  /** Values of each bucket alone; one more than bounds, for what is larger. */
  readonly counts: ArrayLike<number>
  readonly sum: number
  /** By bucket; empty where no trace was given. */
  readonly exemplars: readonly (Exemplar | undefined)[]
}

/** A value whose trace is kept. */
export interface Exemplar {
  readonly traceId: string
  readonly value: number
  /** Epoch ms. */
  readonly at: number
}

/**
 * Makes an empty histogram: one series, bound to its labels where it is printed. Counting takes some ten nanoseconds,
 * a hundredth of what a series costs that is found by its labels each time.
 */
export function toHistogram(bounds: readonly number[], now: () => number): Histogram {
  const counts = new Float64Array(bounds.length + 1)
  const exemplars: (Exemplar | undefined)[] = []
  let sum = 0
  return {
    observe(value, traceId) {
      let at = 0
      while (value > (bounds[at] ?? Number.POSITIVE_INFINITY)) at += 1
      counts[at] = (counts[at] ?? 0) + 1
      sum += value
      if (traceId !== undefined) exemplars[at] = { traceId, value, at: now() }
    },
    read: () => ({ bounds, counts, sum, exemplars }),
  }
}

/** Bounds that grow by a factor. */
export function toExponentialBounds(first: number, factor: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => first * factor ** at)
}

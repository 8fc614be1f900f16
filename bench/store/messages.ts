/** What the bench asks of a writer, a process with a store. */
export type Ask =
  | { readonly kind: 'slice'; readonly from: number; readonly requests: number }
  | { readonly kind: 'look' }
  | { readonly kind: 'end' }

/** What work took: CPU time of the writer alone, without that of a server. */
export interface Took {
  readonly ms: number
  readonly cpuMs: number
}

/** Predictions of a slice of requests (two each), and then their truths, one each. */
export interface Slice {
  readonly kind: 'slice'
  readonly predictions: Took
  readonly truths: Took
}

/** How long the sums of the race take to read, and to compute from single rows. */
export interface Look {
  readonly kind: 'look'
  readonly readMs: number
  readonly recomputeMs: number
  readonly rssBytes: number
  /** Labels of pairs by both ways, which must be the same. */
  readonly pairs: readonly [number, number]
}

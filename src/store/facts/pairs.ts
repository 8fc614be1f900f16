import type { PairPosition } from '../pairs.ts'

/** Where a reader of differences stands. */
export interface DifferencesCursor extends PairPosition {
  /** Changes of the race's pairs that it knows of. */
  readonly change: number
}

/** Paired differences, in the order of the times that they are for. */
export interface DifferencePage {
  readonly differences: Float64Array
  /** Weights of the pairs: 1, or the size of the truth where the loss is one per size. */
  readonly weights: Float64Array
  /** Which of the cursors they come after; undefined: they begin with the first. */
  readonly from: number | undefined
  /** No more are here now. */
  readonly isLast: boolean
  readonly cursor: DifferencesCursor
}

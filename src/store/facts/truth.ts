import type { PredictionId } from '../../core/uuid.ts'
import type { PredictedValue } from '../../core/wire/records.ts'

/** What really happened. */
export type Truth = TruthSubject & {
  readonly value: PredictedValue
  /** @default 0 */
  readonly revision: number
  readonly source: string | undefined
}
/** What a truth is about. */
export type TruthSubject =
  | { readonly by: 'prediction'; readonly id: PredictionId }
  | { readonly by: 'series'; readonly series: string; readonly at: number }

/**
 * What became of each truth: `new` is joined to a prediction, an `orphan` waits for one; `duplicate` was here already;
 * `revised` has a higher revision and took the place of another value; `stale` has a lower one, or what it is about
 * was pruned; `conflict` is another value of the same revision: the first stays.
 */
export interface TruthCounts {
  readonly new: number
  readonly duplicate: number
  readonly revised: number
  readonly stale: number
  readonly conflict: number
  readonly orphan: number
}

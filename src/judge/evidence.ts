import type { SplitEpoch } from './estimate.ts'
import type { Moments } from './moments.ts'

/** What a race is judged by, in one of three designs. */
export type Evidence = PairedEvidence | SplitEvidence | DependentEvidence

/** Both variants answered the same labels, which do not depend on each other. */
export interface PairedEvidence {
  readonly kind: 'paired'
  /** Moments of loss A − loss B. */
  readonly moments: Moments
  /** Pairs whose difference is not zero. */
  readonly discordant: number
  /** Largest single (d − mean)² over their sum, 0–1. */
  readonly dominance: number
}

/** Each variant answered its share of the requests. */
export interface SplitEvidence {
  readonly kind: 'split'
  readonly epochs: readonly SplitEpoch[]
}

/** Both variants answered the same labels of a series. */
export interface DependentEvidence {
  readonly kind: 'dependent'
  /** Loss A − loss B in the order of the times that the predictions are for. */
  readonly differences: Float64Array
}

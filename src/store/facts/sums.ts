import type { JointMoments, Moments, SplitEpoch } from '../../judge/index.ts'
import type { BucketCount } from '../sums/durations.ts'

/** What two variants lost, in sums. */
export interface Scoreboard {
  readonly race: number
  readonly arms: readonly [Arm, Arm]
  /** Moments of loss A − loss B over pairs. */
  readonly paired: Moments
  /** Pairs whose difference is not zero, and those of them that B won. */
  readonly discordant: number
  readonly wins: number
  /** Largest single (d − mean)² over its sum, 0–1; of the paired differences. */
  readonly dominance: number
  /** The same of single losses: largest (loss − its arm's mean)² over their sum, of what `epochs` have. */
  readonly armsDominance: number
  /** Per epoch the moments of each arm's loss over *served* predictions, for the split design. */
  readonly epochs: readonly EpochArms[]
  /** Outcomes without a loss: value of the wrong kind or length, or a loss too large to be squared. */
  readonly refused: number
}

/** One variant's part of a race. */
export interface Arm {
  readonly variant: number
  readonly predictions: number
  /** Moments of this arm's loss over all its outcomes. */
  readonly loss: Moments
  /** The same of predictions whose truth is here, but which are too young to be judged. */
  readonly young: Moments
}
/** An epoch of a race, as the judge takes it. */
export interface EpochArms extends SplitEpoch {
  readonly epoch: number
}

/** Sums of a race beside those of its scoreboard, all of one instant: whoever compares them must not mix two. */
export interface RaceSums {
  readonly board: Scoreboard
  /** Of each epoch and variant. */
  readonly arms: readonly ArmSums[]
  /** Over pairs: x is the size of the truth, y is loss A − loss B. */
  readonly pairRatio: CrossSums
  /** Over entities with pairs: x is the weight of its pairs, y the sum of loss A − loss B. */
  readonly pairClusters: CrossSums
  /** Undefined where losses have no cap. */
  readonly cap: CapSums | undefined
}
/** Moments of two numbers over units: single labels, or entities with all of theirs. */
export interface CrossSums extends JointMoments {
  /** Labels in all units. */
  readonly labels: number
  /** Units whose y is not 0. */
  readonly events: number
  /** The largest square of what y / x leaves of one unit's y, when it was last seen. */
  readonly far: number
}
/** A cap: `at`, once it is set by the champion's first `labels`, and how many losses are at it. */
export interface CapSums {
  readonly at: number | undefined
  readonly labels: number
  readonly capped: number
}
/** Of answers that chance drew, but for `answers` and `errors`, which are of all records. */
export interface ArmSums {
  readonly epoch: number
  readonly variant: number
  readonly answers: number
  /** Records whose HTTP status is not 2xx. */
  readonly errors: number
  /** x is the size of the truth (its absolute value), y the loss: with absolute losses, mean y / mean x is the wMAPE. */
  readonly ratio: CrossSums
  /** x is the row's covariate, y the loss, of rows that have one. */
  readonly covariate: CrossSums
  /** Over entities: x is the weight of its labels, y the sum of its losses. */
  readonly clusters: CrossSums
}

/** How often something took how long. */
export interface Durations {
  readonly epoch: number
  readonly variant: number
  readonly name: 'latency' | 'lateness'
  /** Buckets of `toDurationMs`. */
  readonly buckets: readonly BucketCount[]
}

/** Predictions, and those of them that have a truth. */
export interface Maturity {
  readonly epoch: number
  readonly variant: number
  readonly predictions: number
  readonly labelled: number
}

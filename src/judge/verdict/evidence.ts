import type { Repeats } from '../gates/gate.ts'
import type { Blocks } from '../sequence/blocking.ts'
import type { BoundedState } from '../sequence/bounded.ts'
import type { EpochCounts, SplitEpoch } from '../sequence/estimate.ts'
import type { WeightedBlocks } from '../sequence/weighted-blocks.ts'
import type { CapProgress } from '../sums/cap.ts'
import type { JointMoments } from '../sums/joint.ts'
import type { Moments } from '../sums/moments.ts'

/** What a race is judged by: sums, which grow with every label, of one of several designs. */
export type Evidence = (
  | PairedEvidence
  | PairedRatioEvidence
  | SplitEvidence
  | SplitRatioEvidence
  | AdjustedEvidence
  | DependentEvidence
  | BoundedEvidence
) & {
  /** How far the cap of the losses is, in a race that has one. */
  readonly cap?: CapProgress
}

/** Both variants answered the same labels, which do not depend on each other. */
export interface PairedEvidence {
  readonly kind: 'paired'
  /** Moments of loss A − loss B. */
  readonly moments: Moments
  /** Pairs whose difference is not zero. */
  readonly discordant: number
  /** Largest single (d − mean)² over their sum, 0–1. */
  readonly dominance: number
  /** Pairs of an entity that had one before; undefined where no pair has an entity. */
  readonly repeats?: Repeats
}

/** Both variants answered the same labels; what counts is a ratio of sums. */
export interface PairedRatioEvidence {
  readonly kind: 'paired-ratio'
  /** x: loss A − loss B, y: the weight; each summed over an entity's labels where `of` is entities. */
  readonly terms: JointMoments
  readonly of: 'labels' | 'entities'
  readonly discordant: number
  readonly dominance: number
  /** As those of paired losses; undefined where `of` is entities, too. */
  readonly repeats?: Repeats
}

/** Each variant answered its share of the requests. */
export interface SplitEvidence {
  readonly kind: 'split'
  readonly epochs: readonly SplitEpoch[]
  /** Largest single (loss − its arm's mean)² over their sum, 0–1; undefined where nobody kept it. */
  readonly dominance?: number
}

/** One epoch of a split with a second number beside each loss. */
export interface JointEpoch extends EpochCounts {
  readonly a: JointMoments
  readonly b: JointMoments
}

/** Each variant answered its share of the requests; what counts is a ratio of sums in each arm. */
export interface SplitRatioEvidence {
  readonly kind: 'split-ratio'
  /** x: the loss, y: the weight; each summed over an entity's labels where `of` is entities. */
  readonly epochs: readonly JointEpoch[]
  readonly of: 'labels' | 'entities'
  readonly dominance?: number
}

/** Each variant answered its share of the requests, and of each something was known before that foretells its loss. */
export interface AdjustedEvidence {
  readonly kind: 'adjusted'
  /** x: the loss, y: the covariate. */
  readonly epochs: readonly JointEpoch[]
  readonly dominance?: number
}

/** Both variants answered the same labels of a series, taken in the order of the times that they are for. */
export interface DependentEvidence {
  readonly kind: 'dependent'
  /** Blocks of loss A − loss B, with weights where what counts is a ratio of sums. */
  readonly blocks: Blocks | WeightedBlocks
  readonly dominance: number
}

/** Both variants answered the same labels with losses of a known range: the exact sequence. */
export interface BoundedEvidence {
  readonly kind: 'bounded'
  readonly state: BoundedState
  /** Differences lie between −reach and reach. */
  readonly reach: number
}

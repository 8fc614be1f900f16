import { type Moments, variance } from '../sums/moments.ts'

/** The improvement of B over A in units of the loss (positive: B is better), its standard error, and the labels. */
export interface Estimate {
  readonly estimate: number
  readonly se: number
  readonly n: number
}

/** How one epoch of a split was shared between the arms. */
export interface EpochCounts {
  /** B's share of the served requests, 0–1; undefined where nobody says it. */
  readonly weightB: number | undefined
  /** Outcomes with a loss other than zero. */
  readonly eventsA: number
  readonly eventsB: number
  /** Requests that chance gave to each arm; of a sticky entity the first alone. */
  readonly servedA: number
  readonly servedB: number
  /** Predictions for an entity that had one before in this epoch. */
  readonly repeated: number
  /** Each request of an entity was drawn anew, so that entities are not shared as the weights say. @default false */
  readonly redrawn?: boolean
}

/** One epoch of a split: what each arm's served answers lost. */
export interface SplitEpoch extends EpochCounts {
  readonly a: Moments
  readonly b: Moments
}

/**
 * The estimate from the differences loss A − loss B of the same labels.
 *
 * Source: Student 1908, "The probable error of a mean", Biometrika 6(1): se² = s² / n, s² with divisor n − 1.
 */
export function toPairedEstimate(differences: Moments): Estimate {
  const n = differences.count
  return { estimate: differences.mean, se: n === 0 ? 0 : Math.sqrt(variance(differences) / n), n }
}

/**
 * The estimate from two arms with different labels.
 *
 * Source: Welch 1938, "The significance of the difference between two means when the population variances are
 * unequal", Biometrika 29: se² = s²(A) / n(A) + s²(B) / n(B).
 */
export function toSplitEstimate(a: Moments, b: Moments): Estimate {
  return {
    estimate: a.mean - b.mean,
    se: Math.sqrt(toMeanVariance(a) + toMeanVariance(b)),
    n: a.count + b.count,
  }
}

/**
 * The estimate over epochs with different weights: each epoch's difference counts by its labels. A pooled difference
 * would take a drift of the data for a difference of the arms as soon as the weights move. Epochs with fewer than two
 * labels in an arm are left out.
 *
 * Source: Miratrix, Sekhon, Yu 2013, "Adjusting treatment effect estimates by post-stratification in randomized
 * experiments", J. R. Statist. Soc. B 75(2): Σ w (mean A − mean B) and se² = Σ w² se²(epoch), w = labels / all labels.
 */
export function toEpochsEstimate<arm extends Counted>(
  epochs: readonly Arms<arm>[],
  toPart: (a: arm, b: arm) => Estimate,
): Estimate {
  const parts = epochs.filter(isComparable).map(({ a, b }) => toPart(a, b))
  const n = parts.reduce((sum, part) => sum + part.n, 0)
  const weigh = (of: (part: Estimate) => number, power: 1 | 2): number =>
    parts.reduce((sum, part) => sum + of(part) * (part.n / n) ** power, 0)
  return { estimate: weigh(part => part.estimate, 1), se: Math.sqrt(weigh(part => part.se ** 2, 2)), n }
}

/** The sums of an arm, whatever they are of. */
export interface Counted {
  readonly count: number
}

/** The two arms of an epoch. */
export interface Arms<arm extends Counted> {
  readonly a: arm
  readonly b: arm
}

/** Whether both arms of an epoch have a variance. */
export function isComparable({ a, b }: Arms<Counted>): boolean {
  return a.count >= 2 && b.count >= 2
}

function toMeanVariance(moments: Moments): number {
  return moments.count === 0 ? 0 : variance(moments) / moments.count
}

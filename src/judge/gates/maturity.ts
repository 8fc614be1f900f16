import { type Estimate, toSplitEstimate } from '../sequence/estimate.ts'
import type { LossRange } from '../sums/loss.ts'
import { type Moments, merge } from '../sums/moments.ts'

/**
 * What becomes of predictions whose truth did not come within the maturity window: left out, taken for a truth that
 * says no, or both the best and the worst of them assumed.
 */
export type MissingPolicy = 'exclude' | 'negative' | 'bounds'

/**
 * The mature predictions of an arm: those older than the window. Fast labels are a biased sample, so that younger ones
 * are not judged, labelled or not.
 */
export interface MatureArm {
  /** Losses of the labelled ones. */
  readonly labelled: Moments
  /** How many have no label. */
  readonly missing: number
}

/** The arm's predictions at an instant, by age and label. */
export interface ArmCounts {
  readonly predicted: number
  /** Predictions older than the window. */
  readonly mature: number
  /** Those of them with a label. */
  readonly labelled: number
}

/** Mature predictions without a label; a label that came early does not count before its prediction is mature. */
export function toMissing({ mature, labelled }: ArmCounts): number {
  return Math.max(0, mature - labelled)
}

/** The share of mature predictions that have a label, 0–1; undefined before the first is mature. */
export function toLabelledShare({ mature, labelled }: ArmCounts): number | undefined {
  return mature === 0 ? undefined : Math.min(1, labelled / mature)
}

/** The arm with each missing label counted as one loss. */
export function fillMissing({ labelled, missing }: MatureArm, loss: number): Moments {
  return merge(labelled, { count: missing, mean: loss, m2: 0 })
}

/** The improvement if the missing labels were as bad for B, and as good for B, as their range allows. */
export interface MissingBounds {
  readonly worst: Estimate
  readonly best: Estimate
}

/**
 * The improvement of B over A by a policy: `exclude` takes the labelled ones, `negative` counts `loss` for each
 * missing one. Both give one estimate twice, so that a caller takes the lower bound of `worst` and the upper one of
 * `best` whatever the policy.
 *
 * Source: Manski 1990, "Nonparametric bounds on treatment effects", American Economic Review 80(2), for `bounds`:
 * mean = (labelled · mean of them + missing · end of the range) / all.
 */
export function toMatureEstimate(a: MatureArm, b: MatureArm, policy: MissingRule): MissingBounds {
  switch (policy.policy) {
    case 'exclude': {
      const estimate = toSplitEstimate(a.labelled, b.labelled)
      return { worst: estimate, best: estimate }
    }
    case 'negative': {
      const estimate = toSplitEstimate(fillMissing(a, policy.loss), fillMissing(b, policy.loss))
      return { worst: estimate, best: estimate }
    }
    case 'bounds': {
      const { low, high } = policy.range
      return {
        worst: toSplitEstimate(fillMissing(a, low), fillMissing(b, high)),
        best: toSplitEstimate(fillMissing(a, high), fillMissing(b, low)),
      }
    }
    default:
      return policy satisfies never
  }
}

/** A policy with the number it needs. */
export type MissingRule =
  | { readonly policy: 'exclude' }
  /** The loss of a prediction whose truth says no. */
  | { readonly policy: 'negative'; readonly loss: number }
  | { readonly policy: 'bounds'; readonly range: LossRange }

import type { Estimate } from '../sequence/estimate.ts'
import { type JointMoments, mergeJoint, toResidualM2 } from './joint.ts'

/**
 * A ratio of sums, Σ x / Σ y, with its standard error by linearisation (delta method). `terms` are the moments of x
 * and y over independent units: x a unit's summed loss and y its labels where entities send several, or x the
 * absolute error and y the truth's size for wMAPE.
 *
 * Source: Deng, Knoblich, Lu 2018, "Applying the delta method in metric analytics: a practical guide with novel
 * ideas", KDD; for entities this is the linearised cluster-robust variance: with R = Σ x / Σ y,
 * se² = Σ (x − R y)² / ((n − 1) n · mean y²).
 */
export function toRatioEstimate(terms: JointMoments): Estimate {
  const { count: n, meanX, meanY } = terms
  if (n === 0) return { estimate: 0, se: 0, n }
  const ratio = meanX / meanY
  const se = n < 2 ? 0 : Math.sqrt(toResidualM2(terms, ratio) / ((n - 1) * n)) / Math.abs(meanY)
  return { estimate: ratio, se, n }
}

/**
 * The improvement of arm B over arm A where each arm's mean is a ratio of sums.
 *
 * Source: as `toRatioEstimate`.
 */
export function toRatioDifference(a: JointMoments, b: JointMoments): Estimate {
  const [left, right] = [toRatioEstimate(a), toRatioEstimate(b)]
  return {
    estimate: left.estimate - right.estimate,
    se: Math.hypot(left.se, right.se),
    n: left.n + right.n,
  }
}

/** An estimate with part of the noise taken out. */
export interface AdjustedEstimate extends Estimate {
  /** What a unit of the covariate tells of the loss. */
  readonly theta: number
}

/**
 * The improvement of arm B over arm A with a covariate that was known before the arms were drawn: losses are
 * compared less what the covariate foretold (CUPED). x is the loss, y the covariate; the slope is that of both arms
 * pooled. Without spread in the covariate it is the plain difference.
 *
 * Source: Deng, Xu, Kohavi, Walker 2013, "Improving the sensitivity of online controlled experiments by utilizing
 * pre-experiment data", WSDM: mean x − θ · mean y in each arm, θ = cov(x, y) / var(y).
 */
export function toAdjustedEstimate(a: JointMoments, b: JointMoments): AdjustedEstimate {
  const pooled = mergeJoint(a, b)
  const theta = pooled.m2Y > 0 ? pooled.xy / pooled.m2Y : 0
  const toMean = ({ meanX, meanY }: JointMoments): number => meanX - theta * meanY
  const toVariance = (arm: JointMoments): number =>
    arm.count < 2 ? 0 : toResidualM2(arm, theta) / ((arm.count - 1) * arm.count)
  return { theta, estimate: toMean(a) - toMean(b), se: Math.sqrt(toVariance(a) + toVariance(b)), n: a.count + b.count }
}

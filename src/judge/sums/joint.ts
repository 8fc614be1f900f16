import type { Moments } from './moments.ts'

/** Moments of two numbers that come together. Units: `m2X`, `m2Y` squared, `xy` of x times y. */
export interface JointMoments {
  readonly count: number
  readonly meanX: number
  readonly meanY: number
  /** Sums of squared deviations, and of their products. */
  readonly m2X: number
  readonly m2Y: number
  readonly xy: number
}

/** The joint moments of no data. */
export const emptyJoint: JointMoments = { count: 0, meanX: 0, meanY: 0, m2X: 0, m2Y: 0, xy: 0 }

/** The moments of numbers that come alone: y is always 0. */
export function toPlainJoint({ count, mean, m2 }: Moments): JointMoments {
  return { count, meanX: mean, meanY: 0, m2X: m2, m2Y: 0, xy: 0 }
}

/**
 * Folds a pair of numbers into the moments (one pass, stable).
 *
 * Source: Welford 1962, "Note on a method for calculating corrected sums of squares and products":
 * xy grows by (x − mean x before) (y − mean y after), which = the product of deviations that is new.
 */
export function foldJoint(moments: JointMoments, x: number, y: number): JointMoments {
  return mergeJoint(moments, { count: 1, meanX: x, meanY: y, m2X: 0, m2Y: 0, xy: 0 })
}

/** Takes out a pair that was folded in before, as when an entity's totals grow. */
export function removeJoint(moments: JointMoments, x: number, y: number): JointMoments {
  if (moments.count <= 1) return emptyJoint
  const count = moments.count - 1
  const [offX, offY] = [x - moments.meanX, y - moments.meanY]
  const [meanX, meanY] = [moments.meanX - offX / count, moments.meanY - offY / count]
  return {
    count,
    meanX,
    meanY,
    m2X: Math.max(0, moments.m2X - offX * (x - meanX)),
    m2Y: Math.max(0, moments.m2Y - offY * (y - meanY)),
    xy: moments.xy - offX * (y - meanY),
  }
}

/**
 * The joint moments of two samples together.
 *
 * Source: Chan, Golub, LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances":
 * m2 = m2(left) + m2(right) + δ² · n(left) · n(right) / n, δ the distance of the means.
 */
export function mergeJoint(left: JointMoments, right: JointMoments): JointMoments {
  if (left.count === 0) return right
  if (right.count === 0) return left
  const count = left.count + right.count
  const part = right.count / count
  const [offX, offY] = [right.meanX - left.meanX, right.meanY - left.meanY]
  const weight = left.count * part
  return {
    count,
    meanX: left.meanX + offX * part,
    meanY: left.meanY + offY * part,
    m2X: left.m2X + right.m2X + offX * offX * weight,
    m2Y: left.m2Y + right.m2Y + offY * offY * weight,
    xy: left.xy + right.xy + offX * offY * weight,
  }
}

/**
 * Σ of squared deviations of x − factor · y.
 *
 * Source: as `toRatioEstimate`.
 */
export function toResidualM2({ m2X, m2Y, xy }: JointMoments, factor: number): number {
  return Math.max(0, m2X - 2 * factor * xy + factor * factor * m2Y)
}

import { type JointMoments, toResidualM2 } from '../sums/joint.ts'
import type { LossTerms } from '../sums/loss.ts'

/** The smallest and the largest of some numbers: the one farthest from their mean is one of them. */
export interface Extremes {
  readonly low: number
  readonly high: number
}

/** Those of no numbers. */
export const emptyExtremes: Extremes = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY }

/** Takes in a number. */
export function foldExtremes({ low, high }: Extremes, x: number): Extremes {
  return { low: Math.min(low, x), high: Math.max(high, x) }
}

/** The largest square of a distance from the mean. */
export function toFarthest({ low, high }: Extremes, mean: number): number {
  return low > high ? 0 : Math.max((low - mean) ** 2, (high - mean) ** 2)
}

/**
 * The square of what a ratio of sums (x: the loss, y: the weight) leaves of one unit's loss.
 *
 * Source: as `toRatioEstimate`.
 */
export function toResidualSquare(
  { loss, weight }: LossTerms,
  { meanX, meanY }: Pick<JointMoments, 'meanX' | 'meanY'>,
): number {
  const residual = meanY === 0 ? 0 : loss - (meanX / meanY) * weight
  return residual * residual
}

/**
 * The sum of those squares over all units.
 *
 * Source: as `toRatioEstimate`.
 */
export function toRatioM2(terms: JointMoments): number {
  return toResidualM2(terms, terms.meanY === 0 ? 0 : terms.meanX / terms.meanY)
}

/** How much one unit has of all that units differ (0–1): the square of its distance, of the sum `m2` of all squares. */
export function toDominance(square: number, m2: number): number {
  return m2 > 0 ? Math.min(1, square / m2) : 0
}

/** Count, mean and sum of squared deviations of a sample. Units: `mean` those of the data, `m2` squared. */
export interface Moments {
  readonly count: number
  readonly mean: number
  readonly m2: number
}

/** The moments of no data. */
export const emptyMoments: Moments = { count: 0, mean: 0, m2: 0 }

/**
 * Folds one number into the moments (one pass, stable).
 *
 * Source: Welford 1962, "Note on a method for calculating corrected sums of squares and products":
 * m2 grows by (x − mean before) (x − mean after), and mean after = mean before + (x − mean before) / count.
 */
export function fold(moments: Moments, x: number): Moments {
  const count = moments.count + 1
  const delta = x - moments.mean
  const mean = moments.mean + delta / count
  return { count, mean, m2: moments.m2 + delta * (x - mean) }
}

/**
 * Takes out a number that was folded in before. Digits are lost where that number made up nearly all of `m2`:
 * a caller that still has the data recomputes then.
 */
export function remove(moments: Moments, x: number): Moments {
  if (moments.count <= 1) return emptyMoments
  const count = moments.count - 1
  const mean = moments.mean - (x - moments.mean) / count
  return { count, mean, m2: Math.max(0, moments.m2 - (x - moments.mean) * (x - mean)) }
}

/**
 * The moments of two samples together.
 *
 * Source: Chan, Golub, LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances":
 * m2 = m2(left) + m2(right) + δ² · n(left) · n(right) / n, δ the distance of the means.
 */
export function merge(left: Moments, right: Moments): Moments {
  if (left.count === 0) return right
  if (right.count === 0) return left
  const count = left.count + right.count
  const delta = right.mean - left.mean
  return {
    count,
    mean: left.mean + (delta * right.count) / count,
    m2: left.m2 + right.m2 + (delta * delta * left.count * right.count) / count,
  }
}

/** The sample variance (divisor n − 1); 0 below two numbers. */
export function variance(moments: Moments): number {
  return moments.count < 2 ? 0 : moments.m2 / (moments.count - 1)
}

/** Moments of two numbers that come together. Units: `m2X` and `m2Y` those of the data squared, `xy` their product. */
export interface CrossMoments {
  readonly count: number
  readonly meanX: number
  readonly meanY: number
  /** Sums of squared deviations, and of products of deviations. */
  readonly m2X: number
  readonly m2Y: number
  readonly xy: number
}

/** The moments of no data. */
export const emptyCross: CrossMoments = { count: 0, meanX: 0, meanY: 0, m2X: 0, m2Y: 0, xy: 0 }

/**
 * Folds a pair of numbers into the moments (one pass, stable).
 *
 * Source: Welford 1962, extended to two numbers as in Chan, Golub, LeVeque 1979.
 */
export function foldCross(moments: CrossMoments, x: number, y: number): CrossMoments {
  const count = moments.count + 1
  const [dx, dy] = [x - moments.meanX, y - moments.meanY]
  const [meanX, meanY] = [moments.meanX + dx / count, moments.meanY + dy / count]
  return {
    ...{ count, meanX, meanY },
    m2X: moments.m2X + dx * (x - meanX),
    m2Y: moments.m2Y + dy * (y - meanY),
    xy: moments.xy + dx * (y - meanY),
  }
}

/** Takes out a pair of numbers that was folded in before; digits are lost where it made up nearly all of a sum. */
export function removeCross(moments: CrossMoments, x: number, y: number): CrossMoments {
  if (moments.count <= 1) return emptyCross
  const count = moments.count - 1
  const [dx, dy] = [x - moments.meanX, y - moments.meanY]
  const [meanX, meanY] = [moments.meanX - dx / count, moments.meanY - dy / count]
  return {
    ...{ count, meanX, meanY },
    m2X: Math.max(0, moments.m2X - dx * (x - meanX)),
    m2Y: Math.max(0, moments.m2Y - dy * (y - meanY)),
    xy: moments.xy - dy * (x - meanX),
  }
}

/** The moments of two samples together. */
export function mergeCross(left: CrossMoments, right: CrossMoments): CrossMoments {
  if (left.count === 0) return right
  if (right.count === 0) return left
  const count = left.count + right.count
  const [dx, dy] = [right.meanX - left.meanX, right.meanY - left.meanY]
  const share = (left.count * right.count) / count
  return {
    count,
    meanX: left.meanX + (dx * right.count) / count,
    meanY: left.meanY + (dy * right.count) / count,
    m2X: left.m2X + right.m2X + dx * dx * share,
    m2Y: left.m2Y + right.m2Y + dy * dy * share,
    xy: left.xy + right.xy + dx * dy * share,
  }
}

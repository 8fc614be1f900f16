import {
  addToBlocks,
  type BlockedEstimate,
  type BlockLevel,
  type Blocks,
  emptyBlocks,
  MIN_BLOCKS,
  type Spread,
  toLevel,
  toSpread,
  toTop,
  toUsed,
} from './blocking.ts'

/** A series of losses with weights, in blocks. The third gives the products: those of x + y less those of x and y. */
export interface WeightedBlocks {
  readonly losses: Blocks
  readonly weights: Blocks
  readonly both: Blocks
}

/** The state before the first label. */
export function emptyWeightedBlocks(season = 1): WeightedBlocks {
  const blocks = emptyBlocks(season)
  return { losses: blocks, weights: blocks, both: blocks }
}

/** Adds the next loss of a series and its weight. */
export function addToWeightedBlocks(state: WeightedBlocks, loss: number, weight: number): WeightedBlocks {
  return {
    losses: addToBlocks(state.losses, loss),
    weights: addToBlocks(state.weights, weight),
    both: addToBlocks(state.both, loss + weight),
  }
}

/**
 * Estimates Σ loss / Σ weight of a dependent series: dyadic blocking, as of a mean, of what each label adds to the
 * linearised ratio, (loss − ratio · weight) / mean weight. Its spread at every length is a quadratic in the ratio, so
 * that the state need not be made anew when the ratio moves.
 *
 * Source: as `toBlockedEstimate` and `toRatioEstimate`.
 */
export function toWeightedEstimate({ losses, weights, both }: WeightedBlocks, minBlocks = MIN_BLOCKS): BlockedEstimate {
  const { n, season } = losses
  const size = toMean(weights)
  const ratio = n === 0 ? 0 : toMean(losses) / size
  const [ofWeights, ofBoth] = [toUsed(weights, minBlocks), toUsed(both, minBlocks)]
  const levels = toUsed(losses, minBlocks).map((used, at): BlockLevel => {
    const { sums } = used
    const spreads = [sums, ofWeights[at]?.sums ?? sums, ofBoth[at]?.sums ?? sums].map(toSpread)
    return toLevel(used, toResidual(spreads, ratio, size), n)
  })
  return {
    estimate: ratio,
    se: Math.max(0, ...levels.map(level => level.se)),
    n,
    r1Top: toTop(levels, season, n, minBlocks),
    levels,
  }
}

function toMean({ n, rows, shift }: Blocks): number {
  return n === 0 ? 0 : shift + rows.sum / n
}

/** The spread of (x − ratio · y) / size from those of x, y and x + y. */
function toResidual([x, y, both]: readonly Spread[], ratio: number, size: number): Spread {
  const combine = (of: (spread: Spread) => number): number => {
    if (x === undefined || y === undefined || both === undefined) return 0
    return (of(x) - ratio * (of(both) - of(x) - of(y)) + ratio * ratio * of(y)) / (size * size)
  }
  return {
    variance: Math.max(
      0,
      combine(({ variance }) => variance),
    ),
    cross: combine(({ cross }) => cross),
  }
}

import type { Estimate } from './estimate.ts'

/**
 * The blocks of one length, of which only complete ones count. `mean…` are sums over the blocks' means, each less the
 * series' first number, which keeps the digits of a small spread around a large mean.
 */
export interface BlockSums {
  /** Complete blocks. */
  readonly count: number
  /** Sum of what the open block holds, and how many parts that is. */
  readonly open: number
  readonly parts: number
  readonly first: number
  readonly last: number
  /** Σ mean, Σ mean², and Σ of each mean times the next. */
  readonly sum: number
  readonly squares: number
  readonly cross: number
}

/** A series in blocks of 1, 2, 4, … seasons. Plain JSON of O(log n) numbers, at a constant cost a label. */
export interface Blocks {
  /** Rows of the shortest block. */
  readonly season: number
  readonly n: number
  /** The series' first number. */
  readonly shift: number
  /** Single rows: an impression of the spread until there are two seasons. */
  readonly rows: BlockSums
  /** Blocks of season × 2^level rows. */
  readonly levels: readonly BlockSums[]
}

/** One length of blocks and what it says of the overall mean. */
export interface BlockLevel {
  /** Rows of a block. */
  readonly length: number
  readonly blocks: number
  /** Sample variance of the blocks' means. */
  readonly variance: number
  /** Lag-1 autocorrelation of the blocks' means. */
  readonly r1: number
  /** Standard error of the overall mean, as this level sees it. */
  readonly se: number
}

/** A mean of dependent numbers with a standard error that counts the dependence. */
export interface BlockedEstimate extends Estimate {
  /** Lag-1 autocorrelation at the coarsest level; undefined where no level has enough blocks. */
  readonly r1Top: number | undefined
  readonly levels: readonly BlockLevel[]
}

/** Complete blocks below which a level says nothing. */
export const MIN_BLOCKS = 30

const emptySums: BlockSums = { count: 0, open: 0, parts: 0, first: 0, last: 0, sum: 0, squares: 0, cross: 0 }

/** The state before the first label. */
export function emptyBlocks(season = 1): Blocks {
  return { season, n: 0, shift: 0, rows: emptySums, levels: [emptySums] }
}

/** Adds the next number of a series, which has to come in the order of time. */
export function addToBlocks(blocks: Blocks, x: number): Blocks {
  const { season, n } = blocks
  const shift = n === 0 ? x : blocks.shift
  const levels = blocks.levels.slice()
  let value = x - shift
  for (let level = 0; ; level++) {
    const size = level === 0 ? season : 2
    const sums = levels[level] ?? emptySums
    const open = sums.open + value
    if (sums.parts + 1 < size) {
      levels[level] = { ...sums, open, parts: sums.parts + 1 }
      break
    }
    value = open / size
    levels[level] = addMean(sums, value)
  }
  const rows = season === 1 ? (levels[0] ?? emptySums) : addMean(blocks.rows, x - shift)
  return { season, n: n + 1, shift, rows, levels }
}

/** The blocks of a whole series. */
export function toBlocks(series: Iterable<number>, season = 1): Blocks {
  let blocks = emptyBlocks(season)
  for (const x of series) blocks = addToBlocks(blocks, x)
  return blocks
}

/**
 * Estimates the mean of a dependent series by dyadic blocking: means of ever longer blocks are ever less dependent,
 * and the largest of the levels' standard errors, each corrected for its lag-1 autocorrelation, is taken. With a
 * season, the shortest block is one season, so that the season does not pass for noise.
 *
 * Source: Flyvbjerg, Petersen 1989, "Error estimates on averages of correlated data", J. Chem. Phys. 91 (blocking);
 * se² = max over lengths of variance · (1 + 2 max(0, r1)) · length / n: the correction and the choice of the largest
 * are from simulations, see docs/judge-validation.md.
 */
export function toBlockedEstimate(blocks: Blocks, minBlocks = MIN_BLOCKS): BlockedEstimate {
  const { n, rows, season, shift } = blocks
  const levels = toUsed(blocks, minBlocks).map(used => toLevel(used, toSpread(used.sums), n))
  const mean = n === 0 ? 0 : shift + rows.sum / n
  return {
    estimate: mean,
    se: Math.max(0, ...levels.map(level => level.se)),
    n,
    r1Top: toTop(levels, season, n, minBlocks),
    levels,
  }
}

/** The lengths that have enough blocks; before two seasons single rows. */
export function toUsed({ levels, n, rows, season }: Blocks, minBlocks: number): readonly UsedLevel[] {
  if (n < 2 * season) return rows.count < 2 ? [] : [{ length: 1, sums: rows }]
  return levels
    .map((sums, level) => ({ length: season * 2 ** level, sums }))
    .filter(({ sums }, level) => sums.count >= (level === 0 ? 2 : minBlocks))
}

/** A length of blocks that has enough of them. */
export interface UsedLevel {
  readonly length: number
  readonly sums: BlockSums
}

/** The blocks' variance (divisor k − 1), and the sum of products of neighbours, less their mean. */
export interface Spread {
  readonly variance: number
  readonly cross: number
}

/**
 * The spread of the means of two or more blocks.
 *
 * Source: as `toBlockedEstimate`.
 */
export function toSpread({ count, first, last, sum, squares, cross }: BlockSums): Spread {
  const mean = sum / count
  return {
    variance: Math.max(0, squares - sum * mean) / (count - 1),
    cross: cross - mean * (2 * sum - first - last) + (count - 1) * mean * mean,
  }
}

/**
 * What a level says, from its spread.
 *
 * Source: as `toBlockedEstimate`.
 */
export function toLevel({ length, sums }: UsedLevel, { cross, variance }: Spread, n: number): BlockLevel {
  const blocks = sums.count
  const r1 = variance > 0 ? cross / ((blocks - 1) * variance) : 0
  return { length, blocks, variance, r1, se: Math.sqrt((variance * (1 + 2 * Math.max(0, r1)) * length) / n) }
}

/** The autocorrelation that tells whether the longest blocks pass for independent. */
export function toTop(levels: readonly BlockLevel[], season: number, n: number, minBlocks: number): number | undefined {
  const top = levels.at(-1)
  return n >= 2 * season && top !== undefined && top.blocks >= minBlocks ? top.r1 : undefined
}

function addMean(sums: BlockSums, mean: number): BlockSums {
  return {
    count: sums.count + 1,
    open: 0,
    parts: 0,
    first: sums.count === 0 ? mean : sums.first,
    last: mean,
    sum: sums.sum + mean,
    squares: sums.squares + mean * mean,
    cross: sums.count === 0 ? 0 : sums.cross + sums.last * mean,
  }
}

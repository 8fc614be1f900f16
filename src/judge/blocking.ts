import { emptyMoments, fold, type Moments, variance } from './moments.ts'

/** One level of blocking: the differences in blocks of `length`, of which only complete ones count. */
export interface BlockLevel {
  readonly length: number
  readonly blocks: number
  /** Sample variance of the blocks' means. */
  readonly variance: number
  /** Lag-1 autocorrelation of the blocks' means, −1 to 1. */
  readonly r1: number
  /** Standard error of the overall mean, as this level sees it. */
  readonly se: number
}

/** A mean of dependent numbers with a standard error that counts the dependence. */
export interface BlockedEstimate {
  readonly estimate: number
  readonly se: number
  readonly n: number
  /** Lag-1 autocorrelation at the coarsest level; undefined where no level has enough blocks. */
  readonly r1Top: number | undefined
  readonly levels: readonly BlockLevel[]
}

/**
 * Estimates the mean of a dependent series, in time order, by dyadic blocking: means of blocks of 1, 2, 4, … are ever
 * less dependent, and the largest of the levels' standard errors, each corrected for its lag-1 autocorrelation, is
 * taken. With a season, the shortest block is one season, so that the season does not pass for noise.
 *
 * Source: Flyvbjerg, Petersen 1989, "Error estimates on averages of correlated data", J. Chem. Phys. 91.
 */
export function toBlockedEstimate(
  differences: Float64Array,
  { season = 1, minBlocks = 30 }: { readonly season?: number; readonly minBlocks?: number } = {},
): BlockedEstimate {
  const n = differences.length
  const total = toMoments(differences)
  // Too short for two seasons: single rows give a first impression, and `r1Top` stays undefined.
  const hasSeasons = n >= 2 * season
  const levels: BlockLevel[] = []
  let means = toBlockMeans(differences, hasSeasons ? season : 1)
  let length = hasSeasons ? season : 1
  while (means.length >= (levels.length === 0 ? 2 : minBlocks)) {
    levels.push(toLevel(means, length, n))
    means = toBlockMeans(means, 2)
    length *= 2
  }
  const top = levels.at(-1)
  return {
    estimate: total.mean,
    se: Math.max(0, ...levels.map(level => level.se)),
    n,
    r1Top: hasSeasons && top !== undefined && top.blocks >= minBlocks ? top.r1 : undefined,
    levels,
  }
}

/** The moments of a whole series. */
export function toMoments(series: Float64Array): Moments {
  return series.reduce<Moments>(fold, emptyMoments)
}

function toBlockMeans(series: Float64Array, length: number): Float64Array {
  if (length === 1) return series
  const means = new Float64Array(Math.floor(series.length / length))
  for (let block = 0; block < means.length; block++) {
    let sum = 0
    for (let i = block * length; i < (block + 1) * length; i++) sum += series[i] ?? 0
    means[block] = sum / length
  }
  return means
}

function toLevel(means: Float64Array, length: number, n: number): BlockLevel {
  const moments = toMoments(means)
  const spread = variance(moments)
  let cross = 0
  for (let i = 1; i < means.length; i++)
    cross += ((means[i - 1] ?? 0) - moments.mean) * ((means[i] ?? 0) - moments.mean)
  const r1 = moments.m2 > 0 ? cross / moments.m2 : 0
  const se = Math.sqrt((spread * (1 + 2 * Math.max(0, r1)) * length) / n)
  return { length, blocks: means.length, variance: spread, r1, se }
}

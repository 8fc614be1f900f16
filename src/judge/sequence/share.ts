import { lnGamma } from './gamma.ts'

/** Bounds of a share, 0–1. */
export interface ShareBounds {
  readonly lower: number
  readonly upper: number
}

const HALVINGS = 60

/**
 * Bounds of the share that `hits` of `total` are drawn with. They may be looked at all the time: the chance that the
 * share is ever outside of them is `alpha` at most, with any number of draws.
 *
 * Source: the mixture of binomial likelihoods over Beta(1/2, 1/2) against one share is a martingale under that share;
 * Ville's inequality bounds it. Robbins 1970, "Statistical methods related to the law of the iterated logarithm":
 * refuted where B(hits + ½, misses + ½) / B(½, ½) ≥ θ^hits (1 − θ)^misses / alpha.
 */
export function toShareBounds(hits: number, total: number, alpha: number): ShareBounds {
  const misses = total - hits
  const mixture = lnBeta(hits + 0.5, misses + 0.5) - lnBeta(0.5, 0.5)
  const limit = -Math.log(alpha)
  // The evidence falls towards the share that was found and rises after it: one bound lies on each side.
  const isRefuted = (share: number): boolean => mixture - hits * Math.log(share) - misses * Math.log1p(-share) >= limit
  const found = total === 0 ? 0.5 : hits / total
  return {
    lower: hits === 0 || total === 0 ? 0 : bisect(0, found, isRefuted),
    upper: misses === 0 || total === 0 ? 1 : bisect(1, found, isRefuted),
  }
}

/** The refuted share nearest to one that is not. */
function bisect(refuted: number, held: number, isRefuted: (share: number) => boolean): number {
  let [outer, inner] = [refuted, held]
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (outer + inner) / 2
    if (isRefuted(middle)) outer = middle
    else inner = middle
  }
  return outer
}

function lnBeta(a: number, b: number): number {
  return lnGamma(a) + lnGamma(b) - lnGamma(a + b)
}

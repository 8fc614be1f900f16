import { toOddsSequence } from '../gates/counts.ts'

/** Events that each arm had in an epoch with unchanged weights. */
export interface RateEpoch {
  readonly eventsA: number
  readonly eventsB: number
  /** B's share of the requests, above 0 and below 1. */
  readonly weightB: number
}

/** Rate of events in B over that in A, and the evidence against equal rates. */
export interface RateRatio {
  readonly estimate: number | undefined
  readonly lower: number
  /** Infinity while A has no events. */
  readonly upper: number
  readonly logE: number
}

/**
 * Compares two rates by their events alone: of all events, the share of B is its weight if the rates are equal,
 * however they move with time. Exact for any number of looks, and it works in the smallest split. Undefined where the
 * epochs contradict each other: no single ratio fits them.
 *
 * Source: Lindon, Malek 2022, "Anytime-valid inference for multinomial count data", NeurIPS (arXiv:2011.03567):
 * odds of B among the events = ratio · w / (1 − w), w the weight of B.
 * @param concentration Beta prior's mass around the weights. @default 100
 */
export function toRateRatio(epochs: readonly RateEpoch[], alpha: number, concentration = 100): RateRatio | undefined {
  const terms = epochs.map(({ eventsA, eventsB, weightB }) => ({
    hits: eventsB,
    misses: eventsA,
    priorHits: concentration * weightB,
    priorMisses: concentration * (1 - weightB),
    lnOdds: Math.log(weightB / (1 - weightB)),
  }))
  return toOddsSequence(terms, alpha)
}

/** The share of pairs that B wins, 0–1; pairs without a winner do not count. */
export interface WinRate {
  readonly estimate: number | undefined
  readonly lower: number
  readonly upper: number
  /** Natural logarithm of the e-value against a share of one half. */
  readonly logE: number
}

/**
 * The share of labels on which B's loss is the smaller one. Exact whatever the tails of the losses, for any number of
 * looks at labels that do not depend on each other; a companion of the verdict, for B may win more often and still lose more on average.
 *
 * Source: Robbins 1970, "Statistical methods related to the law of the iterated logarithm", Ann. Math. Statist. 41;
 * the prior is Beta(½, ½); a share θ is refuted where B(wins + ½, losses + ½) / B(½, ½) ≥ θ^wins (1 − θ)^losses / alpha.
 */
export function toWinRate(wins: number, losses: number, alpha: number): WinRate {
  const term = { hits: wins, misses: losses, priorHits: 0.5, priorMisses: 0.5, lnOdds: 0 }
  const odds = toOddsSequence([term], alpha)
  // One term cannot contradict itself: at its own share the evidence is below 0.
  if (odds === undefined) throw new Error(`No share fits ${wins} wins and ${losses} losses`)
  const { estimate, lower, upper, logE } = odds
  return {
    estimate: estimate === undefined ? undefined : toShare(estimate),
    lower: toShare(lower),
    upper: toShare(upper),
    logE,
  }
}

function toShare(odds: number): number {
  return odds === Number.POSITIVE_INFINITY ? 1 : odds / (1 + odds)
}

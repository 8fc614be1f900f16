import { lnGamma } from '../sequence/gamma.ts'

/**
 * Natural logarithm of the evidence that counts were not drawn with the given weights; it may be looked at all the
 * time: an alarm at ln(1 / alpha) is false with chance alpha at most. `weights` are above 0 and sum to 1.
 *
 * Source: Lindon, Malek 2022, "Anytime-valid inference for multinomial count data", NeurIPS (arXiv:2011.03567):
 * ln B(k θ + counts) − ln B(k θ) − Σ counts ln θ, with k the concentration, θ = weights and B the Beta function.
 * @param concentration Dirichlet prior's mass around the weights. @default 100
 */
export function toRatioEvidence(counts: readonly number[], weights: readonly number[], concentration = 100): number {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const terms = weights.map((weight, i) => {
    const count = counts[i] ?? 0
    const prior = concentration * weight
    return lnGamma(prior + count) - lnGamma(prior) - count * Math.log(weight)
  })
  return terms.reduce((sum, term) => sum + term, 0) - lnGamma(concentration + total) + lnGamma(concentration)
}

/** What is known of a share: counts, and the odds that it is measured against. */
export interface ShareTerm {
  readonly hits: number
  readonly misses: number
  /** Pseudo-counts of the Beta prior, above 0. */
  readonly priorHits: number
  readonly priorMisses: number
  /** Logarithm of the odds of a hit where the odds ratio is 1. */
  readonly lnOdds: number
}

/** An odds ratio with its confidence sequence; Infinity where the counts set no upper limit. */
export interface OddsSequence {
  /** The most likely ratio; undefined without counts. */
  readonly estimate: number | undefined
  readonly lower: number
  readonly upper: number
  /** Natural logarithm of the e-value against a ratio of 1. */
  readonly logE: number
}

/**
 * The confidence sequence of the odds ratio that several Bernoulli sequences have in common: all ratios that the
 * Beta mixtures together have not refuted. Exact, for any number of looks. Undefined where the terms contradict each
 * other so much that no ratio is left.
 *
 * Source: Robbins 1970, "Statistical methods related to the law of the iterated logarithm", Ann. Math. Statist. 41
 * (mixtures of likelihood ratios); Lindon, Malek 2022 as above for the Beta mixture: a ratio
 * is refuted where Σ ln(mixture / likelihood at it) ≥ ln(1 / alpha).
 */
export function toOddsSequence(terms: readonly ShareTerm[], alpha: number): OddsSequence | undefined {
  const evidence = (eta: number): number => terms.reduce((sum, term) => sum + toShareEvidence(term, eta), 0)
  const hits = terms.reduce((sum, term) => sum + term.hits, 0)
  const misses = terms.reduce((sum, term) => sum + term.misses, 0)
  const logE = evidence(0)
  if (hits + misses === 0) return { estimate: undefined, lower: 0, upper: Number.POSITIVE_INFINITY, logE }
  const likeliest = hits === 0 ? -FAR : misses === 0 ? FAR : toLikeliest(terms, hits)
  const wanted = -Math.log(alpha)
  if (evidence(likeliest) >= wanted) return undefined
  const isRefuted = (eta: number): boolean => evidence(eta) >= wanted
  return {
    estimate: toRatio(likeliest),
    lower: hits === 0 ? 0 : Math.exp(bisect(likeliest, -FAR, isRefuted)),
    upper: misses === 0 ? Number.POSITIVE_INFINITY : Math.exp(bisect(likeliest, FAR, isRefuted)),
    logE,
  }
}

/** Log odds that no counts reach: e^±700 are the ends of what a number can hold. */
const FAR = 700

function toRatio(eta: number): number {
  return eta === -FAR ? 0 : eta === FAR ? Number.POSITIVE_INFINITY : Math.exp(eta)
}

/** Log evidence of one term against the log odds ratio `eta`. It is convex in `eta`. */
function toShareEvidence({ hits, misses, priorHits, priorMisses, lnOdds }: ShareTerm, eta: number): number {
  const mixture = lnBeta(priorHits + hits, priorMisses + misses) - lnBeta(priorHits, priorMisses)
  return mixture + hits * softplus(-eta - lnOdds) + misses * softplus(eta + lnOdds)
}

/** Where the convex evidence is smallest: expected hits equal the counted ones. */
function toLikeliest(terms: readonly ShareTerm[], hits: number): number {
  const toExpected = (eta: number): number =>
    terms.reduce((sum, term) => sum + (term.hits + term.misses) / (1 + Math.exp(-eta - term.lnOdds)), 0)
  return bisect(-FAR, FAR, eta => toExpected(eta) >= hits)
}

/** The point between `no` and `yes`, in either order, where a condition becomes true. */
function bisect(no: number, yes: number, isTrue: (x: number) => boolean): number {
  let [out, inside] = [no, yes]
  for (;;) {
    const middle = (out + inside) / 2
    if (middle === out || middle === inside) return inside
    if (isTrue(middle)) inside = middle
    else out = middle
  }
}

/** ln(1 + e^x) without overflow. */
function softplus(x: number): number {
  return Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)))
}

function lnBeta(a: number, b: number): number {
  return lnGamma(a) + lnGamma(b) - lnGamma(a + b)
}

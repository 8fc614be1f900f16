/** The two numbers that fix a confidence sequence before the race starts. */
export interface SequenceRule {
  /** Chance that the sequence ever misses the truth, 0–1. */
  readonly alpha: number
  /** Labels at which the sequence is tightest. It changes the width only, never the validity. */
  readonly tOpt: number
}

/**
 * The mixture's variance per label, ρ², that makes the sequence tightest near `tOpt` labels.
 *
 * Source: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024, "Time-uniform central limit theory and asymptotic
 * confidence sequences", Annals of Statistics 52(6) (arXiv:2103.06476), the choice of ρ in its appendix:
 * ρ² = (−2 ln α + ln(1 − 2 ln α)) / tOpt.
 */
export function toRho2({ alpha, tOpt }: SequenceRule): number {
  const log = -2 * Math.log(alpha)
  return (log + Math.log1p(log)) / tOpt
}

/**
 * How many standard errors the sequence reaches to either side after `n` labels, at every `n` at once.
 *
 * Source: as `toRho2`, Theorem 2.2; the boundary is the normal mixture of Robbins 1970 and of Howard, Ramdas,
 * McAuliffe, Sekhon 2021, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics
 * 49(2). That it holds alpha in the limit of a late start is Theorem 2.8 of the former: hence the gates.
 */
export function toMultiplier(n: number, rule: SequenceRule): number {
  const nRho2 = n * toRho2(rule)
  return Math.sqrt(((nRho2 + 1) / nRho2) * (Math.log1p(nRho2) - 2 * Math.log(rule.alpha)))
}

/**
 * The one-sided multiplier in closed form: never below the exact mixture, for bounds that only one side breaks.
 *
 * Source: as `toMultiplier`.
 */
export function toOneSidedMultiplier(n: number, rule: SequenceRule): number {
  const nRho2 = n * toRho2(rule)
  return Math.sqrt(((2 * (nRho2 + 1)) / nRho2) * Math.log1p(Math.sqrt(nRho2 + 1) / (2 * rule.alpha)))
}

/**
 * Natural logarithm of the e-value against "no difference" for an estimate `z` standard errors from 0. The sequence
 * excludes 0 exactly where this reaches ln(1 / alpha).
 *
 * Source: as `toMultiplier`.
 */
export function toLogE(z: number, n: number, rule: SequenceRule): number {
  const nRho2 = n * toRho2(rule)
  return (z * z * nRho2) / (2 * (nRho2 + 1)) - 0.5 * Math.log1p(nRho2)
}

/**
 * The p-value that is valid at any time, 0–1, from the logarithm of an e-value.
 *
 * Source: Ville 1939, "Étude critique de la notion de collectif": P(sup e ≥ 1 / p) ≤ p, so that p = min(1, 1 / e).
 */
export function toP(logE: number): number {
  return Math.min(1, Math.exp(-logE))
}

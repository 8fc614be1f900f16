import type { Estimate } from './estimate.ts'
import { lnLowerGamma, toLogGap, toStirlingRest } from './gamma.ts'

/** Differences of bounded losses, in the order they came. Plain JSON, one addition a label. */
export interface BoundedState {
  readonly count: number
  readonly sum: number
  /** Sum of squares of each difference less the mean of those before it. */
  readonly spread: number
}

/** The state before the first label. */
export const emptyBounded: BoundedState = { count: 0, sum: 0, spread: 0 }

/**
 * Adds a difference.
 *
 * Source: as `toBoundedSequence`.
 */
export function foldBounded({ count, sum, spread }: BoundedState, d: number): BoundedState {
  const off = d - (count === 0 ? 0 : sum / count)
  return { count: count + 1, sum: sum + d, spread: spread + off * off }
}

/** What an exact sequence is decided by; fixed when the race starts. */
export interface BoundedRule {
  readonly alpha: number
  /** Differences lie between −reach and reach. */
  readonly reach: number
  /** Labels at which the sequence is tightest if each differs by all of the reach; later, if they differ by less. */
  readonly tOpt: number
}

/** The mean of bounded differences with an exact confidence sequence. */
export interface BoundedSequence extends Estimate {
  readonly lower: number
  readonly upper: number
  /** Natural logarithm of an e-value against "no difference so far". */
  readonly logE: number
}

/**
 * The exact sequence of bounded differences: at every label at once, whatever they depend on, with chance 1 − alpha
 * it holds the mean of what each difference was expected to be, given all before it. That is "which was better so
 * far", not "which will be".
 *
 * Source: Howard, Ramdas, McAuliffe, Sekhon 2021, "Time-uniform, nonparametric, nonasymptotic confidence sequences",
 * Annals of Statistics 49(2) (empirical-Bernstein bound with the gamma-exponential mixture); Choe, Ramdas 2024,
 * "Comparing sequential forecasters", Operations Research 72(4), Theorem 2.
 */
export function toBoundedSequence(state: BoundedState, rule: BoundedRule): BoundedSequence {
  const { count: n, sum, spread } = state
  const mean = n === 0 ? 0 : sum / n
  const reach = n === 0 ? Number.POSITIVE_INFINITY : toBoundaryOf(state, rule) / n
  const se = n < 2 ? 0 : Math.sqrt(spread) / n
  return { estimate: mean, se, n, lower: mean - reach, upper: mean + reach, logE: toBoundedEvidence(state, rule) }
}

/**
 * Natural logarithm of the e-value against "no difference so far". The sequence excludes 0 exactly where this reaches
 * ln(1 / alpha).
 *
 * Source: as `toBoundedSequence`.
 */
export function toBoundedEvidence({ sum, spread }: BoundedState, rule: BoundedRule): number {
  const { reach } = rule
  return toLogMixture(toClock(spread, reach), toProcess(rule))(Math.abs(sum) / reach) - Math.LN2
}

/** In units of the reach the differences span a range of 2, which is the scale of the sub-exponential process. */
const SCALE = 2

function toBoundaryOf({ spread }: BoundedState, rule: BoundedRule): number {
  return rule.reach * toBoundary(toClock(spread, rule.reach), toProcess(rule), rule.alpha / 2)
}

/** The process's own time never starts below 1. */
function toClock(spread: number, reach: number): number {
  return Math.max(1, spread / (reach * reach))
}

function toProcess({ alpha, tOpt }: BoundedRule): ExponentialProcess {
  return { scale: SCALE, vOpt: tOpt, alphaOpt: alpha / 2 }
}

/** A sub-exponential process and the time at which its boundary is tightest. */
export interface ExponentialProcess {
  readonly scale: number
  readonly vOpt: number
  /** The one-sided chance that the mixture is made for. */
  readonly alphaOpt: number
}

/**
 * The boundary that the process's sum crosses with chance `alpha` at most, at any time `v`: where the mixture reaches
 * 1 / alpha.
 *
 * Source: as `toBoundedSequence`: the s with ln M(s, v) = ln(1 / alpha).
 */
export function toBoundary(v: number, process: ExponentialProcess, alpha: number): number {
  const toMixture = toLogMixture(v, process)
  const toExcess = (s: number): number => toMixture(s) + Math.log(alpha)
  let [low, high] = [0, Math.sqrt(v)]
  while (toExcess(high) < 0) [low, high] = [high, 2 * high]
  return toRoot(toExcess, low, high)
}

/** The root of a growing function by false position, whose stale end is weighed less (Illinois; Dowell, Jarratt 1971). */
function toRoot(toExcess: (s: number) => number, from: number, to: number): number {
  let [low, high] = [from, to]
  let [below, above] = [toExcess(low), toExcess(high)]
  let side = 0
  for (let step = 0; step < 200 && high - low > 1e-14 * high && above > 0; step++) {
    const s = (low * above - high * below) / (above - below)
    const excess = toExcess(s)
    if (Math.abs(excess) < 1e-14) return s
    if (excess < 0) {
      ;[low, below] = [s, excess]
      if (side === -1) above /= 2
      side = -1
    } else {
      ;[high, above] = [s, excess]
      if (side === 1) below /= 2
      side = 1
    }
  }
  return high
}

/**
 * Natural logarithm of the gamma-exponential mixture at time `v`, for a sum of `s` ≥ 0. The terms of the paper's
 * formula that grow with `v` cancel; here they are taken out by hand, so that no digits are lost with them.
 */
function toLogMixture(v: number, { scale, vOpt, alphaOpt }: ExponentialProcess): (s: number) => number {
  const log = -2 * Math.log(2 * alphaOpt)
  const r = vOpt / (log + Math.log1p(log)) / scale ** 2
  const a = v / scale ** 2 + r
  const fixed = 0.5 * Math.log(r / a) + toStirlingRest(a) - toStirlingRest(r) - lnLowerGamma(r, r)
  return s => {
    const b = a + s / scale
    return fixed + a * toLogGap(b / a) + lnLowerGamma(a, b)
  }
}

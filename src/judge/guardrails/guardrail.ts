import type { Estimate } from '../sequence/estimate.ts'
import { type SequenceRule, toOneSidedMultiplier } from '../sequence/multiplier.ts'

/**
 * The lower bound of an estimate, at every label at once, where only one side is asked for: tighter than that of the
 * two-sided sequence. An alpha shared among several guardrails is `toSharedRule`.
 *
 * Source: as `toOneSidedMultiplier`.
 */
export function toLowerBound({ estimate, se, n }: Estimate, rule: SequenceRule): number {
  return n < 2 ? Number.NEGATIVE_INFINITY : estimate - toOneSidedMultiplier(n, rule) * se
}

/**
 * Whether a guardrail is breached: B does for sure more harm than `limit`. `harm` is the worsening by B of a metric
 * of which less is better (latency, errors). Without spread nothing is sure.
 *
 * Source: as `toLowerBound`.
 */
export function isBreached(harm: Estimate, limit: number, rule: SequenceRule): boolean {
  return harm.se > 0 && toLowerBound(harm, rule) > limit
}

/**
 * Whether B is for sure no worse than A by more than `margin` (one-sided non-inferiority).
 *
 * Source: as `toLowerBound`.
 */
export function isNonInferior(improvement: Estimate, margin: number, rule: SequenceRule): boolean {
  return improvement.se > 0 && toLowerBound(improvement, rule) > -margin
}

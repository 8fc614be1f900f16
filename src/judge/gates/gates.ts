import { type BlockedEstimate, MIN_BLOCKS } from '../sequence/blocking.ts'
import type { DependentEvidence, PairedEvidence, PairedRatioEvidence } from '../verdict/evidence.ts'
import type { Gate, RaceRule } from '../verdict/race.ts'
import { toCountGate, toDominanceGate, toRepeatsGate } from './gate.ts'

/*
 * The readiness rules. Every threshold comes from simulations of null races that were looked at after every label:
 * with it the false winners stayed below the promised 5 %, without it they did not (docs/judge-validation.md).
 */

/** Lag-1 autocorrelation of the coarsest blocks up to which they pass for independent. */
const MAX_R1 = 0.3

/** The gates of paired losses. */
export function toPairedGates(evidence: PairedEvidence, rule: RaceRule): readonly Gate[] {
  return toUnitGates('pairs', evidence.moments.count, evidence, rule)
}

/** The gates of paired losses whose mean is a ratio of sums. */
export function toPairedRatioGates(evidence: PairedRatioEvidence, rule: RaceRule): readonly Gate[] {
  const { of, terms } = evidence
  return toUnitGates(of === 'labels' ? 'pairs' : of, terms.count, evidence, rule)
}

function toUnitGates(
  units: string,
  count: number,
  { discordant, dominance, repeats }: PairedEvidence | PairedRatioEvidence,
  { binary }: RaceRule,
): readonly Gate[] {
  return [
    toCountGate(units, count, 100),
    toDominanceGate(dominance),
    ...(binary ? [toCountGate('discordant pairs', discordant, 10)] : []),
    ...(repeats === undefined ? [] : [toRepeatsGate(repeats, 'pairs')]),
  ]
}

/** The gates of dependent losses. The last alone is missing where a first, provisional answer can be given. */
export function toDependentGates({ dominance }: DependentEvidence, blocked: BlockedEstimate): readonly Gate[] {
  const { r1Top } = blocked
  const quiet: Gate = {
    name: 'independent blocks',
    passed: r1Top !== undefined && r1Top <= MAX_R1,
    detail:
      r1Top === undefined
        ? `${MIN_BLOCKS} blocks wanted, ${blocked.levels[0]?.blocks ?? 0} found`
        : `autocorrelation of the longest blocks up to ${MAX_R1} wanted, ${r1Top.toFixed(2)} found`,
  }
  return [
    toCountGate('first labels', blocked.n, 100),
    quiet,
    toDominanceGate(dominance),
    toCountGate('labels', blocked.n, 1000),
  ]
}

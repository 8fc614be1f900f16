import { toP } from '../sequence/multiplier.ts'
import type { Evidence } from './evidence.ts'
import type { RaceRule, Verdict, VerdictState } from './race.ts'
import { type ArmNames, toReason } from './sentence.ts'
import { type Weighed, weigh } from './weigh.ts'

/** What `decide` needs: the bounds, whether the gates let it decide, and the rule's two thresholds. */
export interface DecideInput {
  readonly lower: number
  readonly upper: number
  readonly ready: boolean
  readonly margin: number
  readonly minGain: number
}

/** The verdict's word from the confidence sequence. Both sides hold at once, so no further correction is needed. */
export function decide({ lower, upper, ready, margin, minGain }: DecideInput): VerdictState {
  if (!ready) return 'warming-up'
  if (lower > minGain) return 'promote-B'
  if (upper < 0) return 'keep-A'
  if (margin > 0 && -margin < lower && upper < margin) return 'equivalent'
  if (minGain > 0 && upper < minGain) return 'keep-A'
  return 'keep-racing'
}

/**
 * Judges a race on what is known now. It may be asked after every label: with probability 1 − alpha none of its
 * answers is ever wrong. Losses that never differ, or always by the same, have no winner.
 */
export function judgeRace(rule: RaceRule, evidence: Evidence, names: ArmNames = { a: 'A', b: 'B' }): Verdict {
  const weighed = weigh(rule, evidence)
  const { design, flat, gates, sequence } = weighed
  const { estimate, se, n } = weighed.estimate
  const state = toState(weighed, rule)
  const dependent = rule.dependent && design !== 'bounded'
  const finding = {
    state,
    n,
    estimate,
    bounds: sequence.bounds,
    flat,
    unit: design === 'clustered' ? ('entities' as const) : ('labels' as const),
    dependent: dependent || design === 'dependent',
    gates,
  }
  return {
    state,
    reason: toReason(finding, rule, names),
    design,
    estimate,
    se,
    n,
    lower: sequence.bounds?.lower,
    upper: sequence.bounds?.upper,
    logE: sequence.logE,
    p: toP(sequence.logE),
    gates,
  }
}

/** A verdict that ends the doubt: the first of a race is its decision. */
export function isDecided(state: string): state is 'promote-B' | 'keep-A' | 'equivalent' {
  return state === 'promote-B' || state === 'keep-A' || state === 'equivalent'
}

function toState({ estimate, flat, gates, sequence }: Weighed, rule: RaceRule): VerdictState {
  const ready = gates.every(gate => gate.passed)
  const state = flat ? decideFlat(estimate.estimate, ready, rule) : decideSequence(sequence.bounds, ready, rule)
  const { budgetLabels = Number.POSITIVE_INFINITY } = rule
  return estimate.n >= budgetLabels && !isDecided(state) ? 'inconclusive' : state
}

function decideFlat(estimate: number, ready: boolean, { margin }: RaceRule): VerdictState {
  return ready && Math.abs(estimate) < margin ? 'equivalent' : 'keep-racing'
}

function decideSequence(
  bounds: Weighed['sequence']['bounds'],
  ready: boolean,
  { margin, minGain }: RaceRule,
): VerdictState {
  return bounds === undefined ? 'warming-up' : decide({ ...bounds, ready, margin, minGain })
}

import { toBlockedEstimate } from './blocking.ts'
import { type Estimate, toEpochsEstimate, toPairedEstimate } from './estimate.ts'
import type { Evidence } from './evidence.ts'
import { orderGate, toDependentGates, toFiniteGate, toPairedGates, toSplitGates } from './gates.ts'
import { toLogE, toMultiplier, toP } from './multiplier.ts'
import type { Gate, RaceRule, Verdict, VerdictState } from './race.ts'
import { type ArmNames, toReason } from './sentence.ts'

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
  const gates = [...weighed.gates, ...toSoundness(rule, evidence, weighed.estimate)]
  const estimate = toFinite(weighed.estimate)
  const { n } = estimate
  const flat = n >= 2 && isFlat(estimate)
  const sequence = toSequence(estimate, rule, flat)
  const ready = gates.every(gate => gate.passed)
  const state = flat ? decideFlat(estimate.estimate, ready, rule) : decideSequence(sequence.bounds, ready, rule)
  const finding = {
    state,
    n,
    estimate: estimate.estimate,
    bounds: sequence.bounds,
    flat,
    dependent: rule.dependent || evidence.kind === 'dependent',
    gates,
  }
  return {
    state,
    reason: toReason(finding, rule, names),
    design: evidence.kind,
    estimate: estimate.estimate,
    se: estimate.se,
    n,
    lower: sequence.bounds?.lower,
    upper: sequence.bounds?.upper,
    logE: sequence.logE,
    p: toP(sequence.logE),
    gates,
  }
}

interface Weighed {
  readonly estimate: Estimate
  readonly gates: readonly Gate[]
}

function weigh(rule: RaceRule, evidence: Evidence): Weighed {
  switch (evidence.kind) {
    case 'paired':
      return { estimate: toPairedEstimate(evidence.moments), gates: toPairedGates(evidence, rule) }
    case 'split':
      return { estimate: toEpochsEstimate(evidence.epochs), gates: toSplitGates(evidence, rule) }
    case 'dependent': {
      const blocked = toBlockedEstimate(evidence.differences, { season: rule.season })
      return { estimate: blocked, gates: toDependentGates(evidence, blocked) }
    }
    default:
      return evidence satisfies never
  }
}

/** Gates that only a mistake closes; they are shown where they do. */
function toSoundness(rule: RaceRule, evidence: Evidence, estimate: Estimate): readonly Gate[] {
  const order = rule.dependent && evidence.kind !== 'dependent' ? [orderGate] : []
  return [...order, toFiniteGate(estimate)].filter(gate => !gate.passed)
}

/** JSON has no infinity; `toFiniteGate` says that there was one. */
function toFinite({ estimate, se, n }: Estimate): Estimate {
  return Number.isFinite(estimate) && Number.isFinite(se) ? { estimate, se, n } : { estimate: 0, se: 0, n: 0 }
}

/** A spread within the rounding of the mean is no spread: it would make any difference certain. */
function isFlat({ estimate, se, n }: Estimate): boolean {
  return se * Math.sqrt(n) <= 1e-12 * Math.abs(estimate)
}

interface Sequence {
  readonly bounds: { readonly lower: number; readonly upper: number } | undefined
  readonly logE: number
}

function toSequence({ estimate, se, n }: Estimate, rule: RaceRule, flat: boolean): Sequence {
  if (n < 2 || (flat && estimate !== 0)) return { bounds: undefined, logE: 0 }
  if (flat) return { bounds: { lower: 0, upper: 0 }, logE: 0 }
  const reach = toMultiplier(n, rule) * se
  if (!Number.isFinite(reach)) return { bounds: undefined, logE: 0 }
  return { bounds: { lower: estimate - reach, upper: estimate + reach }, logE: toLogE(estimate / se, n, rule) }
}

function decideFlat(estimate: number, ready: boolean, { margin }: RaceRule): VerdictState {
  return ready && Math.abs(estimate) < margin ? 'equivalent' : 'keep-racing'
}

function decideSequence(bounds: Sequence['bounds'], ready: boolean, { margin, minGain }: RaceRule): VerdictState {
  return bounds === undefined ? 'warming-up' : decide({ ...bounds, ready, margin, minGain })
}

import { orderGate, strictGate, toCapGate, toDominanceGate, toFiniteGate } from '../gates/gate.ts'
import { toDependentGates, toPairedGates, toPairedRatioGates } from '../gates/gates.ts'
import { toSplitGates } from '../gates/split-gates.ts'
import { toBlockedEstimate } from '../sequence/blocking.ts'
import { toBoundedSequence } from '../sequence/bounded.ts'
import {
  type Estimate,
  type SplitEpoch,
  toEpochsEstimate,
  toPairedEstimate,
  toSplitEstimate,
} from '../sequence/estimate.ts'
import { type SequenceRule, toLogE, toMultiplier } from '../sequence/multiplier.ts'
import { toWeightedEstimate } from '../sequence/weighted-blocks.ts'
import { toAdjustedEstimate, toRatioDifference, toRatioEstimate } from '../sums/ratio.ts'
import type { Evidence } from './evidence.ts'
import type { Design, Gate, RaceRule } from './race.ts'

/** What the evidence says: an estimate, its confidence sequence, and the gates of its design. */
export interface Weighed {
  readonly design: Design
  readonly estimate: Estimate
  readonly sequence: Sequence
  /** The estimate never varied: there is no spread to judge by. */
  readonly flat: boolean
  readonly gates: readonly Gate[]
}

/** The confidence sequence's bounds, and the natural logarithm of the e-value against "no difference". */
export interface Sequence {
  /** Undefined below two labels, and where a difference other than 0 never varied. */
  readonly bounds: { readonly lower: number; readonly upper: number } | undefined
  readonly logE: number
}

/** Weighs the evidence: what it says of the improvement, and which gates let it decide. */
export function weigh(rule: RaceRule, evidence: Evidence): Weighed {
  const { design, estimate: raw, gates, sequence } = toDesign(rule, evidence)
  const estimate = toFinite(raw)
  const flat = sequence === undefined && estimate.n >= 2 && isFlat(estimate)
  return {
    design,
    estimate,
    flat,
    sequence: sequence ?? toSequence(estimate, rule, flat),
    gates: [...gates, ...toSoundness(rule, evidence, raw)],
  }
}

interface Weighing {
  readonly design: Design
  readonly estimate: Estimate
  readonly gates: readonly Gate[]
  /** Of a design that has a sequence of its own. */
  readonly sequence?: Sequence
}

function toDesign(rule: RaceRule, evidence: Evidence): Weighing {
  switch (evidence.kind) {
    case 'paired':
      return { design: 'paired', estimate: toPairedEstimate(evidence.moments), gates: toPairedGates(evidence, rule) }
    case 'paired-ratio': {
      const design = evidence.of === 'labels' ? 'paired' : 'clustered'
      return { design, estimate: toRatioEstimate(evidence.terms), gates: toPairedRatioGates(evidence, rule) }
    }
    case 'split':
    case 'split-ratio':
    case 'adjusted':
      return toSplitDesign(rule, evidence)
    case 'dependent': {
      const { blocks } = evidence
      const blocked = 'weights' in blocks ? toWeightedEstimate(blocks) : toBlockedEstimate(blocks)
      return { design: 'dependent', estimate: blocked, gates: toDependentGates(evidence, blocked) }
    }
    case 'bounded': {
      const { alpha, tOpt } = rule
      const found = toBoundedSequence(evidence.state, { alpha, tOpt, reach: evidence.reach })
      const bounds = found.n < 2 ? undefined : { lower: found.lower, upper: found.upper }
      return { design: 'bounded', estimate: found, gates: [], sequence: { bounds, logE: found.logE } }
    }
    default:
      return evidence satisfies never
  }
}

function toSplitDesign(
  rule: RaceRule,
  evidence: Extract<Evidence, { readonly kind: 'split' | 'split-ratio' | 'adjusted' }>,
): Weighing {
  const { dominance, epochs, kind } = evidence
  const unit = kind === 'split-ratio' ? evidence.of : 'labels'
  const shares = toSplitGates(epochs, unit, rule)
  const gates = dominance === undefined ? shares : [...shares, toDominanceGate(dominance)]
  const plain = epochs.length > 1 ? 'epochs' : 'split'
  if (kind === 'split')
    return { design: plain, estimate: toEpochsEstimate<SplitEpoch['a']>(epochs, toSplitEstimate), gates }
  if (kind === 'adjusted')
    return { design: 'adjusted', estimate: toEpochsEstimate(evidence.epochs, toAdjustedEstimate), gates }
  const design = unit === 'entities' ? 'clustered' : plain
  return { design, estimate: toEpochsEstimate(evidence.epochs, toRatioDifference), gates }
}

/** Gates that only a mistake closes are shown where they do; that of a cap wherever there is one. */
function toSoundness(rule: RaceRule, { cap, kind }: Evidence, estimate: Estimate): readonly Gate[] {
  const order = rule.dependent && kind !== 'dependent' && kind !== 'bounded' ? [orderGate] : []
  const strict = rule.strict === true && kind !== 'bounded' ? [strictGate] : []
  const found = [...order, ...strict, toFiniteGate(estimate)].filter(gate => !gate.passed)
  return cap === undefined ? found : [toCapGate(cap), ...found]
}

/** JSON has no infinity; `toFiniteGate` says that there was one. */
function toFinite({ estimate, se, n }: Estimate): Estimate {
  return Number.isFinite(estimate) && Number.isFinite(se) ? { estimate, se, n } : { estimate: 0, se: 0, n: 0 }
}

/** A spread within the rounding of the mean is no spread: it would make any difference certain. */
function isFlat({ estimate, se, n }: Estimate): boolean {
  return se * Math.sqrt(n) <= 1e-12 * Math.abs(estimate)
}

/** The asymptotic confidence sequence of an estimate with a standard error. */
function toSequence({ estimate, se, n }: Estimate, rule: SequenceRule, flat: boolean): Sequence {
  if (n < 2 || (flat && estimate !== 0)) return { bounds: undefined, logE: 0 }
  if (flat) return { bounds: { lower: 0, upper: 0 }, logE: 0 }
  const reach = toMultiplier(n, rule) * se
  if (!Number.isFinite(reach)) return { bounds: undefined, logE: 0 }
  return { bounds: { lower: estimate - reach, upper: estimate + reach }, logE: toLogE(estimate / se, n, rule) }
}

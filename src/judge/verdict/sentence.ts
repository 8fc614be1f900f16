import type { Gate, RaceRule, VerdictState } from './race.ts'
import { toShort } from './words.ts'

/** How the arms are called and what A loses on average, so that a sentence can name them and show a percentage. */
export interface ArmNames {
  readonly a: string
  readonly b: string
  readonly meanLossA?: number
  /** What the loss is called, such as "squared error". @default 'mean loss' */
  readonly loss?: string
}

/** What a sentence is made of. */
export interface Finding {
  readonly state: VerdictState
  readonly estimate: number
  readonly n: number
  readonly bounds: { readonly lower: number; readonly upper: number } | undefined
  /** All labels showed the same difference. */
  readonly flat: boolean
  readonly dependent: boolean
  /** What `n` counts. */
  readonly unit: 'labels' | 'entities'
  readonly gates: readonly Gate[]
}

/** Says in one sentence, without a final period, why the verdict is what it is. */
export function toReason(finding: Finding, rule: RaceRule, names: ArmNames): string {
  const { a, b } = names
  const tail = `${finding.n} ${finding.unit}; valid however often you look`
  if (finding.flat) return toFlatReason(finding, names)
  switch (finding.state) {
    case 'promote-B':
      return `${b} is better: its ${toGap(finding, names)}; ${tail}`
    case 'keep-A':
      return (finding.bounds?.upper ?? 0) < 0
        ? `${a} is better: ${b}'s ${toGap(finding, names)}; ${tail}`
        : `${a} stays: ${b} gains less than the wanted ${toShort(rule.minGain)}; ${tail}`
    case 'equivalent':
      return `${a} and ${b} are equivalent: their mean losses differ by less than ${toShort(rule.margin)}; ${tail}`
    case 'warming-up':
      return toWaitingReason(finding, names)
    case 'keep-racing':
      return `No difference is certain yet: ${b}'s ${toGap(finding, names)}; ${finding.n} ${finding.unit}`
    case 'inconclusive':
      return `The labels are spent without a verdict: ${b}'s ${toGap(finding, names)}; ${finding.n} ${finding.unit}`
    default:
      return finding.state satisfies never
  }
}

function toFlatReason({ estimate, n, state, unit }: Finding, { a, b }: ArmNames): string {
  if (state === 'equivalent')
    return `${a} and ${b} are equivalent: their difference was ${toShort(estimate)} on all ${n} ${unit}`
  return estimate === 0
    ? `${a} and ${b} gave the same loss on all ${n} ${unit}: there is no difference to judge`
    : `${a} and ${b} differ by the same ${toShort(Math.abs(estimate))} on all ${n} ${unit}: there is no spread to judge by`
}

function toWaitingReason(finding: Finding, names: ArmNames): string {
  const missing = finding.gates.filter(gate => !gate.passed)
  const details = missing.map(gate => gate.detail).join('; ')
  if (!finding.dependent) return `Too early to decide: ${details}`
  const why = `losses of a series depend on each other, so it cannot decide: ${details}`
  return missing.length === 1 && missing[0] === finding.gates.at(-1)
    ? `Provisional: ${names.b}'s ${toGap(finding, names)}; ${why}`
    : `Too early to say: ${why}`
}

/** "mean loss is 8–31 % lower", or in units of the loss where A's mean is unknown or zero. */
function toGap({ bounds }: Finding, { loss, meanLossA: mean }: ArmNames): string {
  // A loss below zero is a value turned round: less of it is more value.
  const isValue = mean !== undefined && mean < 0
  const noun = isValue ? 'mean value' : (loss ?? 'mean loss')
  const [better, worse] = isValue ? ['higher', 'lower'] : ['lower', 'higher']
  if (bounds === undefined) return `${noun} is unknown`
  const isRelative = mean !== undefined && mean !== 0 && Number.isFinite(mean)
  const scale = isRelative ? 100 / Math.abs(mean) : 1
  const unit = isRelative ? ' %' : ''
  const { lower, upper } = { lower: bounds.lower * scale, upper: bounds.upper * scale }
  if (lower >= 0) return `${noun} is ${toRange(lower, upper)}${unit} ${better}`
  if (upper <= 0) return `${noun} is ${toRange(-upper, -lower)}${unit} ${worse}`
  return `${noun} is between ${toShort(-lower)}${unit} ${worse} and ${toShort(upper)}${unit} ${better}`
}

function toRange(low: number, high: number): string {
  const [from, to] = [toShort(low), toShort(high)]
  return from === to ? from : `${from}–${to}`
}

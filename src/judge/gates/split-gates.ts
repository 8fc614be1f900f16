import { type Arms, type Counted, type EpochCounts, isComparable } from '../sequence/estimate.ts'
import type { Gate, RaceRule } from '../verdict/race.ts'
import { toPercent } from '../verdict/words.ts'
import { toRatioEvidence } from './counts.ts'
import { type Repeats, toCountGate, toRepeatsGate } from './gate.ts'

/** Chance of a false alarm of the two ratio checks. */
const RATIO_ALPHA = 0.001
/** Below this share the sums of the small arm are too skewed for the usual number of labels. */
const SMALL_SHARE = 0.3

type Epoch = EpochCounts & Arms<Counted>

/**
 * The gates of two arms with different labels; `unit` is what their sums count. Where losses are summed by entity,
 * one that keeps coming is one unit, and labels are not shared as the weights say.
 */
export function toSplitGates(epochs: readonly Epoch[], unit: 'labels' | 'entities', rule: RaceRule): readonly Gate[] {
  const used = epochs.filter(isComparable)
  const sum = (of: (epoch: Epoch) => number): number => used.reduce((total, epoch) => total + of(epoch), 0)
  const share = Math.min(0.5, ...used.map(toSmallerShare))
  const labels = { a: sum(epoch => epoch.a.count), b: sum(epoch => epoch.b.count) }
  const events = { a: sum(epoch => epoch.eventsA), b: sum(epoch => epoch.eventsB) }
  const wanted = share < SMALL_SHARE ? 200 : 100
  return [
    toCountGate(`${unit} of A`, labels.a, wanted),
    toCountGate(`${unit} of B`, labels.b, wanted),
    ...(share < SMALL_SHARE ? toSmallShareGates({ share, labels, events }, rule) : []),
    ...toRatioGates(epochs, unit),
    ...(unit === 'labels' ? [toRepeatsGate(toRepeats(epochs), 'predictions')] : []),
  ]
}

/** By the weights, or by what was served where nobody says the weights. */
function toSmallerShare({ weightB, servedA, servedB }: Epoch): number {
  const share = weightB ?? servedB / (servedA + servedB)
  return Math.min(share, 1 - share)
}

interface SmallShare {
  readonly share: number
  readonly labels: { readonly a: number; readonly b: number }
  readonly events: { readonly a: number; readonly b: number }
}

/** Rare events must have been seen in both arms; of an unbounded loss the worst label may not have been seen yet. */
function toSmallShareGates({ share, labels, events }: SmallShare, rule: RaceRule): readonly Gate[] {
  const isMostlyZero = events.a <= labels.a / 2 && events.b <= labels.b / 2
  if (rule.binary || isMostlyZero)
    return [toCountGate('events of A', events.a, 25), toCountGate('events of B', events.b, 25)]
  if (rule.boundedLoss === true) return []
  const wanted = 'a share of at least 30 %, a shadow, or a cap wanted for a loss without bounds'
  return [{ name: 'balance', passed: false, detail: `${wanted}, ${toPercent(share)} found` }]
}

/** Whether chance shared the requests, and the truth its labels, as the weights say. */
function toRatioGates(epochs: readonly Epoch[], unit: 'labels' | 'entities'): readonly Gate[] {
  const drawn = epochs.flatMap(({ weightB, ...counts }) =>
    weightB === undefined || weightB <= 0 || weightB >= 1 ? [] : [{ ...counts, weightB }],
  )
  if (drawn.length === 0 && epochs.some(({ weightB }) => weightB === undefined)) return []
  const labelled = drawn.filter(epoch => isOneLabelPerRequest(epoch) && epoch.redrawn !== true)
  const requests = unit === 'labels' ? 'requests' : 'entities'
  return [
    toRatioGate(
      'sample ratio',
      requests,
      drawn.map(({ servedA, servedB, weightB }) => ({ a: servedA, b: servedB, weightB })),
    ),
    toRatioGate(
      'label ratio',
      unit,
      labelled.map(({ a, b, weightB }) => ({ a: a.count, b: b.count, weightB })),
    ),
  ]
}

interface Shared {
  readonly a: number
  readonly b: number
  readonly weightB: number
}

function toRatioGate(name: string, what: string, epochs: readonly Shared[]): Gate {
  const sum = (of: (epoch: Shared) => number): number => epochs.reduce((total, epoch) => total + of(epoch), 0)
  const evidence = sum(({ a, b, weightB }) => toRatioEvidence([a, b], [1 - weightB, weightB]))
  const expected = Math.round(sum(({ a, b, weightB }) => weightB * (a + b)))
  const found = sum(({ b }) => b)
  return {
    name,
    passed: evidence < -Math.log(RATIO_ALPHA),
    detail: `${what} as the weights say wanted (B ${expected} of ${sum(({ a, b }) => a + b)}), B ${found} found`,
  }
}

/** Labels of the rows of one batch come together: they say nothing about the draw of single requests. */
function isOneLabelPerRequest({
  a,
  b,
  servedA,
  servedB,
}: (EpochCounts & Arms<Counted>) | Omit<Epoch, 'weightB'>): boolean {
  return a.count <= servedA && b.count <= servedB
}

/** Sticky entities that keep coming are drawn once but counted often. */
function toRepeats(epochs: readonly Epoch[]): Repeats {
  const repeated = epochs.reduce((sum, epoch) => sum + epoch.repeated, 0)
  return { repeated, of: epochs.reduce((sum, epoch) => sum + epoch.servedA + epoch.servedB, repeated) }
}

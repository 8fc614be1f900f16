import { toRatioEvidence } from './counts.ts'
import { type Arms, type Counted, type EpochCounts, isComparable } from './estimate.ts'
import { type Repeats, toCountGate, toRepeatsGate } from './gate.ts'
import type { Gate, RaceRule } from './race.ts'

/** Chance of a false alarm of the two ratio checks. */
const RATIO_ALPHA = 0.001
/** Below this share the sums of the small arm are too skewed for the usual number of labels. */
const SMALL_SHARE = 0.3
/** Labels of each arm that a verdict wants at other shares. */
const LABELS = 100

type Epoch = EpochCounts & Arms<Counted>

/**
 * The gates of two arms with different labels; `unit` is what their sums count. Where losses are summed by entity,
 * one that keeps coming is one unit, and labels are not shared as the weights say.
 */
export function toSplitGates(epochs: readonly Epoch[], unit: 'labels' | 'entities', rule: RaceRule): readonly Gate[] {
  const used = toCompared(epochs, rule)
  const { labels } = toTotals(used)
  const isSmall = used.some(epoch => !isBalanced(epoch))
  const wanted = isSmall ? 2 * LABELS : LABELS
  return [
    toCountGate(`${unit} of A`, labels.a, wanted),
    toCountGate(`${unit} of B`, labels.b, wanted),
    ...(isSmall ? toSmallShareGates(used, unit, rule) : []),
    ...toRatioGates(epochs, unit),
    ...(unit === 'labels' ? [toRepeatsGate(toRepeats(epochs), 'predictions')] : []),
  ]
}

/**
 * The epochs that are compared: those with labels of both arms. Of a loss without bounds an arm with a small share says
 * too little; so where others alone have labels enough, such as at the end of a ramp, they alone are.
 */
export function toCompared<epoch extends Epoch>(epochs: readonly epoch[], rule: RaceRule): readonly epoch[] {
  const comparable = epochs.filter(isComparable)
  if (!isOpen(comparable, rule)) return comparable
  const balanced = comparable.filter(isBalanced)
  return toLeast(balanced) >= LABELS ? balanced : comparable
}

/** Whether the worst label may be still to come, and outweigh all others. */
function isOpen(epochs: readonly Epoch[], rule: RaceRule): boolean {
  return !rule.binary && rule.boundedLoss !== true && !isMostlyZero(epochs)
}

function isMostlyZero(epochs: readonly Epoch[]): boolean {
  const { labels, events } = toTotals(epochs)
  return events.a <= labels.a / 2 && events.b <= labels.b / 2
}

function toTotals(epochs: readonly Epoch[]) {
  const sum = (of: (epoch: Epoch) => number): number => epochs.reduce((total, epoch) => total + of(epoch), 0)
  return {
    labels: { a: sum(epoch => epoch.a.count), b: sum(epoch => epoch.b.count) },
    events: { a: sum(epoch => epoch.eventsA), b: sum(epoch => epoch.eventsB) },
  }
}

/** Labels of the arm that has fewer. */
function toLeast(epochs: readonly Epoch[]): number {
  const { labels } = toTotals(epochs)
  return Math.min(labels.a, labels.b)
}

/** Also where nobody knows how requests were shared. */
function isBalanced(epoch: Epoch): boolean {
  return !(toSmallerShare(epoch) < SMALL_SHARE)
}

/** By the weights, or by what was served where nobody says the weights. */
function toSmallerShare({ weightB, servedA, servedB }: Epoch): number {
  const share = weightB ?? servedB / (servedA + servedB)
  return Math.min(share, 1 - share)
}

/** Rare events must have been seen in both arms; of an unbounded loss the worst label may not have been seen yet. */
function toSmallShareGates(epochs: readonly Epoch[], unit: string, rule: RaceRule): readonly Gate[] {
  const { events } = toTotals(epochs)
  if (isOpen(epochs, rule)) return [toBalanceGate(toLeast(epochs.filter(isBalanced)), unit)]
  if (rule.boundedLoss === true && !rule.binary && !isMostlyZero(epochs)) return []
  return [toCountGate('events of A', events.a, 25), toCountGate('events of B', events.b, 25)]
}

function toBalanceGate(found: number, unit: string): Gate {
  const wanted = `${LABELS} ${unit} of each arm at a share of at least 30 %, a shadow, or a cap wanted`
  return { name: 'balance', passed: false, detail: `${wanted} for a loss without bounds, ${found} found` }
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

import { type BlockedEstimate, toMoments } from './blocking.ts'
import { toRatioEvidence } from './counts.ts'
import { type Estimate, isComparable, type SplitEpoch } from './estimate.ts'
import type { DependentEvidence, PairedEvidence, SplitEvidence } from './evidence.ts'
import type { Gate, RaceRule } from './race.ts'

/*
 * The readiness rules. Every threshold comes from simulations of 2000 null races that were looked at after every
 * label: with it the false winners stayed below the promised 5 %, without it they did not (17–60 % for skewed losses
 * in a small split, 57–100 % for dependent losses).
 */

/** Chance of a false alarm of the two ratio checks. */
const RATIO_ALPHA = 0.001
/** Below this share the sums of the small arm are too skewed for the usual number of labels. */
const SMALL_SHARE = 0.3
/** Lag-1 autocorrelation of the coarsest blocks up to which they pass for independent. */
const MAX_R1 = 0.3

/** The gates of paired losses. */
export function toPairedGates(evidence: PairedEvidence, rule: RaceRule): readonly Gate[] {
  const gates = [toCountGate('pairs', evidence.moments.count, 100), toDominanceGate(evidence.dominance)]
  return rule.binary ? [...gates, toCountGate('discordant pairs', evidence.discordant, 10)] : gates
}

/** The gates of a split. */
export function toSplitGates({ epochs }: SplitEvidence, rule: RaceRule): readonly Gate[] {
  const used = epochs.filter(isComparable)
  const sum = (of: (epoch: SplitEpoch) => number): number => used.reduce((total, epoch) => total + of(epoch), 0)
  const share = Math.min(0.5, ...used.map(({ weightB }) => Math.min(weightB, 1 - weightB)))
  const labels = { a: sum(epoch => epoch.a.count), b: sum(epoch => epoch.b.count) }
  const events = { a: sum(epoch => epoch.eventsA), b: sum(epoch => epoch.eventsB) }
  const wanted = share < SMALL_SHARE ? 200 : 100
  return [
    toCountGate('labels of A', labels.a, wanted),
    toCountGate('labels of B', labels.b, wanted),
    ...(share < SMALL_SHARE ? toSmallShareGates({ share, labels, events }, rule) : []),
    toRatioGate('sample ratio', 'requests', epochs, ({ servedA, servedB }) => [servedA, servedB]),
    toRatioGate('label ratio', 'labels', epochs.filter(isOneLabelPerRequest), ({ a, b }) => [a.count, b.count]),
    toRepeatsGate(epochs),
  ]
}

/** The gates of dependent losses. The last alone is missing where a first, provisional answer can be given. */
export function toDependentGates(evidence: DependentEvidence, blocked: BlockedEstimate): readonly Gate[] {
  const { r1Top } = blocked
  const quiet: Gate = {
    name: 'independent blocks',
    passed: r1Top !== undefined && r1Top <= MAX_R1,
    detail:
      r1Top === undefined
        ? `30 blocks wanted, ${blocked.levels[0]?.blocks ?? 0} found`
        : `autocorrelation of the longest blocks up to ${MAX_R1} wanted, ${r1Top.toFixed(2)} found`,
  }
  return [
    toCountGate('first labels', blocked.n, 100),
    quiet,
    toDominanceGate(toDominance(evidence.differences)),
    toCountGate('labels', blocked.n, 1000),
  ]
}

/** Fails: sums tell nothing of how the losses of a series depend on each other. */
export const orderGate: Gate = {
  name: 'order',
  passed: false,
  detail: 'pairs in the order of time (a shadow) wanted, because losses of a series depend on each other, sums found',
}

/** Fails where a sum has overflowed. */
export function toFiniteGate({ estimate, se }: Estimate): Gate {
  const passed = Number.isFinite(estimate) && Number.isFinite(se)
  return {
    name: 'finite sums',
    passed,
    detail: `finite sums wanted, ${passed ? 'found' : 'a loss too large to be squared found'}`,
  }
}

function toCountGate(name: string, found: number, wanted: number): Gate {
  return { name, passed: found >= wanted, detail: `${wanted} ${name} wanted, ${found} found` }
}

function toDominanceGate(dominance: number): Gate {
  const found = `${Math.round(dominance * 100)} % found`
  return {
    name: 'dominance',
    passed: dominance < 0.2,
    detail: `less than 20 % of the spread from one label wanted, ${found}`,
  }
}

function toDominance(differences: Float64Array): number {
  const { mean, m2 } = toMoments(differences)
  return m2 === 0 ? 0 : differences.reduce((most, d) => Math.max(most, (d - mean) ** 2), 0) / m2
}

interface SmallShare {
  readonly share: number
  readonly labels: { readonly a: number; readonly b: number }
  readonly events: { readonly a: number; readonly b: number }
}

/** Rare events must have been seen in both arms; of a continuous loss the worst label may not have been seen yet. */
function toSmallShareGates({ share, labels, events }: SmallShare, rule: RaceRule): readonly Gate[] {
  const isMostlyZero = events.a <= labels.a / 2 && events.b <= labels.b / 2
  if (rule.binary || isMostlyZero)
    return [toCountGate('events of A', events.a, 25), toCountGate('events of B', events.b, 25)]
  const found = `${Math.round(share * 100)} % found`
  return [
    {
      name: 'balance',
      passed: false,
      detail: `a share of at least 30 %, or a shadow, wanted for a continuous loss, ${found}`,
    },
  ]
}

function toRatioGate(
  name: string,
  what: string,
  epochs: readonly SplitEpoch[],
  toCounts: (epoch: SplitEpoch) => readonly [number, number],
): Gate {
  const drawn = epochs.filter(({ weightB }) => weightB > 0 && weightB < 1)
  const evidence = drawn.reduce(
    (sum, epoch) => sum + toRatioEvidence(toCounts(epoch), [1 - epoch.weightB, epoch.weightB]),
    0,
  )
  const [a, b] = drawn.map(toCounts).reduce(([sumA, sumB], [inA, inB]) => [sumA + inA, sumB + inB], [0, 0])
  const expected = drawn.reduce((sum, epoch) => sum + epoch.weightB * (toCounts(epoch)[0] + toCounts(epoch)[1]), 0)
  return {
    name,
    passed: evidence < -Math.log(RATIO_ALPHA),
    detail: `${what} as the weights say wanted (B ${Math.round(expected)} of ${a + b}), B ${b} found`,
  }
}

/** Labels of the rows of one batch come together: they say nothing about the draw of single requests. */
function isOneLabelPerRequest({ a, b, servedA, servedB }: SplitEpoch): boolean {
  return a.count <= servedA && b.count <= servedB
}

/** Sticky entities that keep coming are drawn once but counted often: 55 % false winners where that is ignored. */
function toRepeatsGate(epochs: readonly SplitEpoch[]): Gate {
  const repeated = epochs.reduce((sum, epoch) => sum + epoch.repeated, 0)
  const first = epochs.reduce((sum, epoch) => sum + epoch.servedA + epoch.servedB, 0)
  return {
    name: 'entities',
    passed: repeated <= 0.05 * (first + repeated),
    detail: `at most 5 % of the predictions for an entity that had one before wanted, ${repeated} of ${first + repeated} found`,
  }
}

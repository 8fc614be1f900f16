import { toRatioEvidence } from '../../src/judge/gates/counts.ts'
import { toSplitEstimate } from '../../src/judge/sequence/estimate.ts'
import { addToCap, applyCap, type CapState, emptyCap } from '../../src/judge/sums/cap.ts'
import { emptyMoments, fold, type Moments } from '../../src/judge/sums/moments.ts'
import { ENOUGH, REACH, Z } from './paired.ts'
import type { Random } from './random.ts'
import { type Column, LABELS, type Scenario, toColumn } from './scenario.ts'

/** A loss of either arm. */
type Draw = (random: Random) => number

const square = (x: number): number => x * x
const normal: Draw = random => random.normal()
const squared: Draw = random => square(random.normal())
const heavy: Draw = random => Math.exp(1.5 * random.normal()) * square(random.normal())
const tenth: Draw = random => Number(random.uniform() < 0.1)
const rare: Draw = random => Number(random.uniform() < 0.02)
/** One in twenty buys, for a log-normal sum. */
const value: Draw = random => (random.uniform() < 0.05 ? -Math.exp(random.normal()) : 0)

/** The sums of a split that grows label by label. */
interface Arms {
  readonly a: Moments
  readonly b: Moments
  readonly eventsA: number
  readonly eventsB: number
}

/** A way of judging: whether the arms name a winner now. */
interface Method {
  readonly column: Column
  readonly isFound: (arms: Arms, n: number, z: number) => boolean
}

const smaller = ({ a, b }: Arms): number => Math.min(a.count, b.count)
const fewer = ({ eventsA, eventsB }: Arms): number => Math.min(eventsA, eventsB)
const isBeyond = (n: number, z: number): boolean => z > (REACH[n] ?? 0)

const peeked = (reference: number): Method => ({
  column: toColumn('t, every label', reference),
  isFound: (_arms, n, z) => n >= 100 && z > Z,
})
const hourly = (reference: number): Method => ({
  column: toColumn('t, every 100', reference),
  isFound: (_arms, n, z) => n >= 100 && n % 100 === 0 && z > Z,
})
const once = (reference: number): Method => ({
  column: toColumn('t, once', reference),
  isFound: (_arms, n, z) => n === LABELS && z > Z,
})
const fromTotal = (labels: number, reference: number): Method => ({
  column: toColumn(`from ${labels} in total`, reference),
  isFound: (_arms, n, z) => n >= labels && isBeyond(n, z),
})
const fromArm = (labels: number, reference: number): Method => ({
  column: toColumn(`arm ≥ ${labels}`, reference),
  isFound: (arms, n, z) => smaller(arms) >= labels && isBeyond(n, z),
})
const fromEvents = (events: number, reference: number | undefined): Method => ({
  column: toColumn(`events ≥ ${events}`, reference),
  isFound: (arms, n, z) => fewer(arms) >= events && isBeyond(n, z),
})
/** What the race asks of rare events in a small share. */
const gated: Method = {
  column: toColumn('arm ≥ 200, events ≥ 25', undefined),
  isFound: (arms, n, z) => smaller(arms) >= 200 && fewer(arms) >= 25 && isBeyond(n, z),
}
const conversions = (weightB: number, reference: number): Method => {
  let last = { eventsA: -1, eventsB: -1, isFound: false }
  return {
    column: toColumn('conversions only', reference),
    isFound({ eventsA, eventsB }) {
      // Most labels are no events: they leave the evidence as it was.
      if (eventsA !== last.eventsA || eventsB !== last.eventsB) {
        const isFound = toRatioEvidence([eventsA, eventsB], [1 - weightB, weightB]) >= ENOUGH
        last = { eventsA, eventsB, isFound }
      }
      return last.isFound
    },
  }
}

const HALF = 0.5
const CANARY = 0.05

/** The rows of splits. */
export const SPLIT: readonly Scenario[] = [
  toScenario('split', 'split normal', normal, HALF, toHalf([0.4945, 0.3775, 0.053, 0.043])),
  toScenario('split', 'split squared error', squared, HALF, toHalf([0.4635, 0.3595, 0.057, 0.028])),
  toScenario('split', 'split heavy', heavy, HALF, toHalf([0.4195, 0.344, 0.044, 0.0155])),
  toScenario('split', 'split 0/1, 10 %', tenth, HALF, toHalf([0.489, 0.3905, 0.0415, 0.044], 0.024)),
  toScenario('split', 'split 0/1, 2 %', rare, HALF, toHalf([0.437, 0.366, 0.0555, 0.023], 0.006)),
  toScenario('split', 'split value', value, HALF, toHalf([0.403, 0.3365, 0.042, 0.0145])),
  toScenario('5 % canary', 'normal', normal, CANARY, toCanary([0.0905, 0.035, 0.016, 0.0095])),
  toScenario('5 % canary', 'squared error', squared, CANARY, toCanary([0.279, 0.0885, 0.0375, 0.0175])),
  toScenario('5 % canary', 'heavy', heavy, CANARY, toCanary([0.4475, 0.303, 0.1745, 0.112])),
  toScenario('5 % canary', '0/1, 10 %', tenth, CANARY, [
    ...toCanary([0.552, 0.1155, 0.04, 0.018]),
    ...[fromEvents(10, 0.0185), conversions(CANARY, 0.022), gated],
  ]),
  toScenario('5 % canary', '0/1, 2 %', rare, CANARY, [
    ...toCanary([0.6, 0.535, 0.166, 0.072]),
    ...[fromEvents(10, 0), conversions(CANARY, 0.0035), gated],
  ]),
  toScenario('5 % canary', 'value', value, CANARY, [...toCanary([0.525, 0.4285, 0.2315, 0.136]), gated]),
  toCapped('heavy, capped at q95', heavy, 0.95, toColumn('arm ≥ 200', 0.017, 1000), arms => smaller(arms) >= 200),
  toCapped('value, capped at q99', value, 0.99, toColumn('events ≥ 25', 0.002, 1000), arms => fewer(arms) >= 25),
]

function toHalf(references: readonly [number, number, number, number], only?: number): readonly Method[] {
  const [label, hundred, end, arm] = references
  const methods = [peeked(label), hourly(hundred), once(end), fromArm(100, arm)]
  return only === undefined ? methods : [...methods, conversions(HALF, only)]
}

function toCanary(references: readonly [number, number, number, number]): readonly Method[] {
  const [total, ...arms] = references
  return [fromTotal(100, total), ...[30, 100, 200].map((labels, i) => fromArm(labels, arms[i] ?? Number.NaN))]
}

function toScenario(table: string, name: string, draw: Draw, weightB: number, methods: readonly Method[]): Scenario {
  const columns = methods.map(({ column }) => column)
  return { table, name, columns, run: random => runSplit(random, draw, weightB, methods) }
}

function runSplit(random: Random, draw: Draw, weightB: number, methods: readonly Method[]): readonly boolean[] {
  const found = methods.map(() => false)
  let arms: Arms = { a: emptyMoments, b: emptyMoments, eventsA: 0, eventsB: 0 }
  for (let n = 1; n <= LABELS; n++) {
    arms = addTo(arms, random.uniform() < weightB, draw(random))
    if (n < 20 || smaller(arms) < 2) continue
    const { estimate, se } = toSplitEstimate(arms.a, arms.b)
    const z = se > 0 ? Math.abs(estimate) / se : 0
    for (const [i, { isFound }] of methods.entries()) found[i] ||= isFound(arms, n, z)
  }
  return found
}

function addTo(arms: Arms, isB: boolean, loss: number): Arms {
  const event = Number(loss !== 0)
  return isB
    ? { a: arms.a, b: fold(arms.b, loss), eventsA: arms.eventsA, eventsB: arms.eventsB + event }
    : { a: fold(arms.a, loss), b: arms.b, eventsA: arms.eventsA + event, eventsB: arms.eventsB }
}

function toCapped(
  name: string,
  draw: Draw,
  quantile: number,
  column: Column,
  isReady: (arms: Arms) => boolean,
): Scenario {
  return { table: '5 % canary', name, columns: [column], run: random => [runCapped(random, draw, quantile, isReady)] }
}

function runCapped(random: Random, draw: Draw, quantile: number, isReady: (arms: Arms) => boolean): boolean {
  let cap: CapState = emptyCap(quantile)
  let arms: Arms = { a: emptyMoments, b: emptyMoments, eventsA: 0, eventsB: 0 }
  for (let n = 1; n <= LABELS; n++) {
    const isB = random.uniform() < CANARY
    const raw = draw(random)
    if (cap.cap === undefined) {
      if (!isB) cap = addToCap(cap, raw)
      continue
    }
    const { loss, state } = applyCap(cap, raw)
    cap = state
    arms = addTo(arms, isB, loss)
    if (!isReady(arms)) continue
    const { estimate, se, n: judged } = toSplitEstimate(arms.a, arms.b)
    if (se > 0 && isBeyond(judged, Math.abs(estimate) / se)) return true
  }
  return false
}

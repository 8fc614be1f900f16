import { addToBlocks, emptyBlocks, toBlockedEstimate } from '../../src/judge/sequence/blocking.ts'
import { emptyMoments, fold, variance } from '../../src/judge/sums/moments.ts'
import { makeDoublingBatchMeans, makeFixedBlocks, makeHac, type SeriesError } from '../../src/judge/testing/rejected.ts'
import { REACH, Z } from './paired.ts'
import type { Random } from './random.ts'
import { LABELS, type Scenario, toColumn } from './scenario.ts'

/** The next number of a series, which remembers those before. */
type Series = (random: Random) => () => number

/** Lag-1 autocorrelation up to which the race decides. */
const MAX_R1 = 0.3
/** Numbers that a series forgets its start in. */
const BURN_IN = 500

function toAr(memory: readonly number[], toNoise: (random: Random) => () => number = random => random.normal): Series {
  return random => {
    const noise = toNoise(random)
    let [last, before] = [0, 0]
    const next = (): number => {
      const x = (memory[0] ?? 0) * last + (memory[1] ?? 0) * before + noise()
      ;[before, last] = [last, x]
      return x
    }
    for (let i = 0; i < BURN_IN; i++) next()
    return next
  }
}

function toMovingSum(length: number): Series {
  return random => {
    const window = Float64Array.from({ length }, random.normal)
    let [sum, at] = [window.reduce((total, x) => total + x, 0), 0]
    return () => {
      const x = random.normal()
      sum += x - (window[at] ?? 0)
      window[at] = x
      at = (at + 1) % length
      return sum
    }
  }
}

const cycle: Series = random => {
  let hour = 0
  return () => Math.sin((2 * Math.PI * hour++) / 24) + random.normal()
}

/** Noise whose size depends on that of the noise before. */
function toGarch(random: Random): () => number {
  let [spread, last] = [1, 0]
  return () => {
    spread = 0.05 + 0.1 * last * last + 0.85 * spread
    last = Math.sqrt(spread) * random.normal()
    return last
  }
}

/** Student's t with 4 degrees of freedom. */
function toHeavy(random: Random): () => number {
  return () => {
    const square = random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2
    return random.normal() / Math.sqrt(square / 4)
  }
}

const TUNED = [
  't, every label',
  'as independent',
  'HAC, every 100',
  'block 24',
  'block 48',
  'block 96',
  'doubling',
  'dyadic, 100',
]
const TUNED_COLUMNS = [...TUNED, 'with gate, 100', 'dyadic, 1000', 'with gate, 1000']

/** The rows of dependent losses. */
export const SERIES: readonly Scenario[] = [
  toTuned('independent', toAr([]), [0.5065, 0.0405, 0.04, 0.034, 0.0275, 0.021, 0.0415, 0.0225, 0.0225, 0.013]),
  toTuned('AR .5', toAr([0.5]), [0.9755, 0.573, 0.0525, 0.0375, 0.027, 0.015, 0.246, 0.0305, 0.029, 0.0135]),
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: a rate that happens to be near ln 2.
  toTuned('AR .8', toAr([0.8]), [1, 0.972, 0.1235, 0.0795, 0.04, 0.023, 0.693, 0.0975, 0.066, 0.0245]),
  toTuned('AR .95', toAr([0.95]), [1, 1, 0.5265, 0.324, 0.109, 0.039, 0.9855, 0.41, 0.0645, 0.0535]),
  toTuned('MA(24)', toMovingSum(24), [1, 1, 0.299, 0.1155, 0.0475, 0.021, 0.9475, 0.2665, 0.0405, 0.028]),
  toTuned('daily cycle', cycle, [0.3045, 0.0055, 0.0105, 0.041, 0.028, 0.017, 0.002, 0, 0, 0]),
  toHeldOut('AR .7', toAr([0.7]), [0.893, 0.05, 0.039, 0.021]),
  toHeldOut('AR .9', toAr([0.9]), [1, 0.089, 0.082, 0.043]),
  toHeldOut('MA(12)', toMovingSum(12), [0.996, 0.038, 0.03, 0.021]),
  toHeldOut('AR(2) cycle', toAr([1.2, -0.5]), [0.584, 0.009, 0.005, 0.001]),
  toHeldOut('AR .6 + GARCH', toAr([0.6], toGarch), [0.754, 0.035, 0.026, 0.012]),
  toHeldOut('AR .5, t(4)', toAr([0.5], toHeavy), [0.549, 0.045, 0.035, 0.024]),
]

function toTuned(name: string, series: Series, references: readonly number[]): Scenario {
  const columns = TUNED_COLUMNS.map((column, i) => toColumn(column, references[i]))
  return { table: 'dependent', name, columns, run: random => runTuned(series(random)) }
}

/** Processes that the rule was not made by. */
function toHeldOut(name: string, series: Series, references: readonly number[]): Scenario {
  const names = ['as independent', 'rule from 100', 'from 300', 'from 1000']
  const columns = names.map((column, i) => toColumn(column, references[i], 1000))
  return { table: 'dependent, held out', name, columns, run: random => runHeldOut(series(random)) }
}

function runTuned(next: () => number): readonly boolean[] {
  const found = TUNED_COLUMNS.map(() => false)
  const others: readonly { readonly series: SeriesError; readonly from: number; readonly every: number }[] = [
    // Its cost at every label is why the reference looked at it less often: rates agree at one look in 100 labels.
    { series: makeHac(LABELS), from: 100, every: 100 },
    ...[24, 48, 96].map(length => ({ series: makeFixedBlocks(length), from: 30 * length, every: 1 })),
    { series: makeDoublingBatchMeans(256), from: 100, every: 1 },
  ]
  let [blocks, moments] = [emptyBlocks(), emptyMoments]
  for (let n = 1; n <= LABELS; n++) {
    const x = next()
    blocks = addToBlocks(blocks, x)
    moments = fold(moments, x)
    others.forEach(({ series }, i) => {
      if (!found[2 + i]) series.add(x)
    })
    if (n < 100) continue
    const reach = REACH[n] ?? 0
    const plain = Math.abs(moments.mean) / Math.sqrt(variance(moments) / n)
    found[0] ||= plain > Z
    found[1] ||= plain > reach
    others.forEach(({ series, from, every }, i) => {
      found[2 + i] ||= n >= from && n % every === 0 && Math.abs(series.mean()) > reach * series.se()
    })
    // The blocks' standard error is never smaller than the plain one.
    if (plain <= reach || (found[7] && found[8] && found[9] && found[10])) continue
    const { estimate, r1Top = 1, se } = toBlockedEstimate(blocks)
    const isBeyond = Math.abs(estimate) > reach * se
    const isQuiet = r1Top <= MAX_R1
    found[7] ||= isBeyond
    found[8] ||= isBeyond && isQuiet
    found[9] ||= isBeyond && n >= 1000
    found[10] ||= isBeyond && isQuiet && n >= 1000
  }
  return found
}

function runHeldOut(next: () => number): readonly boolean[] {
  const found = [false, false, false, false]
  let [blocks, moments] = [emptyBlocks(), emptyMoments]
  for (let n = 1; n <= LABELS; n++) {
    const x = next()
    blocks = addToBlocks(blocks, x)
    moments = fold(moments, x)
    if (n < 100) continue
    const reach = REACH[n] ?? 0
    if (Math.abs(moments.mean) <= reach * Math.sqrt(variance(moments) / n)) continue
    found[0] = true
    const { estimate, r1Top = 1, se } = toBlockedEstimate(blocks)
    const isFound = Math.abs(estimate) > reach * se && r1Top <= MAX_R1
    found[1] ||= isFound
    found[2] ||= isFound && n >= 300
    found[3] ||= isFound && n >= 1000
  }
  return found
}

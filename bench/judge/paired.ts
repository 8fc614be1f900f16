import { toRatioEvidence } from '../../src/judge/gates/counts.ts'
import { emptyBounded, foldBounded, toBoundedEvidence } from '../../src/judge/sequence/bounded.ts'
import { toPairedEstimate } from '../../src/judge/sequence/estimate.ts'
import { toMultiplier } from '../../src/judge/sequence/multiplier.ts'
import { emptyMoments, fold } from '../../src/judge/sums/moments.ts'
import type { Random } from './random.ts'
import { LABELS, RULE, type Scenario, toColumn } from './scenario.ts'

/** How many standard errors the sequence reaches, by labels. */
export const REACH = Float64Array.from({ length: LABELS + 1 }, (_, n) => (n === 0 ? Infinity : toMultiplier(n, RULE)))
/** The normal quantile that a test at one look uses. */
export const Z = 1.959963984540054
/** Evidence at which a winner is named. */
export const ENOUGH = -Math.log(RULE.alpha)

const COLUMNS = ['t, every label', 't, every 100', 't, once', 'from 100', 'from 20'] as const

/** Losses of two variants on one label; equal in distribution. */
type Pair = (random: Random) => readonly [number, number]

/** Two normal numbers that go together. */
function toTwins({ normal }: Random, correlation: number): readonly [number, number] {
  const x = normal()
  return [x, correlation * x + Math.sqrt(1 - correlation * correlation) * normal()]
}

const square = (x: number): number => x * x
/** Normal quantile of 10 %. */
const TENTH = -1.2815515655446004

const normal: Pair = random => toTwins(random, 0.8)
const squared: Pair = random => {
  const [a, b] = toTwins(random, 0.9)
  return [square(a), square(b)]
}
const heavy: Pair = random => {
  const size = Math.exp(1.5 * random.normal())
  const [a, b] = squared(random)
  return [size * a, size * b]
}
const zeroOne: Pair = random => {
  const [a, b] = toTwins(random, 0.9)
  return [Number(a < TENTH), Number(b < TENTH)]
}

/** The rows of paired races. */
export const PAIRED: readonly Scenario[] = [
  toPairedScenario('paired normal', normal, [0.4915, 0.373, 0.042, 0.0365, 0.0365]),
  toPairedScenario('paired squared error', squared, [0.5025, 0.387, 0.055, 0.036, 0.0365]),
  toPairedScenario('paired heavy', heavy, [0.4125, 0.342, 0.0415, 0.0145, 0.0145]),
  toPairedScenario('paired 0/1, 10 %', zeroOne, [0.4415, 0.359, 0.0505, 0.0305, 0.0305]),
  {
    table: 'pairs, exact',
    name: 'paired 0/1, 10 %',
    columns: [toColumn('empirical Bernstein', 0.004), toColumn('win rate', 0.0365)],
    run: runExact,
  },
]

function toPairedScenario(name: string, draw: Pair, references: readonly number[]): Scenario {
  const columns = COLUMNS.map((column, i) => toColumn(column, references[i]))
  return { table: 'pairs', name, columns, run: random => runPaired(random, draw) }
}

function runPaired(random: Random, draw: Pair): readonly boolean[] {
  const found = [false, false, false, false, false]
  let moments = emptyMoments
  for (let n = 1; n <= LABELS; n++) {
    const [a, b] = draw(random)
    moments = fold(moments, a - b)
    if (n < 20) continue
    const { estimate, se } = toPairedEstimate(moments)
    const size = Math.abs(estimate)
    const isBeyond = se > 0 && size > (REACH[n] ?? 0) * se
    found[4] ||= isBeyond
    if (n < 100) continue
    const isSignificant = se > 0 && size > Z * se
    found[0] ||= isSignificant
    found[1] ||= isSignificant && n % 100 === 0
    found[2] = isSignificant
    found[3] ||= isBeyond
  }
  return found
}

function runExact(random: Random): readonly boolean[] {
  const rule = { ...RULE, reach: 1 }
  const found = [false, false]
  let state = emptyBounded
  let [wins, losses] = [0, 0]
  for (let n = 1; n <= LABELS; n++) {
    const [a, b] = zeroOne(random)
    state = foldBounded(state, a - b)
    if (a === b) continue
    if (a > b) wins += 1
    else losses += 1
    found[0] ||= toBoundedEvidence(state, rule) >= ENOUGH
    found[1] ||= toRatioEvidence([wins, losses], [0.5, 0.5], 1) >= ENOUGH
  }
  return found
}

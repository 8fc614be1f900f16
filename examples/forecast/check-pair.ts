// Shows that the model that looks better on history is the worse one on new live data: node check-pair.ts [SEEDS]
// Trains both for several seeds (about 90 s each) and lets 4000 independent walks decide, as a race would.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { emptyMoments, fold, judgeRace, type RaceRule } from '../../src/judge/index.ts'
import { type Network, toNetwork } from './network.ts'
import { predict } from './rnn.ts'
import { parseCsv } from './series.ts'
import { trainNetwork } from './training.ts'
import { toWalk } from './walks.ts'
import { STEPS, toWindows } from './windows.ts'

const WALKS = 4000
const A = { hidden: 200, epochs: 1000 }
const B = { hidden: 100, epochs: 600 }
/** The defaults of regatta.yaml's `race`. */
const RULE: RaceRule = {
  ...{ design: 'paired', dependent: false, binary: false, season: 1 },
  ...{ alpha: 0.05, tOpt: 1000, minGain: 0, margin: 0 },
}

const windows = toWindows(
  parseCsv(readFileSync(join(import.meta.dirname, 'data', 'series.csv'), 'utf8')).map(day => day.value),
)

/** A trained model: its error on history, and its squared error on each walk. */
interface Trial {
  readonly history: number
  readonly losses: readonly number[]
}

function toTrial({ epochs, hidden }: typeof A, seed: number, walkSeed: number): Trial {
  let history = Number.NaN
  const network = trainNetwork(toNetwork(hidden, seed), windows, { epochs, learningRate: 0.001 }, ({ mse }) => {
    history = mse
  })
  return { history, losses: toLiveLosses(network, walkSeed) }
}

function toLiveLosses(network: Network, seed: number): number[] {
  const walks = Array.from({ length: WALKS }, (_, n) => toWalk(n, seed))
  const answers = predict(network, Float32Array.from(walks.flatMap(walk => walk.instance.flat())), STEPS)
  return walks.map((walk, n) => ((answers[(n + 1) * STEPS - 1] ?? Number.NaN) - walk.truth) ** 2)
}

/** Says which of two paired sequences of losses a race would keep, and after how many labels; asked after every label. */
function toVerdict(a: readonly number[], b: readonly number[]): string {
  let [moments, discordant, least, most] = [emptyMoments, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const [i, lossOfA] of a.entries()) {
    const difference = lossOfA - (b[i] ?? Number.NaN)
    moments = fold(moments, difference)
    if (difference !== 0) discordant++
    least = Math.min(least, difference)
    most = Math.max(most, difference)
    const farthest = Math.max(most - moments.mean, moments.mean - least) ** 2
    const dominance = moments.m2 === 0 ? 0 : farthest / moments.m2
    const { n, state } = judgeRace(RULE, { kind: 'paired', moments, discordant, dominance })
    if (state === 'promote-B' || state === 'keep-A') return `${state} after ${n}`
  }
  return `none in ${a.length}`
}

const toMean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

const seeds = (process.argv[2] ?? '1,2,3,4,5').split(',').map(Number)
console.log(
  '| seed | A history | B history | A live | B live | A against B | A against its copy | B against B of another seed |',
)
console.log('|---|---|---|---|---|---|---|---|')
for (const seed of seeds) {
  const a = toTrial(A, seed, seed)
  const b = toTrial(B, seed, seed)
  const other = toTrial(B, seed + 100, seed)
  const figures = [a.history, b.history, toMean(a.losses), toMean(b.losses)].map(figure => figure.toFixed(2))
  const verdicts = [toVerdict(a.losses, b.losses), toVerdict(a.losses, a.losses), toVerdict(b.losses, other.losses)]
  console.log(`| ${[seed, ...figures, ...verdicts].join(' | ')} |`)
}

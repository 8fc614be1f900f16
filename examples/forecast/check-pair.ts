// Shows that the model that looks better on history is the worse one on new live data: node check-pair.ts [SEEDS]
// Trains both for several seeds (about 80 s each) and lets 4000 independent walks decide, as a race would.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Network, toNetwork } from './network.ts'
import { predict } from './rnn.ts'
import { parseCsv } from './series.ts'
import { trainNetwork } from './training.ts'
import { toWalk } from './walks.ts'
import { STEPS, toWindows } from './windows.ts'

const WALKS = 4000
const TRAINING = { epochs: 1000, learningRate: 0.001 }
const A = { hidden: 200 }
const B = { hidden: 100 }

const windows = toWindows(
  parseCsv(readFileSync(join(import.meta.dirname, 'data', 'series.csv'), 'utf8')).map(day => day.value),
)

/** A trained model: its error on history, and its squared error on each walk. */
interface Trial {
  readonly history: number
  readonly losses: readonly number[]
}

function toTrial(hidden: number, seed: number, walkSeed: number): Trial {
  let history = Number.NaN
  const network = trainNetwork(toNetwork(hidden, seed), windows, TRAINING, ({ mse }) => {
    history = mse
  })
  return { history, losses: toLiveLosses(network, walkSeed) }
}

function toLiveLosses(network: Network, seed: number): number[] {
  const walks = Array.from({ length: WALKS }, (_, n) => toWalk(n, seed))
  const answers = predict(network, Float32Array.from(walks.flatMap(walk => walk.instance.flat())), STEPS)
  return walks.map((walk, n) => ((answers[(n + 1) * STEPS - 1] ?? Number.NaN) - walk.truth) ** 2)
}

/**
 * Says which of two paired sequences of losses a race would promote, and after how many labels.
 *
 * Source: Waudby-Smith et al. 2024, "Time-uniform central limit theory and asymptotic confidence sequences",
 * arXiv:2103.06476: alpha 0.05, tightest at 1000 labels, looked at after every label from the 100th on.
 */
function decide(a: readonly number[], b: readonly number[]): string {
  const [alpha, tightestAt, first] = [0.05, 1000, 100]
  const rho2 = (-2 * Math.log(alpha) + Math.log(1 - 2 * Math.log(alpha))) / tightestAt
  let [mean, m2] = [0, 0]
  for (const [i, lossOfA] of a.entries()) {
    const n = i + 1
    const gain = lossOfA - (b[i] ?? Number.NaN)
    const delta = gain - mean
    mean += delta / n
    m2 += delta * (gain - mean)
    const bound = Math.sqrt(((n * rho2 + 1) / (n * rho2)) * (Math.log(n * rho2 + 1) - 2 * Math.log(alpha)))
    const half = bound * Math.sqrt(m2 / (n - 1) / n)
    if (n >= first && Math.abs(mean) > half) return `${mean > 0 ? 'B' : 'A'} after ${n}`
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
  const a = toTrial(A.hidden, seed, seed)
  const b = toTrial(B.hidden, seed, seed)
  const other = toTrial(B.hidden, seed + 100, seed)
  const figures = [a.history, b.history, toMean(a.losses), toMean(b.losses)].map(figure => figure.toFixed(2))
  const verdicts = [decide(a.losses, b.losses), decide(a.losses, a.losses), decide(b.losses, other.losses)]
  console.log(`| ${[seed, ...figures, ...verdicts].join(' | ')} |`)
}

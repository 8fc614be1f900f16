import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judgeRace, type RaceRule, type Verdict } from '../../src/judge/index.ts'
import { toDependentEvidence } from '../../src/judge/testing/series.ts'
import { toNetwork } from './network.ts'
import { predict } from './rnn.ts'
import { toHistory } from './series.ts'
import { trainNetwork } from './training.ts'
import { type LiveRow, toLongWalk } from './walks.ts'
import { STEPS, toWindows } from './windows.ts'

const RULE: RaceRule = {
  ...{ design: 'paired', dependent: true, binary: false, season: 1 },
  ...{ alpha: 0.05, tOpt: 1000, minGain: 0, margin: 0 },
}
const windows = toWindows(toHistory().map(day => day.value))
// Briefly trained: how far each is off depends on the level of the walk.
const networks = [16, 32].map(hidden =>
  trainNetwork(toNetwork(hidden, 1), windows, { epochs: 120, learningRate: 0.01, threads: 1 }),
)

function judge(rows: readonly LiveRow[]): Verdict {
  const x = Float32Array.from(rows.flatMap(row => row.instance.flat()))
  const [a, b] = networks.map(network => {
    const answers = predict(network, x, STEPS)
    return rows.map((row, n) => ((answers[(n + 1) * STEPS - 1] ?? Number.NaN) - row.truth) ** 2)
  })
  const differences = (a ?? []).map((loss, n) => loss - (b?.[n] ?? Number.NaN))
  return judgeRace(RULE, toDependentEvidence(differences))
}

describe('toLongWalk()', () => {
  for (const seed of [1, 2, 3]) {
    it(`makes a race of forecasts that cannot decide, and says why (seed ${seed})`, () => {
      const { reason, state } = judge([...toLongWalk(0, 3000, seed)])
      assert.equal(state, 'warming-up')
      assert.match(reason, /losses of a series depend on each other/)
    })
  }
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { emptyMoments, fold, type Verdict } from '../judge/index.ts'
import type { Decision, RaceSpec, Scoreboard, StoredRace } from '../store/index.ts'
import { judge, toDecision, toDecisionJson, toRebuiltPoints, toShown } from './verdict.ts'

const spec: RaceSpec = {
  task: 'regression',
  loss: { kind: 'squared' },
  alpha: 0.05,
  tOpt: 1000,
  minGain: 0,
  margin: 0,
  season: 1,
  strict: false,
  maturityMs: 0,
  challengers: 1,
  ramp: [],
  guardrails: {},
  budget: {},
}
const toRace = (more: Partial<StoredRace> = {}): StoredRace => ({
  id: 1,
  a: 1,
  b: 2,
  design: 'paired',
  spec,
  startedAt: 0,
  ended: undefined,
  ...more,
})
/** Deterministic noise around a mean. */
const toDifferences = (count: number, mean: number): Float64Array =>
  Float64Array.from({ length: count }, (_, at) => mean + Math.sin(at * 12.9898) * 2)
const toBoard = (differences: Float64Array): Scoreboard => ({
  race: 1,
  arms: [
    { variant: 1, predictions: differences.length, loss: emptyMoments },
    { variant: 2, predictions: differences.length, loss: emptyMoments },
  ],
  paired: differences.reduce(fold, emptyMoments),
  discordant: differences.filter(d => d !== 0).length,
  wins: differences.filter(d => d > 0).length,
  dominance: 0.01,
  epochs: [],
  refused: 0,
})
const names = { a: 'a', b: 'b' }
const judgeOf = (differences: Float64Array, race = toRace()): Verdict =>
  judge({ race, comparisons: 1, board: toBoard(differences), differences: undefined }, names)

describe('judge()', () => {
  it('takes a better challenger for better', () => {
    assert.equal(judgeOf(toDifferences(500, 1)).state, 'promote-B')
    assert.equal(judgeOf(toDifferences(500, -1)).state, 'keep-A')
  })

  it('names no winner between copies, and says why', () => {
    const verdict = judgeOf(new Float64Array(500))
    assert.equal(verdict.state, 'keep-racing')
    assert.match(verdict.reason, /same loss on all 500 labels/)
  })

  it('judges forecasts by their order in time, and cannot decide early', () => {
    const race = toRace({ spec: { ...spec, task: 'forecast' } })
    const differences = toDifferences(500, 1)
    const verdict = judge({ race, comparisons: 1, board: toBoard(differences), differences }, names)
    assert.equal(verdict.design, 'dependent')
    assert.equal(verdict.state, 'warming-up')
    assert.match(verdict.reason, /cannot decide/)
  })

  it('judges losses of a known range exactly where that is wanted', () => {
    const race = toRace({ spec: { ...spec, task: 'classification', loss: { kind: 'brier' }, strict: true } })
    const differences = toDifferences(3000, 1).map(d => d / 4)
    const verdict = judge({ race, comparisons: 1, board: toBoard(differences), differences }, names)
    assert.deepEqual([verdict.design, verdict.state], ['bounded', 'promote-B'])
  })

  it('cannot judge a split of forecasts, whose sums know no order', () => {
    const race = toRace({ design: 'split', spec: { ...spec, task: 'forecast' } })
    const verdict = judgeOf(toDifferences(500, 1), race)
    assert.equal(verdict.state, 'warming-up')
    assert.ok(verdict.gates.some(gate => gate.name === 'order' && !gate.passed))
  })
})

describe('toShown()', () => {
  const decided = judgeOf(toDifferences(500, 1))
  const decision: Decision = toDecision(1, 1000, decided)

  it('keeps a decision that later labels only blur', () => {
    const blurred: Verdict = { ...decided, state: 'keep-racing', lower: (decided.lower ?? 0) - 1 }
    const { verdict, drift } = toShown(blurred, decision, undefined)
    assert.equal(verdict.state, 'promote-B')
    assert.equal(verdict.lower, blurred.lower)
    assert.equal(drift, false)
  })

  it('raises drift instead of flipping', () => {
    const { verdict, drift } = toShown(judgeOf(toDifferences(5000, -1)), decision, undefined)
    assert.equal(drift, true)
    assert.equal(verdict.state, 'promote-B')
    assert.match(verdict.reason, /contradict this: the improvement is between -1\.\d+ and -0\.9/)
  })

  it('calls a race inconclusive that ended before it could decide', () => {
    const { verdict } = toShown(judgeOf(toDifferences(500, 0)), undefined, { at: 5, how: 'replaced' })
    assert.equal(verdict.state, 'inconclusive')
    assert.match(verdict.reason, /^The race ended before it could decide/)
    const spent = toShown(judgeOf(toDifferences(500, 0)), undefined, { at: 5, how: 'spent' })
    assert.match(spent.verdict.reason, /^The race has spent its budget before it could decide/)
  })

  it('gives no figures before there are labels', () => {
    const { verdict } = toShown(judgeOf(new Float64Array(0)), undefined, undefined)
    assert.deepEqual([verdict.estimate, verdict.lower, verdict.upper, verdict.se], [null, null, null, null])
  })

  it('survives as JSON', () => {
    const json = toDecisionJson(decision)
    assert.equal(json.at, new Date(1000).toISOString())
    assert.equal(json.state, 'promote-B')
    assert.equal(json.lower, decided.lower)
  })
})

describe('toRebuiltPoints()', () => {
  it('ends where the race stands, with a bounded number of points', () => {
    const differences = toDifferences(1234, 0.3)
    const points = toRebuiltPoints(toRace(), 1, differences)
    const now = judgeOf(differences)
    assert.equal(points.length, 100)
    assert.equal(points.at(-1)?.n, 1234)
    assert.ok(Math.abs((points.at(-1)?.estimate ?? 0) - now.estimate) < 1e-12)
    assert.ok(Math.abs((points.at(-1)?.lower ?? 0) - (now.lower ?? 0)) < 1e-12)
    assert.ok(points.every(point => point.at === null))
  })
})

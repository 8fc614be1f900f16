import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SplitEpoch } from './sequence/estimate.ts'
import { emptyMoments, fold, type Moments } from './sums/moments.ts'
import { toNormal, toUniform } from './testing/random.ts'
import { toDependentEvidence } from './testing/series.ts'
import type { Evidence } from './verdict/evidence.ts'
import type { RaceRule, Verdict } from './verdict/race.ts'
import { judgeRace } from './verdict/verdict.ts'

const rule: RaceRule = {
  design: 'paired',
  dependent: false,
  season: 1,
  alpha: 0.05,
  tOpt: 1000,
  minGain: 0,
  margin: 0,
  binary: false,
}
const SEEDS = Array.from({ length: 20 }, (_, index) => 100 + index)

/** Paired evidence that grows by one difference at a time, as a store keeps it. */
function* growPairs(differences: Iterable<number>): Generator<Evidence> {
  let moments = emptyMoments
  let [discordant, smallest, largest] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const d of differences) {
    moments = fold(moments, d)
    discordant += d === 0 ? 0 : 1
    smallest = Math.min(smallest, d)
    largest = Math.max(largest, d)
    const farthest = Math.max((smallest - moments.mean) ** 2, (largest - moments.mean) ** 2)
    yield { kind: 'paired', moments, discordant, dominance: moments.m2 === 0 ? 0 : farthest / moments.m2 }
  }
}

/** Split evidence that grows by one request at a time. */
function* growSplit(losses: Iterable<{ readonly arm: 'a' | 'b'; readonly loss: number }>): Generator<Evidence> {
  const arms: Record<'a' | 'b', Moments> = { a: emptyMoments, b: emptyMoments }
  for (const { arm, loss } of losses) {
    arms[arm] = fold(arms[arm], loss)
    const [a, b] = [arms.a, arms.b]
    const counts = { eventsA: a.count, eventsB: b.count, servedA: a.count, servedB: b.count, repeated: 0 }
    const epoch: SplitEpoch = { weightB: 0.5, a, b, ...counts }
    yield { kind: 'split', epochs: [epoch] }
  }
}

/** Looks after every label until there is a winner. */
function findWinner(stages: Iterable<Evidence>, by = rule): Verdict | undefined {
  for (const evidence of stages) {
    const verdict = judgeRace(by, evidence)
    if (verdict.state === 'promote-B' || verdict.state === 'keep-A') return verdict
  }
  return undefined
}

/** Squared errors of a truth that varies by 3, and of predictions that miss it by noise of their own. */
function* toSquaredErrors(seed: number, labels: number, noiseB: number): Generator<readonly [number, number]> {
  const normal = toNormal(toUniform(seed))
  for (let n = 0; n < labels; n++) {
    const unforeseen = 3 * normal()
    yield [(unforeseen + normal()) ** 2, (unforeseen + noiseB * normal()) ** 2]
  }
}

function* toDifferences(seed: number, labels: number, noiseB: number): Generator<number> {
  for (const [a, b] of toSquaredErrors(seed, labels, noiseB)) yield a - b
}

describe('judgeRace() asked after every label', () => {
  it('never names a winner where B is a copy of A, and says why', () => {
    let last: Verdict | undefined
    for (const evidence of growPairs(Array(3000).fill(0))) {
      last = judgeRace(rule, evidence, { a: 'a', b: 'copy', meanLossA: 33 })
      assert.ok(last.state === 'warming-up' || last.state === 'keep-racing', last.state)
      assert.deepEqual([last.estimate, last.se, last.p], [0, 0, 1])
    }
    assert.equal(last?.state, 'keep-racing')
    assert.equal(last?.reason, 'a and copy gave the same loss on all 3000 labels: there is no difference to judge')
  })

  it('names a winner of two that miss by equal noise in at most 2 of 20 repetitions', () => {
    const winners = SEEDS.filter(seed => findWinner(growPairs(toDifferences(seed, 4000, 1))) !== undefined)
    assert.ok(winners.length <= 2, winners.join())
  })

  it('names a winner of two equal halves of a split in at most 2 of 20 repetitions', () => {
    const winners = SEEDS.filter(seed => {
      const uniform = toUniform(1000 + seed)
      const losses = toSquaredErrors(seed, 4000, 1).map(([a, b]) =>
        uniform() < 0.5 ? { arm: 'a' as const, loss: a } : { arm: 'b' as const, loss: b },
      )
      return findWinner(growSplit(losses)) !== undefined
    })
    assert.ok(winners.length <= 2, winners.join())
  })

  it('finds a true difference every time', () => {
    const found = SEEDS.map(seed => findWinner(growPairs(toDifferences(seed, 4000, 2)))?.state)
    assert.deepEqual(new Set(found), new Set(['keep-A']))
    const turned = SEEDS.map(seed => findWinner(growPairs(toDifferences(seed, 4000, 0)))?.state)
    assert.deepEqual(new Set(turned), new Set(['promote-B']))
  })
})

describe('judgeRace() of forecasts of one series', () => {
  const forecast: RaceRule = { ...rule, dependent: true }

  /** Differences that remember the one before: `memory` of it, and noise. */
  function toSeries(seed: number, labels: number, memory: number, shift = 0): Float64Array {
    const normal = toNormal(toUniform(seed))
    let level = 0
    return Float64Array.from({ length: labels }, () => {
      level = memory * level + normal()
      return shift + level
    })
  }

  /** Looks after every fiftieth label. */
  function* grow(differences: Float64Array): Generator<Evidence> {
    for (let n = 50; n <= differences.length; n += 50) yield toDependentEvidence(differences.subarray(0, n))
  }

  it('cannot decide on one long walk, and says so in words', () => {
    for (const seed of SEEDS) {
      const walk = toSeries(seed, 1500, 1)
      for (const evidence of grow(walk)) {
        const { gates, reason, state } = judgeRace(forecast, evidence)
        assert.equal(state, 'warming-up', `seed ${seed}`)
        assert.match(reason, /losses of a series depend on each other, so it cannot decide: /)
        assert.ok(gates.some(gate => !gate.passed))
      }
    }
  })

  it('would name a winner of that walk in most repetitions if it took the labels for independent', () => {
    const winners = SEEDS.filter(seed => findWinner(growPairs(toSeries(seed, 1500, 1))) !== undefined)
    assert.ok(winners.length >= 15, `${winners.length}`)
  })

  it('names a winner of equals with some memory in at most 2 of 20 repetitions', () => {
    const winners = SEEDS.filter(seed => findWinner(grow(toSeries(seed, 4000, 0.5)), forecast) !== undefined)
    assert.ok(winners.length <= 2, winners.join())
  })

  it('decides where the dependence fades and the labels suffice', () => {
    const found = SEEDS.map(seed => findWinner(grow(toSeries(seed, 4000, 0.5, 0.5)), forecast))
    assert.deepEqual(new Set(found.map(verdict => verdict?.state)), new Set(['promote-B']))
    for (const verdict of found) assert.ok((verdict?.n ?? 0) >= 1000)
  })
})

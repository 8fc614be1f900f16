import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { SplitEpoch } from '../sequence/estimate.ts'
import { emptyJoint, foldJoint } from '../sums/joint.ts'
import { emptyMoments, fold, type Moments } from '../sums/moments.ts'
import { assertNear } from '../testing/near.ts'
import { toNormal, toUniform } from '../testing/random.ts'
import { toDependentEvidence } from '../testing/series.ts'
import type { Evidence, PairedEvidence } from './evidence.ts'
import type { RaceRule } from './race.ts'
import { judgeRace } from './verdict.ts'

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
const names = { a: 'tiny', b: 'wide' }

const toMoments = (xs: readonly number[]): Moments => xs.reduce(fold, emptyMoments)

function toPaired(differences: readonly number[]): PairedEvidence {
  const moments = toMoments(differences)
  const largest = Math.max(0, ...differences.map(d => (d - moments.mean) ** 2))
  return {
    kind: 'paired',
    moments,
    discordant: differences.filter(d => d !== 0).length,
    dominance: moments.m2 === 0 ? 0 : largest / moments.m2,
  }
}

function toNoise(seed: number, count: number, shift = 0): number[] {
  const normal = toNormal(toUniform(seed))
  return Array.from({ length: count }, () => shift + normal())
}

function toEpoch(a: readonly number[], b: readonly number[], weightB: number): SplitEpoch {
  return {
    weightB,
    a: toMoments(a),
    b: toMoments(b),
    eventsA: a.filter(x => x !== 0).length,
    eventsB: b.filter(x => x !== 0).length,
    servedA: a.length,
    servedB: b.length,
    repeated: 0,
  }
}

const toDependent = (differences: readonly number[]): Evidence => toDependentEvidence(Float64Array.from(differences))
const series: RaceRule = { ...rule, dependent: true }
const missing = (verdict: { gates: readonly { name: string; passed: boolean }[] }): string[] =>
  verdict.gates.filter(gate => !gate.passed).map(gate => gate.name)

describe('judgeRace() of pairs', () => {
  it('promotes a better challenger and says by how much', () => {
    const verdict = judgeRace(rule, toPaired(toNoise(1, 512, 0.4)), { ...names, meanLossA: 2 })
    assert.equal(verdict.state, 'promote-B')
    assert.match(
      verdict.reason,
      /^wide is better: its mean loss is \d+–\d+ % lower; 512 labels; valid however often you look$/,
    )
    assert.ok((verdict.lower ?? 0) > 0)
    assert.ok(verdict.p < 0.05)
  })

  it('keeps a better champion', () => {
    const verdict = judgeRace(rule, toPaired(toNoise(1, 512, -0.4)), { ...names, meanLossA: 2 })
    assert.equal(verdict.state, 'keep-A')
    assert.match(verdict.reason, /^tiny is better: wide's mean loss is \d+–\d+ % higher; 512 labels/)
  })

  it('speaks of a value where the loss is a value turned round', () => {
    const verdict = judgeRace(rule, toPaired(toNoise(1, 512, 0.4)), { ...names, meanLossA: -2 })
    assert.match(verdict.reason, /its mean value is \d+–\d+ % higher/)
  })

  it('keeps the champion where the gain is smaller than wanted', () => {
    const verdict = judgeRace({ ...rule, minGain: 5 }, toPaired(toNoise(2, 512)))
    assert.equal(verdict.state, 'keep-A')
    assert.match(verdict.reason, /^A stays: B gains less than the wanted 5; 512 labels/)
  })

  it('finds equivalence within the margin', () => {
    const verdict = judgeRace({ ...rule, margin: 1 }, toPaired(toNoise(2, 512)))
    assert.equal(verdict.state, 'equivalent')
    assert.match(verdict.reason, /^A and B are equivalent: their mean losses differ by less than 1;/)
  })

  it('goes on where nothing is certain', () => {
    const verdict = judgeRace(rule, toPaired(toNoise(2, 512)))
    assert.equal(verdict.state, 'keep-racing')
    assert.match(
      verdict.reason,
      /^No difference is certain yet: B's mean loss is between [\d.]+ higher and [\d.]+ lower;/,
    )
  })

  it('warms up until 100 pairs are there, but shows bounds from two on', () => {
    const verdict = judgeRace(rule, toPaired(toNoise(3, 37, 5)))
    assert.equal(verdict.state, 'warming-up')
    assert.match(verdict.reason, /100 pairs wanted, 37 found/)
    assert.deepEqual(missing(verdict), ['pairs'])
    assert.notEqual(judgeRace(rule, toPaired([1, 2])).lower, undefined)
    const single = judgeRace(rule, toPaired([1]))
    assert.deepEqual([single.lower, single.upper, single.logE, single.p], [undefined, undefined, 0, 1])
    assert.equal(judgeRace(rule, toPaired([])).state, 'warming-up')
  })

  it('wants ten discordant pairs of losses that are 0 or 1', () => {
    const nine = [...Array(500).fill(0), ...Array(9).fill(1)]
    assert.deepEqual(missing(judgeRace({ ...rule, binary: true }, toPaired(nine))), ['discordant pairs'])
    assert.deepEqual(missing(judgeRace({ ...rule, binary: true }, toPaired([...nine, 1]))), [])
  })

  it('does not let one label decide', () => {
    const verdict = judgeRace(rule, toPaired([...toNoise(4, 200, 1), 300]))
    assert.equal(verdict.state, 'warming-up')
    assert.deepEqual(missing(verdict), ['dominance'])
  })

  it('names no winner where all losses are the same', () => {
    const verdict = judgeRace(rule, toPaired(Array(512).fill(0)))
    assert.equal(verdict.state, 'keep-racing')
    assert.equal(verdict.reason, 'A and B gave the same loss on all 512 labels: there is no difference to judge')
    assert.deepEqual([verdict.lower, verdict.upper, verdict.logE, verdict.p], [0, 0, 0, 1])
    assert.equal(judgeRace({ ...rule, margin: 0.1 }, toPaired(Array(512).fill(0))).state, 'equivalent')
    assert.equal(judgeRace({ ...rule, margin: 0.1 }, toPaired([0, 0])).state, 'keep-racing')
  })

  it('names no winner where the difference never varies, but for rounding', () => {
    const jitter = Array.from({ length: 512 }, (_, i) => 0.1 + (i % 2) * 1e-17 + (i % 3) * 2e-17)
    for (const differences of [Array(512).fill(0.5), jitter]) {
      const verdict = judgeRace(rule, toPaired(differences))
      assert.equal(verdict.state, 'keep-racing')
      assert.match(verdict.reason, /differ by the same 0\.[15] on all 512 labels: there is no spread to judge by$/)
      assert.deepEqual([verdict.lower, verdict.upper], [undefined, undefined])
    }
  })

  it('turns round with the arms, and scales with the unit of the loss', () => {
    const thousandth = fc.integer({ min: -100_000, max: 100_000 }).map(x => x / 1000)
    const differences = fc.array(thousandth, { minLength: 2, maxLength: 150 })
    fc.assert(
      fc.property(differences, fc.constantFrom(0.001, 7, 1e6), (d, scale) => {
        const verdict = judgeRace(rule, toPaired(d))
        const swapped = judgeRace(rule, toPaired(d.map(x => -x)))
        const scaled = judgeRace(rule, toPaired(d.map(x => scale * x)))
        assert.equal(swapped.estimate, -verdict.estimate || 0)
        assert.deepEqual(
          [swapped.lower, swapped.upper],
          [verdict.upper, verdict.lower].map(x => x && -x),
        )
        assert.equal(swapped.logE, verdict.logE)
        const turned: Record<string, string> = { 'promote-B': 'keep-A', 'keep-A': 'promote-B' }
        assert.equal(swapped.state, turned[verdict.state] ?? verdict.state)
        assert.equal(scaled.state, verdict.state)
        assertNear(scaled.logE, verdict.logE, 1e-6)
        if (verdict.lower !== undefined) assertNear((scaled.lower ?? Number.NaN) / scale, verdict.lower, 1e-6)
      }),
    )
  })

  it('is always fit for JSON', () => {
    const any = fc.array(fc.double({ noNaN: true }), { maxLength: 120 })
    fc.assert(
      fc.property(any, fc.constantFrom('paired', 'split', 'dependent'), (xs, kind) => {
        const half = xs.length >> 1
        const evidence: Evidence =
          kind === 'paired'
            ? toPaired(xs)
            : kind === 'split'
              ? { kind: 'split', epochs: [toEpoch(xs.slice(0, half), xs.slice(half), 0.5)] }
              : toDependent(xs)
        const verdict = judgeRace({ ...rule, dependent: kind === 'dependent' }, evidence)
        for (const x of [verdict.estimate, verdict.se, verdict.logE, verdict.p, verdict.lower ?? 0, verdict.upper ?? 0])
          assert.ok(Number.isFinite(x), `${x}`)
        assert.ok(verdict.p >= 0 && verdict.p <= 1)
        assert.ok(!verdict.reason.endsWith('.'))
      }),
    )
  })
})

describe('judgeRace() of a split', () => {
  const toSplit = (...epochs: readonly SplitEpoch[]): Evidence => ({ kind: 'split', epochs })

  it('decides between two balanced arms', () => {
    const verdict = judgeRace(rule, toSplit(toEpoch(toNoise(5, 600, 3), toNoise(6, 600, 2), 0.5)))
    assert.equal(verdict.state, 'promote-B')
    assert.equal(verdict.n, 1200)
  })

  it('wants 100 labels of each arm, and 200 in a small share', () => {
    const some = toSplit(toEpoch(toNoise(5, 99), toNoise(6, 120), 0.5))
    assert.deepEqual(missing(judgeRace(rule, some)), ['labels of A'])
    const small = toSplit(
      toEpoch([...Array(1800).fill(0), ...Array(200).fill(1)], [...Array(160).fill(0), ...Array(30).fill(1)], 0.1),
    )
    assert.deepEqual(missing(judgeRace({ ...rule, binary: true }, small)), ['labels of B'])
  })

  it('does not count the labels of an epoch that one arm has none of', () => {
    const alone = toEpoch(toNoise(5, 150), [], 0)
    const both = toEpoch(toNoise(6, 60), toNoise(7, 130), 0.7)
    assert.deepEqual(missing(judgeRace(rule, toSplit(alone, both))), ['labels of A'])
  })

  it('wants 25 events of each arm in a small share', () => {
    const few = toSplit(
      toEpoch([...Array(3000).fill(0), ...Array(300).fill(1)], [...Array(280).fill(0), ...Array(24).fill(1)], 0.1),
    )
    assert.deepEqual(missing(judgeRace({ ...rule, binary: true }, few)), ['events of B'])
  })

  it('does not decide on a continuous loss in a small share', () => {
    const canary = toSplit(toEpoch(toNoise(7, 1900), toNoise(8, 210, 1), 0.1))
    const verdict = judgeRace(rule, canary)
    assert.equal(verdict.state, 'warming-up')
    assert.deepEqual(missing(verdict), ['balance'])
  })

  it('sees requests and labels that are not shared as the weights say', () => {
    const even = toEpoch(toNoise(9, 3000), toNoise(10, 3000), 0.5)
    assert.deepEqual(missing(judgeRace(rule, toSplit(even))), [])
    assert.deepEqual(missing(judgeRace(rule, toSplit({ ...even, servedB: 4000 }))), ['sample ratio'])
    const late = toEpoch(toNoise(9, 3000), toNoise(10, 2000), 0.5)
    assert.deepEqual(missing(judgeRace(rule, toSplit({ ...late, servedB: 3000 }))), ['label ratio'])
  })

  it('does not decide where entities keep coming', () => {
    const sticky = { ...toEpoch(toNoise(9, 3000), toNoise(10, 3000), 0.5), repeated: 1000 }
    assert.deepEqual(missing(judgeRace(rule, toSplit(sticky))), ['entities'])
  })

  it('does not take a drift for a winner when the weights move', () => {
    const before = toEpoch(toNoise(11, 1400, 1), toNoise(12, 600, 1), 0.3)
    const after = toEpoch(toNoise(13, 600, 3), toNoise(14, 1400, 3), 0.7)
    assert.equal(judgeRace(rule, toSplit(before, after)).state, 'keep-racing')
    const pooled = toEpoch(
      [...toNoise(11, 1400, 1), ...toNoise(13, 600, 3)],
      [...toNoise(12, 600, 1), ...toNoise(14, 1400, 3)],
      0.5,
    )
    assert.equal(judgeRace(rule, toSplit(pooled)).state, 'keep-A')
  })

  it('names no winner where all losses are the same', () => {
    const verdict = judgeRace(rule, toSplit(toEpoch(Array(300).fill(2), Array(300).fill(2), 0.5)))
    assert.equal(verdict.state, 'keep-racing')
    assert.equal(verdict.reason, 'A and B gave the same loss on all 600 labels: there is no difference to judge')
  })

  it('does not judge a series by sums', () => {
    const verdict = judgeRace(series, toSplit(toEpoch(toNoise(5, 3000, 3), toNoise(6, 3000, 2), 0.5)))
    assert.equal(verdict.state, 'warming-up')
    assert.deepEqual(missing(verdict), ['order'])
  })
})

describe('judgeRace() of dependent losses', () => {
  it('decides from 1000 labels on, and is provisional from 100 on', () => {
    const early = judgeRace(series, toDependent(toNoise(20, 400, 1)))
    assert.equal(early.state, 'warming-up')
    assert.match(
      early.reason,
      /^Provisional: B's mean loss is .* lower; losses of a series depend on each other, so it cannot decide: 1000 labels wanted, 400 found$/,
    )
    assert.equal(judgeRace(series, toDependent(toNoise(20, 1000, 1))).state, 'promote-B')
    assert.match(
      judgeRace(series, toDependent(toNoise(20, 60, 1))).reason,
      /^Too early to say: losses of a series depend/,
    )
  })

  it('does not decide while the longest blocks still depend on each other', () => {
    const steps = toNoise(21, 1200)
    let level = 0
    const walk = steps.map(step => {
      level += step
      return level
    })
    const verdict = judgeRace(series, toDependent(walk))
    assert.equal(verdict.state, 'warming-up')
    assert.ok(missing(verdict).includes('independent blocks'))
  })

  it('names no winner where all losses are the same', () => {
    const verdict = judgeRace(series, toDependent(Array(2000).fill(0)))
    assert.equal(verdict.state, 'keep-racing')
    assert.equal(verdict.design, 'dependent')
  })
})

describe('judgeRace() of every design', () => {
  const joint = (xs: readonly number[], ys: readonly number[]) =>
    xs.reduce((sum, x, i) => foldJoint(sum, x, ys[i] ?? 1), emptyJoint)
  const counts = (a: number, b: number) => ({
    ...{ weightB: 0.5, eventsA: a, eventsB: b, servedA: a, servedB: b, repeated: 0 },
  })
  const toArms = (unit: number): Evidence => ({
    kind: 'split-ratio',
    of: unit === 1 ? 'labels' : 'entities',
    epochs: [{ ...counts(400, 400), a: joint(toNoise(31, 400, 3), []), b: joint(toNoise(32, 400, 2), []) }],
  })
  const covariate = toNoise(33, 400)
  const toLoss = (seed: number, mean: number) => toNoise(seed, 400, mean).map((x, i) => x / 4 + (covariate[i] ?? 0))

  const evidence: readonly (readonly [string, Evidence])[] = [
    ['paired', toPaired(toNoise(30, 400, 1))],
    [
      'clustered',
      { kind: 'paired-ratio', of: 'entities', terms: joint(toNoise(30, 400, 1), []), discordant: 400, dominance: 0 },
    ],
    ['split', toArms(1)],
    ['clustered', toArms(2)],
    [
      'adjusted',
      {
        kind: 'adjusted',
        epochs: [{ ...counts(400, 400), a: joint(toLoss(34, 1), covariate), b: joint(toLoss(35, 0), covariate) }],
      },
    ],
    ['bounded', { kind: 'bounded', reach: 1, state: { count: 2000, sum: 200, spread: 400 } }],
  ]
  for (const [design, one] of evidence)
    it(`${design} (${one.kind}) finds a better challenger, and leaves 0 where its evidence is enough`, () => {
      const verdict = judgeRace(rule, one)
      assert.deepEqual([verdict.design, verdict.state, missing(verdict)], [design, 'promote-B', []])
      const found = [0.05, 1e-6, 1e-20, 1e-60, 1e-200].map(alpha => {
        const { logE, state } = judgeRace({ ...rule, alpha }, one)
        assert.equal(state === 'promote-B', logE >= -Math.log(alpha), `${alpha}`)
        return state
      })
      assert.equal(found.at(-1), 'keep-racing')
    })

  it('calls entities entities', () => {
    assert.match(judgeRace(rule, toArms(2)).reason, /; 800 entities; valid however often you look$/)
  })

  it('leaves 0 exactly where the evidence reaches ln(1 / alpha)', () => {
    const differences = fc.array(fc.integer({ min: -50, max: 60 }), { minLength: 2, maxLength: 80 })
    fc.assert(
      fc.property(differences, fc.constantFrom(toPaired, toDependent), (d, toEvidence) => {
        const { lower, upper, logE, se } = judgeRace({ ...rule, tOpt: 20 }, toEvidence(d))
        if (se > 0) assert.equal((lower ?? 0) > 0 || (upper ?? 0) < 0, logE >= Math.log(20))
      }),
    )
  })

  it('is inconclusive once its labels are spent, unless it has decided', () => {
    const spent = { ...rule, budgetLabels: 400 }
    const undecided = judgeRace(spent, toPaired(toNoise(2, 400)))
    assert.equal(undecided.state, 'inconclusive')
    assert.match(undecided.reason, /^The labels are spent without a verdict: B's mean loss is between/)
    assert.equal(judgeRace(spent, toPaired(toNoise(2, 399))).state, 'keep-racing')
    assert.equal(judgeRace(spent, toPaired(toNoise(1, 400, 1))).state, 'promote-B')
  })

  it('wants exact bounds where the rule is strict', () => {
    assert.deepEqual(missing(judgeRace({ ...rule, strict: true }, toPaired(toNoise(1, 400, 1)))), ['strict'])
  })

  it('does not let one label of an arm decide', () => {
    const epoch = toEpoch(toNoise(5, 300, 3), toNoise(6, 300, 2), 0.5)
    assert.deepEqual(missing(judgeRace(rule, { kind: 'split', epochs: [epoch], dominance: 0.4 })), ['dominance'])
  })

  it('decides in a small share on losses with bounds', () => {
    const canary = toEpoch(toNoise(7, 1900), toNoise(8, 210, -1), 0.1)
    const verdict = judgeRace({ ...rule, boundedLoss: true }, { kind: 'split', epochs: [canary] })
    assert.deepEqual([verdict.state, missing(verdict)], ['promote-B', []])
  })

  it('says no ratio where there is nothing below its line', () => {
    const epochs = [{ ...counts(2, 2), a: joint([1, 2], [0, 0]), b: joint([1, 3], [0, 0]) }]
    const verdict = judgeRace(rule, { kind: 'split-ratio', of: 'labels', epochs })
    assert.ok(missing(verdict).includes('finite sums'))
    assert.equal(verdict.n, 0)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Estimate, toEpochsEstimate, toPairedEstimate, toSplitEstimate } from './estimate.ts'
import { emptyMoments, fold, type Moments } from './moments.ts'
import { type SequenceRule, toLogE, toMultiplier, toP } from './multiplier.ts'
import golden from './testing/golden.json' with { type: 'json' }
import { assertNear } from './testing/near.ts'

const toMoments = (xs: readonly number[]): Moments => xs.reduce(fold, emptyMoments)

function assertBounds(found: Estimate, rule: SequenceRule, wanted: { lower: number; upper: number }): void {
  const reach = toMultiplier(found.n, rule) * found.se
  assertNear(found.estimate - reach, wanted.lower)
  assertNear(found.estimate + reach, wanted.upper)
}

describe('estimate', () => {
  golden.paired.cases.forEach(({ d, alpha, tOpt, at }, index) => {
    for (const wanted of at)
      it(`toPairedEstimate() of series ${index} after ${wanted.n} labels`, () => {
        const found = toPairedEstimate(toMoments(d.slice(0, wanted.n)))
        assertNear(found.estimate, wanted.mean)
        assertNear(found.se * Math.sqrt(wanted.n), wanted.sd)
        assertBounds(found, { alpha, tOpt }, wanted)
        const logE = toLogE(found.estimate / found.se, found.n, { alpha, tOpt })
        assertNear(logE, wanted.logE)
        assertNear(toP(logE), wanted.p)
      })
  })

  golden.split.cases.forEach(({ a, b, alpha, tOpt, ...wanted }, index) => {
    it(`toSplitEstimate() of arms ${index}`, () => {
      const found = toSplitEstimate(toMoments(a), toMoments(b))
      assertNear(found.estimate, wanted.est)
      assertNear(found.se, wanted.se)
      assert.equal(found.n, wanted.N)
      assertBounds(found, { alpha, tOpt }, wanted)
      assertNear(toP(toLogE(found.estimate / found.se, found.n, { alpha, tOpt })), wanted.p)
    })
  })

  it('toSplitEstimate() of aggregates', () => {
    const { a, b, alpha, tOpt, ...wanted } = golden.split.aggregates
    const arm = ({ n, mean, var: spread }: typeof a): Moments => ({ count: n, mean, m2: spread * (n - 1) })
    const found = toSplitEstimate(arm(a), arm(b))
    assertNear(found.estimate, wanted.est)
    assertBounds(found, { alpha, tOpt }, wanted)
  })

  it('toEpochsEstimate() weighs epochs by their labels and leaves out lone ones', () => {
    const { epochs, alpha, tOpt, ...wanted } = golden.splitEpochs
    const found = toEpochsEstimate(epochs.map(({ a, b }) => ({ a: toMoments(a), b: toMoments(b) })))
    assertNear(found.estimate, wanted.est)
    assertNear(found.se, wanted.se)
    assert.equal(found.n, wanted.N)
    assertBounds(found, { alpha, tOpt }, wanted)
  })

  it('toEpochsEstimate() of nothing is nothing', () => {
    assert.deepEqual(toEpochsEstimate([]), { estimate: 0, se: 0, n: 0 })
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toLabelsNeeded, toLogE, toMultiplier, toOneSidedMultiplier, toP, toRho2 } from './multiplier.ts'
import golden from './testing/golden.json' with { type: 'json' }
import { assertNear } from './testing/near.ts'

describe('multiplier', () => {
  for (const { n, alpha, tOpt, rho2, two, oneExact, oneClosed } of golden.multiplier.rows) {
    it(`toMultiplier() after ${n} labels, alpha ${alpha}, tOpt ${tOpt}`, () => {
      assertNear(toRho2({ alpha, tOpt }), rho2)
      assertNear(toMultiplier(n, { alpha, tOpt }), two)
      assertNear(toOneSidedMultiplier(n, { alpha, tOpt }), oneClosed)
      assert.ok(toOneSidedMultiplier(n, { alpha, tOpt }) >= oneExact)
    })
  }

  for (const { delta, sd, power, alpha, tOpt, n } of golden.labelsNeeded.rows) {
    it(`toLabelsNeeded() to find ${delta} with sd ${sd} and chance ${power}`, () => {
      const z = power === 0.5 ? 0 : 0.8416212335729143
      assert.equal(toLabelsNeeded(delta, sd, { alpha, tOpt }, z), n)
    })
  }

  it('toLabelsNeeded() knows no number for a difference of 0', () => {
    assert.equal(toLabelsNeeded(0, 1, { alpha: 0.05, tOpt: 1000 }), undefined)
  })

  it('toLogE() reaches ln(1 / alpha) exactly where the sequence leaves 0', () => {
    for (const n of [2, 50, 1000, 1e6]) {
      const rule = { alpha: 0.05, tOpt: 1000 }
      assertNear(toLogE(toMultiplier(n, rule), n, rule), Math.log(20))
    }
  })

  it('toP() stays within 0 and 1', () => {
    assert.equal(toP(-1e6), 1)
    assert.equal(toP(1e6), 0)
    assertNear(toP(Math.log(20)), 0.05)
  })
})

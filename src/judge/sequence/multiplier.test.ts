import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { assertNear } from '../testing/near.ts'
import { toLogE, toMultiplier, toP } from './multiplier.ts'

describe('multiplier', () => {
  it('toLogE() reaches ln(1 / alpha) exactly where the sequence leaves 0', () => {
    const alphas = fc.double({ min: 1e-6, max: 0.5, noNaN: true })
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1e7 }), alphas, fc.integer({ min: 1, max: 1e5 }), (n, alpha, tOpt) => {
        const rule = { alpha, tOpt }
        const edge = toMultiplier(n, rule)
        assertNear(toLogE(edge, n, rule), -Math.log(alpha))
        assert.ok(toLogE(edge * 1.001, n, rule) > -Math.log(alpha))
        assert.ok(toLogE(edge * 0.999, n, rule) < -Math.log(alpha))
      }),
    )
  })

  it('toP() stays within 0 and 1', () => {
    assert.equal(toP(-1e6), 1)
    assert.equal(toP(1e6), 0)
    assertNear(toP(Math.log(20)), 0.05)
  })
})

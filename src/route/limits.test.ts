import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withDefaultLimits } from './limits.ts'

describe('withDefaultLimits()', () => {
  it('fills in what is not given', () => {
    const limits = withDefaultLimits({ maxInFlight: 7 })
    assert.equal(limits.maxInFlight, 7)
    assert.equal(limits.maxBodyBytes, 64 * 1024 * 1024)
  })

  for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    it(`refuses ${value}`, () =>
      assert.throws(() => withDefaultLimits({ maxShadows: value }), { code: 'LIMITS', message: /maxShadows/ }))
})

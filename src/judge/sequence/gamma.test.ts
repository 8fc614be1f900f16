import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { assertAgrees } from '../testing/near.ts'
import { lnGamma, lnLowerGamma, toLogGap, toStirlingRest } from './gamma.ts'

describe('lnGamma()', () => {
  it('is the logarithm of the factorial', () => {
    let lnFactorial = 0
    for (let n = 1; n <= 170; n++) {
      assertAgrees(lnGamma(n), lnFactorial, 1e-14)
      lnFactorial += Math.log(n)
    }
  })

  it('has its known values between whole numbers (NIST DLMF 5.4.6)', () => {
    assertAgrees(lnGamma(0.5), Math.log(Math.PI) / 2, 1e-15)
    assertAgrees(lnGamma(1.5), Math.log(Math.PI) / 2 - Math.LN2, 1e-14)
    assertAgrees(lnGamma(2.5), Math.log(0.75) + Math.log(Math.PI) / 2, 1e-14)
  })

  it('keeps its digits where it crosses 0', () => {
    // ln Γ(1 + z) = −γ z + π² z² / 12 − …
    const z = 1e-6
    const wanted = -0.5772156649015329 * z + (Math.PI ** 2 / 12) * z * z - (1.2020569031595942 / 3) * z ** 3
    assert.ok(Math.abs(lnGamma(1 + z) / wanted - 1) < 1e-9)
    assert.equal(lnGamma(1), 0)
    assert.equal(lnGamma(2), 0)
  })

  it('follows its recurrence everywhere', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), x => {
        const scale = Math.max(1, Math.abs(lnGamma(x)))
        assert.ok(Math.abs(lnGamma(x + 1) - lnGamma(x) - Math.log(x)) < 4e-15 * scale, `${x}`)
      }),
    )
  })
})

describe('lnLowerGamma()', () => {
  it('is the exponential distribution for a = 1, and the error function for a = ½', () => {
    for (const x of [0.01, 1, 1.99, 2.01, 30]) assertAgrees(lnLowerGamma(1, x), Math.log(-Math.expm1(-x)), 1e-13)
    // NIST DLMF 7.11.1; erf(½) from table 7.23
    assertAgrees(lnLowerGamma(0.5, 0.25), Math.log(0.5204998778130465), 1e-13)
  })

  it('follows its recurrence for large and small a', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 1e4, noNaN: true }),
        fc.double({ min: 0.5, max: 2, noNaN: true }),
        (a, part) => {
          const x = a * part
          const step = Math.exp(a * Math.log(x) - x - lnGamma(a + 1))
          const off = Math.exp(lnLowerGamma(a, x)) - Math.exp(lnLowerGamma(a + 1, x)) - step
          assert.ok(Math.abs(off) < 1e-10, `${a} ${x}: ${off}`)
        },
      ),
    )
  })
})

describe('small differences', () => {
  it('toLogGap() is λ − 1 − ln λ', () => {
    for (const lambda of [0.2, 0.91, 1.09, 1.2, 5]) assertAgrees(toLogGap(lambda), lambda - 1 - Math.log(lambda), 1e-12)
    assert.ok(Math.abs(toLogGap(1 + 1e-8) / 5e-17 - 1) < 1e-7)
  })

  it('toStirlingRest() is 1 / 12 x for large x', () => {
    assertAgrees(toStirlingRest(1e5), 1 / 12e5 - 1 / 360e15, 1e-9)
    assertAgrees(toStirlingRest(9.999999), toStirlingRest(10.000001), 1e-6)
  })
})

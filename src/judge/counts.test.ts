import { describe, it } from 'node:test'
import { lnGamma, toRatioEvidence } from './counts.ts'
import golden from './testing/golden.json' with { type: 'json' }
import { assertNear } from './testing/near.ts'

describe('counts', () => {
  it('lnGamma() is the logarithm of the factorial', () => {
    let lnFactorial = 0
    for (let n = 1; n <= 170; n++) {
      assertNear(lnGamma(n), lnFactorial, 1e-13)
      lnFactorial += Math.log(n)
    }
    assertNear(lnGamma(0.5), Math.log(Math.PI) / 2, 1e-14)
    // NIST DLMF 5.4.6 and 5.5.1: Γ(3/2) = √π / 2
    assertNear(lnGamma(1.5), Math.log(Math.sqrt(Math.PI) / 2), 1e-14)
  })

  for (const { counts, weights, k, logBF } of golden.srm.rows)
    it(`toRatioEvidence() of ${counts.join(' and ')}`, () => assertNear(toRatioEvidence(counts, weights, k), logBF))
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { assertNear } from '../testing/near.ts'
import { toRateRatio, toWinRate } from './rates.ts'

const count = fc.integer({ min: 0, max: 3000 })
const weight = fc.constantFrom(0.05, 0.3, 0.5)

describe('toRateRatio()', () => {
  it('leaves 1 exactly where the evidence reaches ln(1 / alpha)', () => {
    fc.assert(
      fc.property(count, count, weight, (eventsA, eventsB, weightB) => {
        const found = toRateRatio([{ eventsA, eventsB, weightB }], 0.05)
        assert.ok(found !== undefined)
        assert.equal(found.lower > 1 || found.upper < 1, found.logE >= Math.log(20))
      }),
    )
  })

  it('turns to its inverse where the arms are swapped', () => {
    fc.assert(
      fc.property(count, count, weight, (eventsA, eventsB, weightB) => {
        const there = toRateRatio([{ eventsA, eventsB, weightB }], 0.05)
        const back = toRateRatio([{ eventsA: eventsB, eventsB: eventsA, weightB: 1 - weightB }], 0.05)
        assertNear((back?.lower ?? Number.NaN) * (there?.upper ?? Number.NaN) || 1, 1, 1e-6)
        assertNear(back?.logE, there?.logE ?? Number.NaN, 1e-8)
      }),
    )
  })

  it('goes on over epochs with other weights and other rates', () => {
    const quiet = { eventsA: 950, eventsB: 50, weightB: 0.05 }
    const busy = { eventsA: 4000, eventsB: 4000, weightB: 0.5 }
    const found = toRateRatio([quiet, busy], 0.05)
    assertNear(found?.estimate, 1, 1e-9)
    assert.ok((found?.lower ?? 0) < 1 && (found?.upper ?? 0) > 1)
  })

  it('fits no ratio to epochs that contradict each other', () => {
    const up = { eventsA: 1000, eventsB: 3000, weightB: 0.5 }
    const down = { eventsA: 3000, eventsB: 1000, weightB: 0.5 }
    assert.equal(toRateRatio([up, down], 0.05), undefined)
  })

  it('knows nothing without events', () => {
    const { estimate, lower, upper, logE } = toRateRatio([], 0.05) ?? {}
    assert.deepEqual([estimate, lower, upper, logE], [undefined, 0, Number.POSITIVE_INFINITY, 0])
  })
})

describe('toWinRate()', () => {
  it('leaves one half exactly where the evidence reaches ln(1 / alpha), and turns round', () => {
    fc.assert(
      fc.property(count, count, (wins, losses) => {
        const found = toWinRate(wins, losses, 0.05)
        assert.equal(found.lower > 0.5 || found.upper < 0.5, found.logE >= Math.log(20))
        assertNear(toWinRate(losses, wins, 0.05).lower, 1 - found.upper)
        if (found.estimate !== undefined) assertNear(found.estimate, wins / (wins + losses), 1e-9)
      }),
    )
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertNear } from '../testing/near.ts'
import { toUniform } from '../testing/random.ts'
import { toShareBounds } from './share.ts'

describe('toShareBounds()', () => {
  // Solved in exact fractions: 0 of 1 leaves the share p with (1/2) / (1 - p) < 20, so p < 39/40.
  it('of one miss', () => {
    assert.equal(toShareBounds(0, 1, 0.05).lower, 0)
    assertNear(toShareBounds(0, 1, 0.05).upper, 0.975)
  })

  it('of one hit is the mirror of one miss', () => assertNear(toShareBounds(1, 1, 0.05).lower, 0.025))

  it('of nothing says nothing', () => assert.deepEqual(toShareBounds(0, 0, 0.05), { lower: 0, upper: 1 }))

  it('hold the share found, and close in on it', () => {
    const [few, many] = [toShareBounds(2, 100, 0.05), toShareBounds(200, 10_000, 0.05)]
    assert.ok(few.lower < 0.02 && few.upper > 0.02)
    assert.ok(many.lower > few.lower && many.upper < few.upper)
    assert.ok(many.lower > 0.0145 && many.upper < 0.0265, `${many.lower} ${many.upper}`)
  })

  it('of 20 hits of which each is looked at, are wrong in at most 5 % of 400 repetitions', () => {
    const wrong = Array.from({ length: 400 }, (_, seed) => {
      const uniform = toUniform(seed)
      let hits = 0
      for (let total = 1; total <= 1000; total++) {
        hits += Number(uniform() < 0.02)
        // Between hits only the upper bound moves, and towards the share found.
        if (total % 25 !== 0) continue
        const { lower, upper } = toShareBounds(hits, total, 0.05)
        if (lower > 0.02 || upper < 0.02) return true
      }
      return false
    }).filter(Boolean)
    assert.ok(wrong.length <= 20, `${wrong.length}`)
  })
})

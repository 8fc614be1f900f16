import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { assertNear } from '../testing/near.ts'
import { toUniform } from '../testing/random.ts'
import { type BoundedState, emptyBounded, foldBounded, toBoundedEvidence, toBoundedSequence } from './bounded.ts'

const rule = { alpha: 0.05, tOpt: 1000, reach: 1 }
const toState = (xs: readonly number[]): BoundedState => xs.reduce(foldBounded, emptyBounded)

describe('toBoundedSequence()', () => {
  const numbers = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 200 })

  it('leaves 0 exactly where the evidence reaches ln(1 / alpha)', () => {
    fc.assert(
      fc.property(numbers, fc.constantFrom(0.5, 0.05, 1e-4), (xs, alpha) => {
        const { lower, upper, logE } = toBoundedSequence(toState(xs), { ...rule, tOpt: 10, alpha })
        assert.equal(lower > 0 || upper < 0, logE >= -Math.log(alpha))
      }),
    )
  })

  it('leaves 0 with the label that brings the evidence there, for every chance of a mistake', () => {
    const uniform = toUniform(9)
    const xs = Array.from({ length: 400 }, () => (uniform() < 0.7 ? 0.5 : -0.5))
    const states = xs.map((_, at) => toState(xs.slice(0, at + 1)))
    for (const alpha of [0.5, 0.05, 1e-4]) {
      const looks = states.map(state => toBoundedSequence(state, { ...rule, tOpt: 10, alpha }))
      const left = looks.map(({ lower, upper }) => lower > 0 || upper < 0)
      assert.deepEqual(
        looks.map(({ logE }) => logE >= -Math.log(alpha)),
        left,
      )
      assert.ok(left.includes(true) && left.includes(false))
    }
  })

  it('turns round with the sign and scales with the unit', () => {
    fc.assert(
      fc.property(numbers, xs => {
        const found = toBoundedSequence(toState(xs), rule)
        const turned = toBoundedSequence(toState(xs.map(x => -x)), rule)
        assertNear(turned.lower, -found.upper)
        assertNear(turned.logE, found.logE)
        const scaled = toBoundedSequence(toState(xs.map(x => 8 * x)), { ...rule, reach: 8 })
        assertNear(scaled.upper / 8, found.upper)
      }),
    )
  })

  it('does not lose 0 on a null race more often than it says', () => {
    const uniform = toUniform(5)
    const misses = Array.from({ length: 200 }, () => {
      let state = emptyBounded
      for (let n = 0; n < 1000; n++) {
        const x = uniform()
        state = foldBounded(state, x < 0.05 ? 1 : x < 0.1 ? -1 : 0)
        if (toBoundedEvidence(state, rule) >= Math.log(20)) return 1
      }
      return 0
    }).reduce((sum: number, miss) => sum + miss, 0)
    assert.ok(misses <= 10, `${misses}`)
  })

  it('finds a difference of bounded losses', () => {
    const uniform = toUniform(6)
    const xs = Array.from({ length: 4000 }, () => (uniform() < 0.08 ? 1 : uniform() < 0.03 ? -1 : 0))
    assert.ok(toBoundedSequence(toState(xs), rule).lower > 0)
  })

  it('says nothing of no labels', () => {
    const found = toBoundedSequence(emptyBounded, rule)
    assert.deepEqual([found.lower, found.upper, found.n], [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0])
  })
})

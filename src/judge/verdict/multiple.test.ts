import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toDiscoveries, toPairCount, toSharedRule } from './multiple.ts'

describe('several comparisons', () => {
  it('toSharedRule() gives each an equal part of alpha', () => {
    assert.deepEqual(toSharedRule({ alpha: 0.05, tOpt: 500 }, 4), { alpha: 0.0125, tOpt: 500 })
    assert.deepEqual(toSharedRule({ alpha: 0.05, tOpt: 500 }, 0), { alpha: 0.05, tOpt: 500 })
  })

  it('toPairCount() counts the pairs of a champion and its challengers', () => {
    assert.deepEqual([1, 2, 3, 4].map(toPairCount), [1, 3, 6, 10])
  })

  it('toDiscoveries() does not mind the order, and finds all that a union bound finds', () => {
    const values = fc.array(fc.double({ min: -5, max: 9, noNaN: true }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(values, logE => {
        const found = toDiscoveries(logE, 0.05)
        assert.deepEqual(toDiscoveries(logE.toReversed(), 0.05), found.toReversed())
        logE.forEach((value, i) => {
          assert.ok(found[i] || value < Math.log(logE.length / 0.05))
        })
      }),
    )
  })
})

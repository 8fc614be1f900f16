import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mergeEnds, narrow, noEnds, widen } from './ends.ts'

describe('Ends', () => {
  const of = (...numbers: readonly number[]) => numbers.reduce(widen, noEnds)

  it('count how often the smallest and the largest are there', () => {
    assert.deepEqual(of(2, -1, 2, -1, -1, 0), { low: -1, lows: 3, high: 2, highs: 2 })
  })

  it('are not known any more when the last of one was taken out', () => {
    const one = narrow(of(1, 1, 5), 1)
    assert.deepEqual(one, { low: 1, lows: 1, high: 5, highs: 1 })
    assert.equal(narrow(one, 1).lows, 0)
  })

  it('of two lots are those of all', () => {
    assert.deepEqual(mergeEnds(of(3, 1), of(1, 7, 7)), of(3, 1, 1, 7, 7))
    assert.deepEqual(mergeEnds(noEnds, of(4)), of(4))
    assert.deepEqual(mergeEnds(of(4), noEnds), of(4))
  })
})

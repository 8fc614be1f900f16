import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { countEdits, findNearest } from './nearest.ts'

describe('countEdits()', () => {
  const table = [
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['replicas', 'replcas', 1],
    ['serve', 'sevre', 1],
    ['ca', 'abc', 3],
  ] as const
  for (const [a, b, wanted] of table) {
    it(`counts ${wanted} between "${a}" and "${b}"`, () => assert.equal(countEdits(a, b), wanted))
  }

  it('is symmetric, and 0 for equal words only', () => {
    const word = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', 'c') })
    fc.assert(
      fc.property(word, word, (a, b) => {
        assert.equal(countEdits(a, b), countEdits(b, a))
        assert.equal(countEdits(a, b) === 0, a === b)
      }),
    )
  })
})

describe('findNearest()', () => {
  it('finds a near word and no far one', () => {
    assert.equal(findNearest('Replcas', ['requests', 'replicas']), 'replicas')
    assert.equal(findNearest('zzz', ['requests', 'replicas']), undefined)
    assert.equal(findNearest('x', []), undefined)
  })
})

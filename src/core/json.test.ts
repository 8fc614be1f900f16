import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isObject, toCanonicalJson } from './json.ts'

/** The same value with the keys of every object in reverse order. */
function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reverseKeys(inner)]),
  )
}

describe('toCanonicalJson()', () => {
  it('sorts keys at every depth, keeps the order of lists and writes no space', () => {
    assert.equal(toCanonicalJson({ b: [{ d: 1, c: 2 }, 0], a: 'x y' }), '{"a":"x y","b":[{"c":2,"d":1},0]}')
  })
  it('gives one text for one value, whatever the order of its keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => assert.equal(toCanonicalJson(reverseKeys(value)), toCanonicalJson(value))),
    )
  })
  it('gives a text that reads back as the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value =>
        assert.deepEqual(JSON.parse(toCanonicalJson(value)), JSON.parse(JSON.stringify(value))),
      ),
    )
  })
})

describe('isObject()', () => {
  const CASES = [
    ['{}', {}, true],
    ['an object without prototype', Object.create(null), true],
    ['[]', [], false],
    ['null', null, false],
    ['undefined', undefined, false],
    ['a text', 'x', false],
    ['a function', () => {}, false],
  ] as const
  for (const [name, value, wanted] of CASES) {
    it(`is ${wanted} for ${name}`, () => assert.equal(isObject(value), wanted))
  }
})

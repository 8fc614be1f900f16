import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toFloatText, toShortestFloat32 } from './number-text.ts'

/** Significant digits of a number's shortest text. */
const toDigits = (value: number): number => value.toExponential().replace(/e.*|[-.]/g, '').length

describe('toShortestFloat32()', () => {
  it('gives a decimal that reads back as the same number, and none shorter does', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), value => {
        const short = toShortestFloat32(value)
        assert.equal(Math.fround(short), value)
        const digits = [1, 2, 3, 4, 5, 6, 7, 8, 9].find(
          count => Math.fround(Number(value.toPrecision(count))) === value,
        )
        assert.equal(toDigits(short), toDigits(Number(value.toPrecision(digits ?? 9))))
      }),
      { numRuns: 5000 },
    )
  })
  const table: readonly [value: number, text: string][] = [
    [Math.fround(0.1), '0.1'],
    [Math.fround(16777216), '16777216.0'],
    [3, '3.0'],
    [-0, '-0.0'],
    [Math.fround(1e-45), '1e-45'],
    [Math.fround(3.4028235e38), '3.4028235e+38'],
    [Math.fround(0.00003), '0.00003'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ]
  for (const [value, text] of table) {
    it(`prints ${text}`, () => assert.equal(toFloatText(toShortestFloat32(value)), text))
  }
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHalfBits, toHalfBits } from './half.ts'

describe('toHalfBits()', () => {
  const table: readonly [value: number, bits: number][] = [
    [0, 0],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.01, 0x0001],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [0.999999999999, 0x3c00],
    [Number.POSITIVE_INFINITY, 0x7c00],
    [Number.NaN, 0x7e00],
  ]
  for (const [value, bits] of table) {
    it(`rounds ${value} to 0x${bits.toString(16)}`, () => assert.equal(toHalfBits(value), bits))
  }

  it('takes every half back to its own bits', () => {
    for (let bits = 0; bits < 65536; bits += 1) {
      const value = fromHalfBits(bits)
      if (!Number.isNaN(value)) assert.equal(toHalfBits(value), bits)
    }
  })
})

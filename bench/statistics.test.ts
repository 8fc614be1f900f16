import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toMedian, toQuantile } from './statistics.ts'

describe('toMedian()', () => {
  const rows = [
    ['of an odd number is the middle one', [9, 1, 5], 5],
    ['of an even number is the mean of the two in the middle', [4, 1, 9, 2], 3],
    ['of one is that', [7], 7],
    ['of none is no number', [], Number.NaN],
  ] as const
  for (const [name, numbers, wanted] of rows) it(name, () => assert.equal(toMedian(numbers), wanted))
})

describe('toQuantile()', () => {
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at)
  const rows = [
    ['0.5 of 1 to 100 is 50', hundred, 0.5, 50],
    ['0.99 of 1 to 100 is 99', hundred, 0.99, 99],
    ['1 is the largest', hundred, 1, 100],
    ['0 is the smallest', hundred, 0, 1],
    ['of none is no number', [], 0.5, Number.NaN],
  ] as const
  for (const [name, numbers, share, wanted] of rows) it(name, () => assert.equal(toQuantile(numbers, share), wanted))
})

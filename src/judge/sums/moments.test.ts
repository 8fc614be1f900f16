import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { assertNear } from '../testing/near.ts'
import { emptyMoments, fold, type Moments, merge, remove, variance } from './moments.ts'

const toMoments = (xs: readonly number[]): Moments => xs.reduce(fold, emptyMoments)
const sample = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { maxLength: 40 })

function assertSame(found: Moments, wanted: Moments): void {
  assert.equal(found.count, wanted.count)
  assertNear(found.mean, wanted.mean)
  assertNear(found.m2, wanted.m2)
}

describe('moments', () => {
  it('variance() is 0 below two numbers', () => {
    assert.equal(variance(emptyMoments), 0)
    assert.equal(variance(toMoments([5])), 0)
  })

  it('fold() finds no spread in equal numbers', () => {
    assert.equal(toMoments(Array(1000).fill(0.1)).m2, 0)
  })

  it('merge() is the fold of both, in any order and grouping', () => {
    fc.assert(
      fc.property(sample, sample, sample, (a, b, c) => {
        const [left, middle, right] = [toMoments(a), toMoments(b), toMoments(c)]
        assertSame(merge(merge(left, middle), right), toMoments([...a, ...b, ...c]))
        assertSame(merge(left, merge(middle, right)), merge(merge(right, left), middle))
      }),
    )
  })

  it('remove() undoes fold()', () => {
    fc.assert(
      fc.property(sample, fc.double({ min: -1e3, max: 1e3, noNaN: true }), (xs, x) => {
        assertSame(remove(fold(toMoments(xs), x), x), toMoments(xs))
      }),
    )
  })
})

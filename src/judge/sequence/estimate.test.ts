import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { emptyMoments, fold, type Moments } from '../sums/moments.ts'
import { assertNear } from '../testing/near.ts'
import { toEpochsEstimate, toPairedEstimate, toSplitEstimate } from './estimate.ts'

const toMoments = (xs: readonly number[]): Moments => xs.reduce(fold, emptyMoments)
const sample = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 2, maxLength: 40 })

describe('estimate', () => {
  it('turns round where the arms are swapped', () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const there = toSplitEstimate(toMoments(a), toMoments(b))
        const back = toSplitEstimate(toMoments(b), toMoments(a))
        assertNear(back.estimate, -there.estimate)
        assertNear(back.se, there.se)
        assertNear(toPairedEstimate(toMoments(a.map(x => -x))).estimate, -toPairedEstimate(toMoments(a)).estimate)
      }),
    )
  })

  it('toEpochsEstimate() of one epoch is the plain split, and does not mind the order of more', () => {
    fc.assert(
      fc.property(sample, sample, sample, (x, y, z) => {
        const [a, b, c] = [toMoments(x), toMoments(y), toMoments(z)]
        const one = toEpochsEstimate([{ a, b }], toSplitEstimate)
        assertNear(one.se, toSplitEstimate(a, b).se)
        const [there, back] = [
          toEpochsEstimate(
            [
              { a, b },
              { a: b, b: c },
            ],
            toSplitEstimate,
          ),
          toEpochsEstimate(
            [
              { a: b, b: c },
              { a, b },
            ],
            toSplitEstimate,
          ),
        ]
        assertNear(back.estimate, there.estimate)
        assertNear(back.se, there.se)
      }),
    )
  })

  it('toEpochsEstimate() leaves out an epoch with one label in an arm', () => {
    const full = { a: toMoments([1, 2, 3]), b: toMoments([2, 2, 5]) }
    const lone = { a: toMoments([9, 9, 9]), b: toMoments([0]) }
    assert.deepEqual(toEpochsEstimate([full, lone], toSplitEstimate), toEpochsEstimate([full], toSplitEstimate))
  })

  it('toEpochsEstimate() of nothing is nothing', () => {
    assert.deepEqual(toEpochsEstimate([], toSplitEstimate), { estimate: 0, se: 0, n: 0 })
  })
})

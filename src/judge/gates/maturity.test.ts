import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { emptyMoments, fold } from '../sums/moments.ts'
import { type MatureArm, toLabelledShare, toMatureEstimate, toMissing } from './maturity.ts'

const toArm = (losses: readonly number[], missing: number): MatureArm => ({
  labelled: losses.reduce(fold, emptyMoments),
  missing,
})
const range = { low: 0, high: 1 }

describe('toMatureEstimate()', () => {
  const a = toArm([1, 0, 1, 0], 4)
  const b = toArm([0, 0, 1, 0], 0)

  it('leaves missing labels out', () => {
    assert.equal(toMatureEstimate(a, b, { policy: 'exclude' }).worst.estimate, 0.25)
  })

  it('takes missing labels for a no', () => {
    const { worst, best } = toMatureEstimate(a, b, { policy: 'negative', loss: 0 })
    assert.deepEqual([worst.estimate, worst.n], [0, 12])
    assert.deepEqual(best, worst)
  })

  it('brackets the improvement whatever the missing labels are', () => {
    const losses = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(losses, losses, losses, losses, (seenA, seenB, unseenA, unseenB) => {
        const { worst, best } = toMatureEstimate(toArm(seenA, unseenA.length), toArm(seenB, unseenB.length), {
          policy: 'bounds',
          range,
        })
        const full = toMatureEstimate(toArm([...seenA, ...unseenA], 0), toArm([...seenB, ...unseenB], 0), {
          policy: 'exclude',
        })
        assert.ok(worst.estimate <= full.worst.estimate + 1e-12)
        assert.ok(best.estimate >= full.worst.estimate - 1e-12)
      }),
    )
  })
})

describe('the mature cohort', () => {
  it('counts what has no label once it should have one', () => {
    assert.equal(toMissing({ predicted: 100, mature: 60, labelled: 45 }), 15)
    assert.equal(toLabelledShare({ predicted: 100, mature: 60, labelled: 45 }), 0.75)
    assert.equal(toLabelledShare({ predicted: 10, mature: 0, labelled: 0 }), undefined)
  })
})

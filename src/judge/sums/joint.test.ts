import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { assertNear } from '../testing/near.ts'
import { emptyJoint, foldJoint, type JointMoments, mergeJoint, removeJoint } from './joint.ts'
import { emptyMoments, fold } from './moments.ts'
import { toAdjustedEstimate, toRatioDifference, toRatioEstimate } from './ratio.ts'

type Pair = readonly [number, number]
const number = fc.double({ min: -1e3, max: 1e3, noNaN: true })
const pairs = fc.array(fc.tuple(number, number), { maxLength: 40 })
const toJoint = (rows: readonly Pair[]): JointMoments => rows.reduce((sum, [x, y]) => foldJoint(sum, x, y), emptyJoint)

function assertSame(found: JointMoments, wanted: JointMoments): void {
  assert.equal(found.count, wanted.count)
  for (const key of ['meanX', 'meanY', 'm2X', 'm2Y', 'xy'] as const)
    assertNear(found[key], wanted[key], 1e-9 * Math.max(1, wanted.m2X + wanted.m2Y))
}

describe('joint moments', () => {
  it('have the moments of each of their numbers', () => {
    fc.assert(
      fc.property(pairs, rows => {
        const found = toJoint(rows)
        const wanted = rows.map(([x]) => x).reduce(fold, emptyMoments)
        assertNear(found.meanX, wanted.mean)
        assertNear(found.m2X, wanted.m2)
      }),
    )
  })

  it('mergeJoint() is the fold of both, in any order and grouping', () => {
    fc.assert(
      fc.property(pairs, pairs, pairs, (a, b, c) => {
        const [left, middle, right] = [toJoint(a), toJoint(b), toJoint(c)]
        assertSame(mergeJoint(mergeJoint(left, middle), right), toJoint([...a, ...b, ...c]))
        assertSame(mergeJoint(left, mergeJoint(middle, right)), mergeJoint(mergeJoint(right, left), middle))
      }),
    )
  })

  it('removeJoint() undoes foldJoint()', () => {
    fc.assert(
      fc.property(pairs, number, number, (rows, x, y) => {
        assertSame(removeJoint(foldJoint(toJoint(rows), x, y), x, y), toJoint(rows))
      }),
    )
  })
})

describe('ratio estimates', () => {
  const units = fc.array(fc.tuple(number, fc.integer({ min: 1, max: 9 })), { minLength: 2, maxLength: 40 })

  it('toRatioEstimate() of single labels is their mean', () => {
    const terms = toJoint([1, 2, 4, 9].map((x): Pair => [x, 1]))
    assert.deepEqual(toRatioEstimate(terms), { estimate: 4, se: Math.sqrt(38 / 12), n: 4 })
  })

  it('turn round where the arms are swapped, and scale with the loss', () => {
    fc.assert(
      fc.property(units, units, (a, b) => {
        const there = toRatioDifference(toJoint(a), toJoint(b))
        const back = toRatioDifference(toJoint(b), toJoint(a))
        assertNear(back.estimate, -there.estimate)
        assertNear(back.se, there.se)
        const scale = (rows: readonly Pair[]): readonly Pair[] => rows.map(([x, y]) => [4 * x, y])
        const scaled = toRatioDifference(toJoint(scale(a)), toJoint(scale(b)))
        assertNear(scaled.estimate / 4, there.estimate)
        assertNear(scaled.se / 4, there.se, 1e-7)
      }),
    )
  })

  it('toAdjustedEstimate() takes out what the covariate foretells', () => {
    const a = Array.from({ length: 50 }, (_, i): Pair => [3 + 2 * Math.sin(i), Math.sin(i)])
    const b = Array.from({ length: 50 }, (_, i): Pair => [2 + 2 * Math.cos(i), Math.cos(i)])
    const found = toAdjustedEstimate(toJoint(a), toJoint(b))
    assert.ok(Math.abs(found.estimate - 1) < 0.1)
    assert.ok(found.se < 0.1)
    const flat = toAdjustedEstimate(toJoint(a.map(([x]) => [x, 7])), toJoint(b.map(([x]) => [x, 7])))
    assert.equal(flat.theta, 0)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RacePointJson } from '../api/verdict.ts'
import { addPoint, MAX_POINTS } from './series.ts'

const point = (n: number, estimate = n): RacePointJson => ({ n, at: '', estimate, lower: null, upper: null })

describe('addPoint()', () => {
  it('spans the race with a bounded number of points, in order', () => {
    let points: readonly RacePointJson[] = []
    for (let n = 1; n <= 5000; n++) {
      points = addPoint(points, point(n))
      assert.ok(points.length <= MAX_POINTS)
    }
    assert.equal(points[0]?.n, 1)
    assert.equal(points.at(-1)?.n, 5000)
    assert.ok(points.every((one, at) => at === 0 || one.n > (points[at - 1]?.n ?? 0)))
    assert.ok(points.length > MAX_POINTS / 4)
  })

  it('goes on from fewer labels where fewer count than before', () => {
    assert.deepEqual(addPoint([point(1), point(5), point(9)], point(6)), [point(1), point(5), point(6)])
  })

  it('replaces the last point at the same number of labels', () => {
    assert.deepEqual(addPoint([point(1), point(2)], point(2, 7)), [point(1), point(2, 7)])
  })
})

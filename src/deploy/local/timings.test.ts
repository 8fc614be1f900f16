import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toRestartMs, withDefaultTimings } from './timings.ts'

describe('toRestartMs()', () => {
  it('mends the first death of a process that served quickly, and then doubles up to the bound', () => {
    const timings = withDefaultTimings({ quickRestartMs: 250, minRestartMs: 500, maxRestartMs: 3000 })
    const toWaits = (wasReady: boolean): readonly number[] =>
      [1, 2, 3, 4, 5, 2000].map(failures => toRestartMs({ failures, wasReady }, timings))
    assert.deepEqual(toWaits(true), [250, 1000, 2000, 3000, 3000, 3000])
    assert.deepEqual(toWaits(false), [500, 1000, 2000, 3000, 3000, 3000])
  })
})

describe('withDefaultTimings()', () => {
  for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    it(`refuses ${value}`, () => assert.throws(() => withDefaultTimings({ drainMs: value }), { code: 'TIMING' }))
})

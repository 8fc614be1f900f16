import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHistory } from './series.ts'
import { toWindows } from './windows.ts'

describe('toWindows()', () => {
  it('cuts whole windows with each target one value ahead', () => {
    const { count, x, y } = toWindows([1, 2, 3, 4, 5, 6, 7, 8], 3)
    assert.equal(count, 2)
    assert.deepEqual([...x], [1, 2, 3, 4, 5, 6])
    assert.deepEqual([...y], [2, 3, 4, 5, 6, 7])
  })

  it('leaves out a last window whose last target is missing', () => assert.equal(toWindows([1, 2, 3, 4], 2).count, 1))

  it('cuts 68 windows of 100 from the historical series', () => {
    assert.equal(toWindows(toHistory().map(day => day.value)).count, 68)
  })

  it('refuses a series shorter than one window and its target', () => {
    assert.throws(() => toWindows([1, 2, 3], 3), /expected at least 4 values, found 3/)
  })
})

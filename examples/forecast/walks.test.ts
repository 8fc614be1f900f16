import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { toHistory } from './series.ts'
import { type LiveRow, toLongWalk, toWalk } from './walks.ts'

const toSteps = (row: LiveRow): number[] => {
  const values = [...row.instance.flat(), row.truth]
  return values.slice(1).map((value, i) => value - (values[i] ?? Number.NaN))
}

describe('toWalk()', () => {
  it('gives each number a series of its own, the same every time', () => {
    const rows = Array.from({ length: 50 }, (_, n) => toWalk(n))
    assert.deepEqual(rows[7], toWalk(7))
    assert.equal(new Set(rows.map(row => row.series)).size, 50)
    assert.equal(new Set(rows.map(row => row.truth)).size, 50)
    assert.notEqual(toWalk(7).truth, toWalk(7, 2).truth)
  })

  it('holds 100 days and the next, with steps of the historical law', () => {
    const rows = Array.from({ length: 200 }, (_, n) => toWalk(n))
    assert.ok(rows.every(row => row.instance.length === 100))
    const steps = rows.flatMap(toSteps)
    assert.ok(steps.every(step => Math.abs(step) <= 10.0001))
    const variance = steps.reduce((sum, step) => sum + step * step, 0) / steps.length
    assert.ok(Math.abs(variance - 400 / 12) < 1, `variance ${variance}`)
  })

  it('starts at levels of the historical series', () => {
    const levels = toHistory().map(day => day.value)
    const [low, high] = [Math.min(...levels) - 10, Math.max(...levels) + 10]
    const starts = Array.from({ length: 200 }, (_, n) => toWalk(n).instance[0]?.[0] ?? Number.NaN)
    assert.ok(starts.every(start => start >= low && start <= high))
    assert.ok(Math.max(...starts) - Math.min(...starts) > (high - low) / 2)
  })
})

describe('toLongWalk()', () => {
  it('moves on by a day from row to row, wherever it is begun', () => {
    const rows = [...toLongWalk(0, 5)]
    assert.deepEqual([...toLongWalk(3, 2)], rows.slice(3))
    assert.deepEqual(
      rows.map(row => row.at),
      ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04', '2026-01-05'],
    )
    for (const [i, row] of rows.slice(1).entries()) {
      assert.equal(row.series, 'long-walk')
      assert.equal(row.instance.at(-1)?.[0], rows[i]?.truth)
    }
  })
})

describe('live.ts', () => {
  const live = (...args: string[]): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [join(import.meta.dirname, 'live.ts'), ...args], { encoding: 'utf8', timeout: 30_000 })

  it('prints the rows asked for, one a line', () => {
    const lines = String(live('--from', '123', '--count', '2').stdout)
      .trimEnd()
      .split('\n')
    assert.deepEqual(
      lines.map(line => JSON.parse(line)),
      [toWalk(123), toWalk(124)],
    )
    assert.equal(toWalk(123).series, 'walk-000123')
  })

  it('refuses a count that is none', () => {
    const { status, stderr } = live('--count', 'many')
    assert.equal(status, 1)
    assert.match(String(stderr), /--count many: expected a whole number/)
  })
})

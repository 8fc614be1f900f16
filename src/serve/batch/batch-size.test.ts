import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toBatchSize, toSizes } from './batch-size.ts'

/** Learns from runs of a model whose run costs so much beside its rows, always asked for as many rows as it may. */
function learn(maxRows: number, maxRunMs: number, costMs: (rows: number) => number, runs = 40): number {
  const size = toBatchSize({ maxRows, maxRunMs })
  for (let at = 0; at < runs; at += 1) {
    const rows = size.maxRows
    size.learn(rows, costMs(rows))
  }
  return size.maxRows
}

describe('toBatchSize()', () => {
  it('grows to the largest size where a run costs the same whatever its rows', () => {
    assert.equal(
      learn(64, 5, rows => 0.012 + rows * 0.0002),
      64,
    )
    assert.equal(
      learn(50, 5, rows => 0.012 + rows * 0.0002),
      50,
    )
  })

  it('stops where a row is no cheaper, once runs are no longer short', () => {
    assert.equal(
      learn(64, 5, rows => 0.05 + rows * 0.072),
      32,
    )
  })

  it('takes one row at a time where a run is long and gains nothing', () => {
    assert.equal(
      learn(64, 100, rows => rows * 36),
      1,
    )
  })

  it('goes on where long runs gain', () => {
    assert.equal(
      learn(64, 100, rows => 20 + rows * 0.5),
      64,
    )
  })

  it('keeps to the time that a run may take', () => {
    assert.equal(
      learn(64, 110, rows => 20 + rows * 2),
      32,
    )
    assert.equal(
      learn(64, 5, rows => rows * 0.9),
      4,
    )
  })

  it('finds back after readings that a busy machine made worse', () => {
    const size = toBatchSize({ maxRows: 64, maxRunMs: 100 })
    size.learn(1, 10)
    size.learn(2, 60)
    assert.equal(size.maxRows, 1)
    for (let at = 0; at < 1_000; at += 1) size.learn(size.maxRows, 9 + size.maxRows)
    assert.ok(size.maxRows >= 32, `${size.maxRows}`)
  })

  it('follows a machine that becomes slower', () => {
    const size = toBatchSize({ maxRows: 8, maxRunMs: 5 })
    for (let at = 0; at < 10; at += 1) size.learn(size.maxRows, size.maxRows * 0.1)
    assert.equal(size.maxRows, 8)
    for (let at = 0; at < 500; at += 1) size.learn(size.maxRows, size.maxRows)
    assert.equal(size.maxRows, 4)
  })
})

describe('toSizes()', () => {
  it('doubles up to the largest, which counts itself', () => {
    assert.deepEqual([toSizes(1), toSizes(8), toSizes(10)], [[1], [1, 2, 4, 8], [1, 2, 4, 8, 10]])
  })
})

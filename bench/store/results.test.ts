import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Measured, toClaims, toFlatness, toLines } from './results.ts'

const slice = (ms: number) => ({
  ...{ kind: 'slice' as const, requests: 1000 },
  predictions: { ms, cpuMs: ms / 2 },
  truths: { ms: ms / 2, cpuMs: ms / 4 },
})
const look = (predictions: number) => ({
  ...{ kind: 'look' as const, predictions, readMs: 1, recomputeMs: predictions / 100 },
  ...{ rssBytes: 1e8, pairs: [1, 1] as const },
})
const measured = (slices: Measured['slices']): Measured => ({
  ...{ database: 'postgres', slices, looks: [look(4000), look(20_000)], rowByRow: [{ own: 1000, one: 4000 }] },
})

describe('toLines()', () => {
  it('sums up the slices of each size', () => {
    const lines = toLines(measured([40, 40, ...Array(8).fill(80)].map(slice)))
    assert.deepEqual(
      lines.map(({ predictions, predictionsPerS, truthsPerCpuS }) => [predictions, predictionsPerS, truthsPerCpuS]),
      [
        [4000, 50_000, 100_000],
        [20_000, 25_000, 50_000],
      ],
    )
  })
})

describe('toFlatness()', () => {
  it('is the cost at the begin over that at the end', () => {
    assert.equal(toFlatness(measured(Array(20).fill(40).map(slice)), 'ms'), 1)
    const slower = [40, 40, 40, 40, ...Array(16).fill(80)]
    assert.equal(toFlatness(measured(slower.map(slice)), 'cpuMs'), 0.5)
  })
})

describe('toClaims()', () => {
  it('says what holds', () => {
    const claims = toClaims(measured(Array(10).fill(40).map(slice)))
    assert.deepEqual(
      claims.map(({ found, holds, name }) => [name, found, holds]),
      [
        ['postgres: last slices as fast as the first (CPU)', '1.00', true],
        ['postgres: reading the scoreboard, ms', '1.00', true],
        ['postgres: memory, MB', '100', true],
        ['postgres: predictions / single inserts', '50.0', true],
      ],
    )
    const poor = toClaims(measured(Array(10).fill(400).map(slice)))
    assert.equal(poor.at(-1)?.holds, false)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Results, toMedian, toRatio, toRows } from './results.ts'

const RESULTS: Results = {
  schema: 'regatta/bench-deploy/v1',
  deployMs: [900, 1100, 1200],
  kubectlMs: [1000, 1000, 1000],
  promoteMs: [100, 200],
  rollbackMs: [100, 1500],
  promoteCommandMs: [800],
  rollbackCommandMs: [900],
  releaseMs: 4000,
  footprint: {
    idle: {
      gateway: { pods: 2, cpuCores: 0.004, memoryMiB: 120 },
      control: { pods: 1, cpuCores: 0.01, memoryMiB: 90 },
    },
    loaded: { gateway: { pods: 2, cpuCores: 0.4, memoryMiB: 150 }, control: { pods: 1, cpuCores: 0.2, memoryMiB: 99 } },
    rate: 499.7,
  },
}

describe('toMedian()', () => {
  it('takes the middle, or the mean of the two in the middle', () => {
    assert.deepEqual([toMedian([3, 1, 2]), toMedian([4, 1, 3, 2]), toMedian([7])], [2, 2.5, 7])
  })
})

describe('toRows()', () => {
  it('tells what was met by the medians of rollouts and by the slowest switch', () => {
    assert.equal(toRatio(RESULTS), 1.1)
    const marks = toRows(RESULTS).flatMap(([name, , , mark]) => (mark === '' ? [] : [[name?.split(',')[0], mark]]))
    assert.deepEqual(marks, [
      ['ratio of the medians', 'met'],
      ['promotion', 'met'],
      ['rollback', 'missed'],
    ])
  })

  it('tells what gateway and control use, where that could be measured', () => {
    const { footprint: _, ...rest } = RESULTS
    assert.ok(
      toRows(RESULTS).some(([name, use]) => name === 'control, at 500 requests/s' && use === '200m CPU, 99 MiB'),
    )
    assert.equal(toRows({ ...rest, footprint: undefined }).length, toRows(RESULTS).length - 4)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toVerdicts } from './claims.ts'
import type { MemoryResult, Results, Sample } from './results.ts'

const NOTHING: Results = { samples: [], starts: [], health: [], memory: [], loading: [], problems: [] }

const toSample = (changes: Partial<Sample>): Sample => ({
  model: 'mlp',
  contender: 'regatta',
  protocol: 'v2-json',
  connections: 16,
  round: 0,
  requests: 100,
  errors: 0,
  cpuUs: 30,
  perSecond: 1000,
  p50Ms: 1,
  p99Ms: 2,
  rssBytes: 1e6,
  ...changes,
})

const readVerdict = (results: Partial<Results>, start: string) => {
  const found = toVerdicts({ ...NOTHING, ...results }).find(({ claim }) => claim.startsWith(start))
  assert.ok(found, `no claim begins with "${start}"`)
  return found
}

describe('toVerdicts()', () => {
  it('has met nothing where nothing was measured', () => {
    const verdicts = toVerdicts(NOTHING)
    assert.ok(verdicts.length > 20)
    for (const { claim, measured, shown, isMet } of verdicts) {
      assert.ok(Number.isNaN(measured), claim)
      assert.deepEqual([shown, isMet], ['-', false])
    }
  })

  it('takes the median of the ratios of each round', () => {
    const speeds = [
      [1000, 100],
      [9000, 300],
      [4000, 200],
    ] as const
    const samples = speeds.flatMap(([own, other], round) => [
      toSample({ round, perSecond: own }),
      toSample({ round, perSecond: other, contender: 'mlserver-workers-0' }),
    ])
    const { measured, shown, target, isMet } = readVerdict({ samples }, 'mlp: V2 JSON throughput ÷ MLServer, workers 0')
    assert.deepEqual([measured, shown, target, isMet], [20, '20×', '≥ 10×', true])
  })

  it('leaves out a round that only one of both has', () => {
    const other = { contender: 'mlserver-workers-0', perSecond: 100 }
    const samples = [toSample({}), toSample(other), toSample({ round: 1, perSecond: 90_000 })]
    assert.equal(readVerdict({ samples }, 'mlp: V2 JSON throughput ÷ MLServer, workers 0').measured, 10)
  })

  it('does not meet a ratio that is below its target', () => {
    const samples = [toSample({}), toSample({ contender: 'mlserver-workers-0', perSecond: 101 })]
    assert.equal(readVerdict({ samples }, 'mlp: V2 JSON throughput ÷ MLServer, workers 0').isMet, false)
  })

  it('shows a ratio below 1 as a fraction', () => {
    const samples = [toSample({}), toSample({ contender: 'fastapi', protocol: 'json', cpuUs: 240 })]
    const { shown, target, isMet } = readVerdict({ samples }, 'mlp: V2 JSON CPU per request ÷ FastAPI')
    assert.deepEqual([shown, target, isMet], ['1/8', '≤ 1/5', true])
  })

  it('compares 64 connections with one raw call', () => {
    const rnn = { model: 'rnn' } as const
    const samples = [
      toSample({ ...rnn, cpuUs: 500 }),
      toSample({ ...rnn, cpuUs: 130, connections: 64 }),
      toSample({ ...rnn, contender: 'limit-ort-node', protocol: 'call', connections: 1, cpuUs: 100 }),
    ]
    const { measured, isMet } = readVerdict({ samples }, 'rnn: V2 JSON, 64 connections')
    assert.deepEqual([measured, isMet], [1.3, false])
  })

  it('compares a probe of life with the runtime and with inference in the same thread', () => {
    const raw = toSample({ model: 'cnn', contender: 'limit-ort-node', protocol: 'call', connections: 1, p50Ms: 40 })
    const health = [
      { model: 'cnn', contender: 'regatta', probes: 9, p50Ms: 1, p95Ms: 20 },
      { model: 'cnn', contender: 'node-by-hand', probes: 9, p50Ms: 1, p95Ms: 100 },
    ] as const
    const over = (start: string) => readVerdict({ samples: [raw], health }, start)
    assert.deepEqual(over('health p95 under a saturated cnn ÷ one raw call').measured, 0.5)
    assert.equal(over('health p95 under a saturated cnn ÷ one raw call').isMet, true)
    assert.equal(over('health p95 under a saturated cnn ÷ inference inline').shown, '1/5')
    assert.equal(over('health p95 under a saturated cnn ÷ inference inline').isMet, false)
  })

  it('compares the slowest answers with and without the loading of another model', () => {
    const loading = [2, 3, 9].map(loadingP99Ms => ({ quietP99Ms: 2, loadingP99Ms, loadMs: [300] }))
    const { measured, isMet } = readVerdict({ loading }, 'mlp: p99 while another model is loaded')
    assert.deepEqual([measured, isMet], [1.5, true])
  })

  it('compares starts with the mlp alone', () => {
    const start = { model: 'mlp', cpuS: 0.2, wallS: 1, rssBytes: 1 } as const
    const starts = [
      { ...start, contender: 'regatta' },
      { ...start, contender: 'fastapi', cpuS: 1 },
      { ...start, contender: 'fastapi', cpuS: 100, model: 'cnn' },
    ] as const
    const { shown, isMet } = readVerdict({ starts }, 'mlp: CPU from start to first answer ÷ FastAPI')
    assert.deepEqual([shown, isMet], ['1/5', true])
  })

  describe('on memory', () => {
    const over = (minutes: number, megabytes: readonly number[]): { memory: readonly MemoryResult[] } => ({
      memory: [{ contender: 'regatta', minutes, rssBytes: megabytes.map(size => size * 1e6) }],
    })
    const growing = [50, 90, 100, 100, 105, 105, 110, 110]

    it('takes the peak', () => {
      const { shown, isMet } = readVerdict(over(10, growing), 'mlp: memory over 10 minutes')
      assert.deepEqual([shown, isMet], ['110 MB', true])
    })

    it('compares the last quarter with the second', () => {
      const { measured, isMet } = readVerdict(over(10, growing), 'mlp: memory, last quarter')
      assert.deepEqual([measured, isMet], [1.1, false])
    })

    it('says nothing of a shorter load', () => {
      assert.equal(readVerdict(over(9, growing), 'mlp: memory over 10 minutes').shown, '-')
    })
  })
})

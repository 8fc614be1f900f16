import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toLines, toReport } from './report.ts'
import type { Results, Sample } from './results.ts'

const toSample = (contender: string, round: number, cpuUs: number, changes: Partial<Sample> = {}): Sample => ({
  ...{ model: 'mlp', contender, protocol: 'v2-json', connections: 16, round, requests: 10, errors: 1, cpuUs },
  ...{ perSecond: 1 / cpuUs, p50Ms: 1, p99Ms: 2, rssBytes: 90e6 },
  ...changes,
})

const toResults = (samples: readonly Sample[]): Results => ({
  ...{ samples, starts: [], health: [], memory: [], loading: [] },
  problems: [{ contender: 'pytriton', reason: 'ended with 1\nTraceback\nImportError: no library' }],
})

describe('toLines()', () => {
  it('takes medians of the rounds, and of the ratios of each', () => {
    const samples = [
      ...[toSample('regatta', 0, 10), toSample('kserve', 0, 500)],
      ...[toSample('regatta', 1, 20), toSample('kserve', 1, 600)],
      ...[toSample('regatta', 2, 30), toSample('kserve', 2, 700)],
    ]
    const [own, other] = toLines(toResults(samples))
    assert.deepEqual([own?.contender, own?.cpuUs, own?.cpuRatio, own?.rounds], ['regatta', 20, 1, 3])
    assert.deepEqual([other?.contender, other?.cpuUs, other?.cpuRatio, other?.errors], ['kserve', 600, 30, 3])
  })

  const own = toSample('regatta', 0, 10)
  const bases = [
    ['its own protocol', { protocol: 'v2-grpc' }, [toSample('regatta', 0, 20, { protocol: 'v2-grpc' })], 5],
    ['V2 JSON where regatta does not speak its protocol', { protocol: 'json' }, [], 10],
    ['as many connections', { connections: 64 }, [toSample('regatta', 0, 5, { connections: 64 })], 20],
    ['what there is where none has as many', { protocol: 'call', connections: 1 }, [], 10],
  ] as const
  for (const [name, changes, more, wanted] of bases) {
    it(`compares with regatta in ${name}`, () => {
      const lines = toLines(toResults([own, ...more, toSample('other', 0, 100, changes)]))
      assert.equal(lines.at(-1)?.cpuRatio, wanted)
    })
  }
})

describe('toReport()', () => {
  it('says what was left out, in one line', () => {
    const report = toReport(toResults([toSample('regatta', 0, 10)]), [])
    assert.match(report, /^pytriton +ended with 1: ImportError: no library$/m)
  })

  it('shows a case and leaves out what was not measured', () => {
    const report = toReport(toResults([toSample('regatta', 0, 10)]), [])
    assert.match(report, /^mlp +regatta +v2-json +16 +10\.0 +1\.00 +0 +1\.00 +2\.00 +90 +1$/m)
    assert.doesNotMatch(report, /Start to first answer|Memory|Probe/)
  })
})

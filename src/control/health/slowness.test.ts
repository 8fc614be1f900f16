import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toRecord } from '../testing/place.ts'
import { type ReplicaLoad, ReplicaLoads } from './replica-loads.ts'
import { type Performance, type Slowness, toSlowness } from './slowness.ts'

const NOW = 1_000_000
const load = (replica: string, more: Partial<ReplicaLoad> = {}): ReplicaLoad => {
  return { replica, variant: 1, requests: 1000, failed: 0, p99Ms: 10, ...more }
}

/** Evidence and fix in one line. */
const toText = (found: Slowness | undefined): string => (found === undefined ? '' : `${found.evidence} ${found.fix}`)

const QUIET: Performance = { loads: [], throttled: new Map(), losses: [] }

describe('toSlowness()', () => {
  const cases: [name: string, loads: readonly ReplicaLoad[], code: string | undefined, words: RegExp][] = [
    ['names none of those that are alike', [load('a'), load('b', { p99Ms: 25 })], undefined, /^$/],
    [
      'names one whose p99 is far',
      [load('a', { p99Ms: 90 }), load('b'), load('c')],
      'P99_FAR_FROM_PEERS',
      /90 ms.*10 ms/,
    ],
    ['takes a few ms for nothing', [load('a', { p99Ms: 6 }), load('b', { p99Ms: 1 })], undefined, /^$/],
    [
      'names one that fails far more often',
      [load('a', { failed: 80 }), load('b', { failed: 1 })],
      'ERRORS_FAR_FROM_PEERS',
      /8 % .* 0\.1 %/,
    ],
    ['says nothing of one without peers', [load('a', { p99Ms: 900 }), load('b', { variant: 2 })], undefined, /^$/],
    ['says nothing by a few requests', [load('a', { p99Ms: 900, requests: 99 }), load('b')], undefined, /^$/],
  ]
  for (const [name, loads, code, words] of cases) {
    it(name, () => {
      const found = toSlowness({ ...QUIET, loads })
      assert.equal(found.get('a')?.code, code)
      assert.match(toText(found.get('a')), words)
      assert.equal(found.get('b'), undefined)
    })
  }

  it('names the cause where the kernel tells one', () => {
    const loads = [load('a', { p99Ms: 90 }), load('b')]
    const throttled = new Map([
      ['a', 0.6],
      ['b', 0.1],
    ])
    const found = toSlowness({ ...QUIET, loads, throttled })
    assert.equal(found.get('a')?.code, 'CPU_THROTTLED')
    assert.match(toText(found.get('a')), /60 %.*serve\.resources\.limits\.cpu/)
    assert.equal(found.get('b'), undefined)
  })
})

describe('toSlowness() of losses', () => {
  const loss = { replica: 'a', pairs: 80, share: 0.8, shareAtLeast: 0.62, meanLoss: 4, meanLossOfPeers: 1 }

  it('names one that loses more than its peers, with the evidence', () => {
    const found = toSlowness({ ...QUIET, loads: [load('a', { p99Ms: 90 }), load('b')], losses: [loss] })
    assert.equal(found.get('a')?.code, 'LOSS_FAR_FROM_PEERS')
    assert.match(toText(found.get('a')), /80 % of 80 pairs.*mean loss 4\.00, theirs 1\.00.*regatta logs a/)
  })

  it('names none of which that is not sure, or hardly so', () => {
    for (const [share, shareAtLeast] of [
      [0.8, 0.45],
      [0.55, 0.52],
    ] as const) {
      assert.equal(toSlowness({ ...QUIET, losses: [{ ...loss, share, shareAtLeast }] }).size, 0)
    }
  })
})

describe('ReplicaLoads', () => {
  const note = (loads: ReplicaLoads, replica: string, latencyUs: number, at = NOW, status = 200): void =>
    loads.note(toRecord(1, 1, 1, { replica, latencyUs, status }), at)

  it('tells requests, failures and p99 of the last minute', () => {
    const loads = new ReplicaLoads()
    for (let index = 0; index < 1000; index += 1) note(loads, 'a', index < 980 ? 1000 : 60_000)
    note(loads, 'a', 1000, NOW, 503)
    note(loads, '', 1000)
    const [found] = loads.read(NOW)
    assert.deepEqual([found?.replica, found?.requests, found?.failed], ['a', 1001, 1])
    assert.ok(Math.abs((found?.p99Ms ?? 0) - 60) < 4, `${found?.p99Ms}`)
  })

  it('takes a few slow requests among few for chance', () => {
    const loads = new ReplicaLoads()
    for (let index = 0; index < 200; index += 1) {
      note(loads, 'a', index < 195 ? 1000 : 60_000)
      note(loads, 'b', index < 185 ? 1000 : 60_000)
    }
    const [a, b] = loads.read(NOW)
    assert.ok((a?.p99Ms ?? 60) < 2 && (b?.p99Ms ?? 0) > 50, JSON.stringify([a, b]))
  })

  it('forgets what is older', () => {
    const loads = new ReplicaLoads()
    note(loads, 'a', 1000)
    note(loads, 'a', 1000, NOW + 55_000)
    assert.equal(loads.read(NOW + 55_000)[0]?.requests, 2)
    assert.equal(loads.read(NOW + 75_000)[0]?.requests, 1)
    assert.deepEqual(loads.read(NOW + 200_000), [])
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDigest, parseVariantName } from '../core/brands.ts'
import type { ProcessJson, StatusJson } from './api.ts'
import { toNotices } from './notices.ts'

const ready: ProcessJson = {
  ...{ name: 'p', state: 'ready', since: '', pid: null, restarts: 0, code: null, reason: null },
}

function toStatus(champion: string, replica: Partial<ProcessJson> = {}): StatusJson {
  const variant = { version: 1, digest: parseDigest(`sha256:${'a'.repeat(64)}`), weight: 1, live: true } as const
  const named = { name: parseVariantName(champion), role: 'champion', wantedReplicas: 1 } as const
  return {
    schema: 'regatta/status/v1',
    deployment: 'm',
    target: 'kubernetes',
    epoch: 1,
    ready: true,
    gateway: { url: null, grpcUrl: null, process: ready, droppedRecords: 0 },
    variants: [{ ...variant, ...named, replicas: [{ ...ready, name: 'r', ...replica }] }],
    races: [],
  }
}

describe('toNotices()', () => {
  const failing = { state: 'failing', code: 'OOM', reason: 'it needs more' } as const

  it('tells another champion once', () => {
    assert.deepEqual(toNotices(toStatus('a'), toStatus('b')), [
      { reason: 'ChampionChanged', text: 'The champion is b (version 1); it was a (version 1)', isWarning: false },
    ])
    assert.deepEqual(toNotices(toStatus('b'), toStatus('b')), [])
  })

  it('tells a replica that begins to fail, and not that it still does', () => {
    assert.deepEqual(toNotices(toStatus('a'), toStatus('a', failing)), [
      { reason: 'ReplicaFailing', text: 'r [OOM] it needs more', isWarning: true },
    ])
    assert.deepEqual(toNotices(toStatus('a', failing), toStatus('a', { ...failing, reason: 'again' })), [])
  })

  it('tells a replica that is ready and performs poorly under its own name', () => {
    const [notice] = toNotices(toStatus('a'), toStatus('a', { code: 'CPU_THROTTLED', reason: 'its limit' }))
    assert.equal(notice?.reason, 'ReplicaSlow')
  })

  it('tells nothing of what was there when control came up', () => {
    assert.deepEqual(toNotices(undefined, toStatus('a', failing)), [])
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ProcessJson, StatusJson } from './api.ts'
import { toNotices } from './notices.ts'
import { toStatusJson } from './testing/status.ts'

function toStatus(name: string, replica: Partial<ProcessJson> = {}): StatusJson {
  return toStatusJson({ name }, replica)
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

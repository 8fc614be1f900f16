import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ProcessJson, StatusJson } from '../api/status.ts'
import { toStatusJson } from '../testing/status.ts'
import { ProcessIncidents, toChampionNotices } from './notices.ts'

function toStatus(name: string, replica: Partial<ProcessJson> = {}): StatusJson {
  return toStatusJson({ name }, replica)
}

describe('toChampionNotices()', () => {
  it('tells another champion once', () => {
    assert.deepEqual(toChampionNotices(toStatus('a'), toStatus('b')), [
      { reason: 'ChampionChanged', text: 'The champion is b (version 1); it was a (version 1)', isWarning: false },
    ])
    assert.deepEqual(toChampionNotices(toStatus('b'), toStatus('b')), [])
    assert.deepEqual(toChampionNotices(undefined, toStatus('b')), [])
  })
})

describe('ProcessIncidents', () => {
  const failing = { state: 'failing', code: 'OOM', reason: 'it needs more' } as const
  const fine = toStatus('a')
  const failed = toStatus('a', failing)
  const open = (first = fine): ProcessIncidents => {
    const incidents = new ProcessIncidents()
    assert.deepEqual(incidents.note(first, 0), [])
    return incidents
  }

  it('tells a replica that begins to fail, and not that it still does', () => {
    const incidents = open()
    assert.deepEqual(incidents.note(failed, 1), [
      { process: 'r', reason: 'ReplicaFailing', text: 'r [OOM] it needs more', isWarning: true },
    ])
    assert.deepEqual(incidents.note(toStatus('a', { ...failing, reason: 'again' }), 2), [])
  })

  it('tells once that it is over, when it was quiet for a minute', () => {
    const incidents = open()
    incidents.note(failed, 0)
    assert.deepEqual(incidents.note(fine, 30_000), [])
    assert.deepEqual(incidents.note(failed, 40_000), [], 'it came and went')
    assert.deepEqual(incidents.note(fine, 99_999), [])
    assert.deepEqual(incidents.note(fine, 100_000), [
      { process: 'r', reason: 'ReplicaRecovered', text: 'r [OOM] is over', isWarning: false },
    ])
    assert.deepEqual(incidents.note(fine, 200_000), [])
  })

  it('takes one that was replaced for over at once', () => {
    const incidents = open()
    incidents.note(failed, 0)
    assert.equal(incidents.note(toStatus('a', { name: 's' }), 1)[0]?.reason, 'ReplicaRecovered')
  })

  it('tells a replica that is ready and performs poorly under its own name', () => {
    const [notice] = open().note(toStatus('a', { code: 'CPU_THROTTLED', reason: 'its limit' }), 1)
    assert.equal(notice?.reason, 'ReplicaSlow')
  })

  it('tells nothing of what was there when control came up but its end', () => {
    const incidents = open(failed)
    assert.deepEqual(incidents.note(failed, 1), [])
    assert.equal(incidents.note(fine, 60_001)[0]?.reason, 'ReplicaRecovered')
  })
})

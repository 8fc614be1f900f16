import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toEventObject } from './notice.ts'
import { at, textAt } from './object.ts'

describe('toEventObject()', () => {
  const where = { deployment: 'm', namespace: 'team', at: new Date(0), uid: undefined }

  it('is about the gateway, in the namespace', () => {
    const event = toEventObject({ reason: 'ChampionChanged', text: 'b', isWarning: false }, where)
    assert.deepEqual(at(event, 'involvedObject'), {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: 'm-gateway',
      namespace: 'team',
    })
    assert.deepEqual([textAt(event, 'type'), textAt(event, 'lastTimestamp')], ['Normal', '1970-01-01T00:00:00.000Z'])
  })

  it('names the very object, where it is known', () => {
    const event = toEventObject({ reason: 'Verdict', text: '', isWarning: false }, { ...where, uid: 'u' })
    assert.equal(textAt(event, 'involvedObject', 'uid'), 'u')
  })

  it('keeps to what an event may say', () => {
    const event = toEventObject({ reason: 'ReplicaFailing', text: 'é'.repeat(2000), isWarning: true }, where)
    assert.ok(Buffer.byteLength(textAt(event, 'message') ?? '') <= 1024)
    assert.equal(textAt(event, 'type'), 'Warning')
  })
})

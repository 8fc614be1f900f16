import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseChildMessage } from './message.ts'

describe('parseChildMessage()', () => {
  const good = [
    { kind: 'ready' },
    { kind: 'listening', port: 65_535 },
    { kind: 'listening', port: 8501, grpcPort: 8500 },
    { kind: 'failed', code: 'PORT_IN_USE', reason: 'Cannot listen' },
  ]
  for (const message of good)
    it(`reads "${message.kind}"`, () => assert.deepEqual(parseChildMessage({ ...message, more: 1 }), message))

  const bad = [
    { kind: 'listening', port: 0 },
    { kind: 'listening', port: 8501, grpcPort: 0 },
    { kind: 'listening', port: 65_536 },
    { kind: 'listening', port: 1.5 },
    { kind: 'listening', port: '80' },
    { kind: 'failed', code: 'lower' },
    { kind: 'failed', code: 'X'.repeat(65) },
    { kind: 'Ready' },
    ['ready'],
    'ready',
    null,
    undefined,
  ]
  for (const value of bad)
    it(`takes ${JSON.stringify(value)} for no message`, () => assert.equal(parseChildMessage(value), undefined))

  it('bounds the reason, and never throws', () => {
    const long = parseChildMessage({ kind: 'failed', code: 'MODEL', reason: 'x'.repeat(100_000) })
    assert.ok(long?.kind === 'failed')
    assert.equal(long.reason.length, 4096)
    fc.assert(fc.property(fc.anything(), value => void parseChildMessage(value)))
  })
})

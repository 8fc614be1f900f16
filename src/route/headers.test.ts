import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toClientHeaders, toReplicaHeaders } from './headers.ts'

describe('toReplicaHeaders()', () => {
  const headers = {
    host: 'gateway',
    connection: 'keep-alive, X-Once',
    'x-once': '1',
    'content-length': '3',
    'transfer-encoding': 'chunked',
    'accept-encoding': 'gzip',
    traceparent: '00-1-2-01',
    'x-regatta-entity': 'u',
  }
  it('keeps what is meant for the server, and no more', () =>
    assert.deepEqual(toReplicaHeaders(headers, false), {
      'accept-encoding': 'gzip',
      traceparent: '00-1-2-01',
      'x-regatta-entity': 'u',
    }))
  it('asks for a plain answer where it is recorded', () =>
    assert.equal(toReplicaHeaders(headers, true)['accept-encoding'], undefined))
})

describe('toClientHeaders()', () => {
  it('joins what came in several lines', () =>
    assert.deepEqual(toClientHeaders({ vary: ['a', 'b'], connection: 'close', 'content-length': '9' }, false), {
      vary: 'a, b',
    }))
  it('keeps the length of what HEAD left out', () =>
    assert.deepEqual(toClientHeaders({ 'content-length': '9' }, true), { 'content-length': '9' }))
})

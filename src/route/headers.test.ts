import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toClientHeaders, toReplicaHeaders, toTrace } from './headers.ts'

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
    'x-request-timeout-ms': '5',
    authorization: 'Bearer x',
  }
  it('keeps what is meant for the server, and no more', () =>
    assert.deepEqual(toReplicaHeaders(headers, false), {
      'accept-encoding': 'gzip',
      traceparent: '00-1-2-01',
      'x-regatta-entity': 'u',
      authorization: 'Bearer x',
    }))
  it('keeps back a token that was for the gateway', () =>
    assert.equal(toReplicaHeaders(headers, true)['authorization'], undefined))
})

describe('toClientHeaders()', () => {
  it('joins what came in several lines', () =>
    assert.deepEqual(toClientHeaders({ vary: ['a', 'b'], connection: 'close', 'content-length': '9' }, false), {
      vary: 'a, b',
    }))
  it('keeps the length of what HEAD left out', () =>
    assert.deepEqual(toClientHeaders({ 'content-length': '9' }, true), { 'content-length': '9' }))
})

describe('toTrace()', () => {
  const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  it('tells the trace of a request', () => assert.equal(toTrace({ traceparent: trace }), trace))
  for (const traceparent of [undefined, '', 'x', trace.toUpperCase(), `${trace}, ${trace}`])
    it(`tells none of ${traceparent}`, () => assert.equal(toTrace({ traceparent }), undefined))
})

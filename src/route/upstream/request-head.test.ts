import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toRequestHead, type UpstreamRequest } from './request-head.ts'

const NOTHING = new Uint8Array()
const request = { method: 'POST', target: '/a?b=%20', headers: { 'x-y': 'z' }, body: Buffer.from('abc') }

describe('toRequestHead()', () => {
  it('words the head of a request', () => {
    assert.equal(
      toRequestHead(request, 'h:1', undefined),
      'POST /a?b=%20 HTTP/1.1\r\nhost: h:1\r\nx-y: z\r\ncontent-length: 3\r\n\r\n',
    )
    assert.equal(
      toRequestHead({ method: 'GET', target: '/', headers: {}, body: NOTHING }, 'h', 12.7),
      'GET / HTTP/1.1\r\nhost: h\r\nx-request-timeout-ms: 12\r\n\r\n',
    )
    assert.match(String(toRequestHead({ ...request, body: NOTHING }, 'h', undefined)), /content-length: 0\r\n/)
  })

  const unsendable: readonly [name: string, change: Partial<UpstreamRequest>][] = [
    ['a method of two words', { method: 'GET /x' }],
    ['a target that is no path', { target: '*' }],
    ['a target with a space', { target: '/ HTTP/1.1' }],
    ['a target with a line end', { target: '/\r\nx: y' }],
    ['a name with a colon', { headers: { 'x-y': 'z', 'a:b': 'c' } }],
    ['a value with a line end', { headers: { 'x-y': 'z\r\na: b' } }],
    ['a value with more than bytes', { headers: { 'x-y': '€' } }],
  ]
  for (const [name, change] of unsendable)
    it(`refuses ${name}`, () =>
      assert.match(Object(toRequestHead({ ...request, ...change }, 'h', undefined)).problem, /expected|cannot/))
})

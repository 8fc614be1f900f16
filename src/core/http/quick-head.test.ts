import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseQuickHead } from './quick-head.ts'

const toHead = (...lines: string[]): string => ['POST /p?q=1 HTTP/1.1', 'Host: h', ...lines].join('\r\n')

describe('parseQuickHead()', () => {
  it('reads a head of the plain form', () => {
    assert.deepEqual(parseQuickHead(toHead('Content-Length: 3', 'X-Y: \t a b ', 'Connection: Keep-Alive', 'Empty:')), {
      method: 'POST',
      target: '/p?q=1',
      path: '/p',
      headers: { host: 'h', 'content-length': '3', 'x-y': 'a b', connection: 'Keep-Alive', empty: '' },
      bodyBytes: 3,
    })
    assert.equal(parseQuickHead('GET / HTTP/1.1\r\nhost: h')?.bodyBytes, 0)
  })

  const others: readonly [name: string, head: string][] = [
    ['another version', 'GET / HTTP/1.0\r\nhost: h'],
    ['another method', 'HEAD / HTTP/1.1\r\nhost: h'],
    ['a method in small letters', 'get / HTTP/1.1\r\nhost: h'],
    ['an absolute target', 'GET http://h/ HTTP/1.1\r\nhost: h'],
    ['a target with a space', 'GET /a b HTTP/1.1\r\nhost: h'],
    ['a target with a byte above 127', 'GET /\xe4 HTTP/1.1\r\nhost: h'],
    ['two spaces in its first line', 'GET  / HTTP/1.1\r\nhost: h'],
    ['no host', 'GET / HTTP/1.1\r\nx: y'],
    ['two hosts', toHead('host: i')],
    ['a line without a colon', toHead('x')],
    ['a line that goes on', toHead('x: y', ' z: 1')],
    ['a space before the colon', toHead('x : y')],
    ['a name with a bracket', toHead('x[: y')],
    ['an empty name', toHead(': y')],
    ['a bare line feed', toHead('x: y\nz: 1')],
    ['a bare carriage return', toHead('x: y\rz: 1')],
    ['a zero byte', toHead('x: y\0')],
    ['a value with a byte above 127', toHead('x: \xe4')],
    ['a length with a sign', toHead('content-length: +3')],
    ['a length in hexadecimal', toHead('content-length: 0x3')],
    ['a length that begins with 0', toHead('content-length: 03')],
    ['a list of lengths', toHead('content-length: 3, 3')],
    ['an empty length', toHead('content-length:')],
    ['a length of 16 digits', toHead('content-length: 1000000000000000')],
    ['two lengths', toHead('content-length: 3', 'Content-Length: 3')],
    ['chunks', toHead('Transfer-Encoding: chunked')],
    ['chunks and a length', toHead('content-length: 3', 'transfer-encoding: chunked')],
    ['a connection that is to be closed', toHead('connection: close')],
    ['a connection that is to be another', toHead('connection: upgrade', 'upgrade: h2c')],
    ['a wish to be told to go on', toHead('expect: 100-continue')],
    ['a name of every object', toHead('__proto__: x')],
    ['another one', toHead('constructor: x')],
  ]
  for (const [name, head] of others) {
    it(`leaves ${name} to others`, () => assert.equal(parseQuickHead(head), undefined))
  }
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseAnswerHead } from './answer-head.ts'

const toHead = (...lines: string[]): string => ['HTTP/1.1 200 OK', ...lines].join('\r\n')

describe('parseAnswerHead()', () => {
  it('reads status, headers and where the body ends', () => {
    assert.deepEqual(parseAnswerHead(toHead('Content-Length: 12', 'X: \t a ', 'x: b', 'X:', 'Y:\xe4')), {
      status: 200,
      headers: { 'content-length': '12', x: ['a', 'b', ''], y: '\xe4' },
      framing: 12,
      keepMs: 4_000,
    })
    assert.equal(Object(parseAnswerHead(toHead('transfer-encoding: Chunked'))).framing, 'chunked')
    assert.equal(Object(parseAnswerHead('HTTP/1.1 404')).framing, 'close')
  })

  const kept: readonly [name: string, head: string, ms: number][] = [
    ['as long as its server says, and a little less', toHead('keep-alive: timeout=60, max=9'), 59_000],
    ['not where its server keeps it for no time', toHead('keep-alive: timeout=1'), 0],
    ['not where it is to be closed', toHead('connection: Foo, Close', 'keep-alive: timeout=60'), 0],
    ['not where its server speaks HTTP/1.0', 'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1', 0],
  ]
  for (const [name, head, ms] of kept)
    it(`keeps the connection ${name}`, () => assert.equal(Object(parseAnswerHead(head)).keepMs, ms))

  const wrong: readonly [name: string, head: string][] = [
    ['no status line', 'hello'],
    ['another version', 'HTTP/2.0 200 OK'],
    ['a status of two digits', 'HTTP/1.1 20 OK'],
    ['a status of four', 'HTTP/1.1 2000 OK'],
    ['a status that is none', 'HTTP/1.1 600 OK'],
    ['a change of the protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x'],
    ['a bare line feed', 'HTTP/1.1 200 OK\nx: y'],
    ['a bare carriage return', toHead('x: y\rz: 1')],
    ['a line that goes on', toHead('x: y', ' z')],
    ['a line without a colon', toHead('x')],
    ['a space before the colon', toHead('x : y')],
    ['an empty name', toHead(': y')],
    ['a zero byte', toHead('x: \0')],
    ['a name of every object', toHead('__proto__: x')],
    ['two lengths', toHead('content-length: 3', 'content-length: 3')],
    ['a list of lengths', toHead('content-length: 3, 3')],
    ['a length with a sign', toHead('content-length: +3')],
    ['a length in hexadecimal', toHead('content-length: 0x3')],
    ['an empty length', toHead('content-length:')],
    ['a length of 16 digits', toHead('content-length: 1000000000000000')],
    ['chunks and a length', toHead('content-length: 3', 'transfer-encoding: chunked')],
    ['chunks twice', toHead('transfer-encoding: chunked', 'transfer-encoding: chunked')],
    ['another encoding', toHead('transfer-encoding: gzip, chunked')],
    ['chunks of HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked'],
  ]
  for (const [name, head] of wrong)
    it(`takes ${name} for no head`, () => assert.match(Object(parseAnswerHead(head)).problem, /answer/))
})

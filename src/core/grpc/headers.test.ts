import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { GRPC_CODES } from './grpc.ts'
import {
  decodeGrpcMessage,
  encodeGrpcMessage,
  parseGrpcTimeout,
  toGrpcHeaders,
  toGrpcMetadata,
  toGrpcStatus,
  toGrpcTimeout,
} from './headers.ts'

describe('parseGrpcTimeout()', () => {
  const CASES: readonly [string, number | undefined][] = [
    ['2H', 7_200_000],
    ['3M', 180_000],
    ['1S', 1000],
    ['250m', 250],
    ['1500u', 1.5],
    ['99999999n', 99.999999],
    ['0m', 0],
    ['123456789m', undefined],
    ['-1m', undefined],
    ['1.5S', undefined],
    ['10', undefined],
    ['10s', undefined],
    ['', undefined],
  ]
  for (const [text, wanted] of CASES)
    it(`reads "${text}" as ${wanted}`, () => {
      const ms = parseGrpcTimeout(text)
      assert.equal(ms === undefined ? ms : Math.round(ms * 1e6) / 1e6, wanted)
    })
})

describe('toGrpcTimeout()', () => {
  it('never waits shorter than told, nor a second longer, in at most eight digits', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 99_999_999_000, noNaN: true }), ms => {
        const text = toGrpcTimeout(ms)
        assert.match(text, /^\d{1,8}[mS]$/)
        const read = parseGrpcTimeout(text) ?? Number.NaN
        assert.ok(read >= ms && read <= ms + 1000, text)
      }),
    )
  })
  it('tells the longest time where that is too long', () => {
    assert.equal(toGrpcTimeout(1e15), '99999999S')
  })
})

describe('encodeGrpcMessage()', () => {
  const CASES: readonly [string, string][] = [
    ['plain (text)', 'plain (text)'],
    ['100%', '100%25'],
    ['a\nb', 'a%0Ab'],
    ['größe ☃ 🙂', 'gr%C3%B6%C3%9Fe %E2%98%83 %F0%9F%99%82'],
    ['half \ud83d pair', 'half %EF%BF%BD pair'],
    ['no model ', 'no model%20'],
    [' a  b ', '%20a  b%20'],
    [' ', '%20'],
  ]
  for (const [text, wanted] of CASES)
    it(`writes ${JSON.stringify(text)}`, () => assert.equal(encodeGrpcMessage(text), wanted))

  it('is undone by decodeGrpcMessage()', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), text =>
        assert.equal(decodeGrpcMessage(encodeGrpcMessage(text)), text),
      ),
    )
  })
})

describe('decodeGrpcMessage()', () => {
  it('leaves what is no encoding as it is', () => {
    assert.equal(decodeGrpcMessage('50% of %zz, %FF and %41'), '50% of %zz, %FF and A')
  })
})

describe('toGrpcStatus()', () => {
  it('knows every code, and takes the others as UNKNOWN', () => {
    for (const [name, code] of Object.entries(GRPC_CODES)) assert.equal(toGrpcStatus(String(code)), name)
    for (const text of ['17', '-1', '00', '', 'OK']) assert.equal(toGrpcStatus(text), 'UNKNOWN')
  })
})

describe('toGrpcMetadata()', () => {
  it('leaves out the names of the transport', () => {
    const headers = {
      ':path': '/a.B/C',
      ':status': '200',
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': '1S',
      'user-agent': 'x',
      'trace-bin': 'AA',
    }
    assert.deepEqual(toGrpcMetadata(headers), { 'user-agent': 'x', 'trace-bin': 'AA' })
  })
})

describe('toGrpcHeaders()', () => {
  it('leaves out the names of the transport', () => {
    const metadata = { a: '1', ':path': '/', 'grpc-status': '0', connection: 'close', none: undefined, 'b-bin': 'AA' }
    assert.deepEqual(toGrpcHeaders(metadata), { a: '1', 'b-bin': 'AA' })
  })
  it('takes every value that HTTP may have brought', () => {
    const metadata = { a: 'gr\u00f6\u00dfe\tx ~' }
    assert.deepEqual(toGrpcHeaders(metadata), metadata)
  })
  for (const metadata of [{ 'a b': '1' }, { A: '1' }, { '': '1' }, { a: '1\n2' }, { a: '\u2603' }])
    it(`refuses ${JSON.stringify(metadata)}`, () => assert.throws(() => toGrpcHeaders(metadata), TypeError))
})

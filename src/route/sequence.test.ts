import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toTapBody } from './records/tap.ts'
import { readMessageSequence, readSequence } from './sequence.ts'
import { toInferRequest } from './testing/grpc-upstream.ts'

describe('readSequence()', () => {
  const table: readonly [string, string, Record<string, string>, string | undefined][] = [
    ['a number', '{"parameters":{"sequence_id":42,"sequence_start":true},"inputs":[]}', {}, '42'],
    ['a number beyond 2^53', '{"parameters":{"sequence_id":18446744073709551615}}', {}, '18446744073709551615'],
    ['a text', '{"inputs":[{"data":[NaN]}],"parameters":{"sequence_id":"s-1"}}', {}, 's-1'],
    ['JSON with tensors behind it', '{"parameters":{"sequence_id":7}}\0\0', { length: '32' }, '7'],
    ['the number that stands for none', '{"parameters":{"sequence_id":0}}', {}, undefined],
    ['the text that stands for none', '{"parameters":{"sequence_id":""}}', {}, undefined],
    ['a truth value', '{"parameters":{"sequence_id":true}}', {}, undefined],
    ['no parameter of the request', '{"inputs":[{"parameters":{"sequence_id":7}}]}', {}, undefined],
    ['no JSON', '{"parameters":{"sequence_id":7}', {}, undefined],
    ['compressed bytes', '{"parameters":{"sequence_id":7}}', { encoding: 'gzip' }, undefined],
  ]
  for (const [name, body, { length, encoding }, wanted] of table)
    it(`tells that of ${name}`, () => {
      const headers = { 'content-encoding': encoding, 'inference-header-content-length': length }
      assert.equal(readSequence(toTapBody(Buffer.from(body), headers)), wanted)
    })
})

describe('readMessageSequence()', () => {
  const table: readonly [string, Uint8Array, string | undefined][] = [
    ['a request that names one', toInferRequest({ parameters: { sequence_id: 's-1' } }), 's-1'],
    ['one that names none', toInferRequest({ parameters: { other: 'sequence_id' } }), undefined],
    ['no message', Buffer.from('sequence_id'), undefined],
  ]
  for (const [name, message, wanted] of table)
    it(`tells that of ${name}`, () => assert.equal(readMessageSequence(message), wanted))
})

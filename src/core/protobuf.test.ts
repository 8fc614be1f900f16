import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readFields, readNumber, readNumbers, readString, toBytes, toField } from './protobuf.ts'

const read = (bytes: Uint8Array) => readFields({ bytes, start: 0, end: bytes.length })

describe('toField()', () => {
  const number = fc.integer({ min: 1, max: 2 ** 29 - 1 })

  it('writes numbers that readNumber() reads', () => {
    fc.assert(
      fc.property(number, fc.maxSafeNat(), (field, value) => {
        assert.equal(readNumber(read(toField(field, value)), field), value)
      }),
    )
  })

  it('writes texts that readString() reads', () => {
    fc.assert(
      fc.property(number, fc.string({ unit: 'grapheme', maxLength: 300 }), (field, text) => {
        assert.equal(readString(read(toField(field, text)), field), text)
      }),
    )
  })

  it('writes the bytes of protobuf.dev/programming-guides/encoding', () => {
    assert.deepEqual([...toField(1, 150)], [0x08, 0x96, 0x01])
    assert.deepEqual([...toField(2, 'testing')], [0x12, 0x07, ...Buffer.from('testing')])
  })
})

describe('readFields()', () => {
  it('gives each field as it stands, so that all of them are the message', () => {
    const message = Buffer.concat([toField(1, 7), Uint8Array.of(0x15, 1, 2, 3, 4), toField(3, 'text')])
    const fields = read(message)
    assert.deepEqual(Buffer.concat(fields.map(({ whole }) => toBytes(whole))), message)
    assert.deepEqual(
      fields.map(({ number }) => number),
      [1, 2, 3],
    )
  })
})

describe('readNumbers()', () => {
  it('reads one a field, and many packed into one', () => {
    const packed = toField(8, Uint8Array.of(3, 0x8e, 0x02))
    assert.deepEqual(readNumbers(read(Buffer.concat([toField(8, 1), packed, toField(9, 2)])), 8), [1, 3, 270])
  })
})

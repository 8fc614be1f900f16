import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BinaryWriter } from '@bufbuild/protobuf/wire'
import fc from 'fast-check'
import { nextField, openCursor, readInteger, readIntegers, readUnsigned, skipField } from './proto-cursor.ts'
import { openWriter, putInteger, toMessage } from './proto-writer.ts'

const skipAll = (bytes: Uint8Array): void => {
  const cursor = openCursor(bytes)
  while (nextField(cursor)) skipField(cursor)
}
const anyInt64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.maxSafeInteger().map(BigInt))
const anyUint64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.maxSafeNat().map(BigInt))

describe('integers of 64 bits', () => {
  it('are read as another library writes them, and written as it does', () => {
    fc.assert(
      fc.property(anyInt64, anyUint64, (int, uint) => {
        const bytes = new BinaryWriter().tag(1, 0).int64(int).tag(2, 0).uint64(uint).finish()
        const cursor = openCursor(bytes)
        nextField(cursor)
        assert.equal(BigInt(readInteger(cursor)), int)
        nextField(cursor)
        assert.equal(BigInt(readUnsigned(cursor)), uint)
        const writer = openWriter(0)
        putInteger(writer, 2, uint)
        putInteger(writer, 1, int)
        assert.deepEqual(new Uint8Array(toMessage(writer)), bytes)
      }),
      { numRuns: 2000 },
    )
  })

  it('are numbers up to 2^53, and bigints beyond', () => {
    const read = (value: bigint): number | bigint => {
      const cursor = openCursor(new BinaryWriter().tag(1, 0).int64(value).finish())
      nextField(cursor)
      return readInteger(cursor)
    }
    assert.equal(read(2n ** 53n - 1n), 2 ** 53 - 1)
    assert.equal(read(-(2n ** 53n)), -(2 ** 53))
    assert.equal(read(2n ** 53n), 2n ** 53n)
    assert.equal(read(-1n), -1)
  })

  it('are read packed and on their own alike', () => {
    const cursor = openCursor(Uint8Array.of(0x0a, 3, 1, 0x96, 1, 0x08, 7))
    const all: (number | bigint)[] = []
    while (nextField(cursor)) readIntegers(cursor, all)
    assert.deepEqual(all, [1, 150, 7])
  })
})

describe('skipField()', () => {
  it('passes over every kind of value, groups in groups too', () => {
    skipAll(
      Uint8Array.of(0x08, 0x80, 1, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 1, 9, 0x23, 0x2b, 0x2c, 0x24, 0x2d, 1, 2, 3, 4),
    )
  })

  const wrong: readonly [what: string, bytes: readonly number[], message: RegExp][] = [
    ['a tag that is cut off', [0x80], /a number is cut off \(byte 1\)$/],
    ['field number 0', [0x00, 1], /no field has such a number/],
    ['a field number beyond 2^29', [0xff, 0xff, 0xff, 0xff, 0x7f], /no field has such a number/],
    ['a varint that is cut off', [0x08, 0xff, 0xff], /a number is cut off/],
    ['a varint of 11 bytes', [0x08, ...new Array<number>(10).fill(0x80), 0], /longer than 10 bytes/],
    ['a length past the end', [0x0a, 5, 1], /field 1 says 5 bytes, and 1 are left/],
    [
      'a huge length',
      [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
      /says 18446744073709552000 bytes/,
    ],
    ['a fixed value that is cut off', [0x0d, 1, 2], /field 1 says 4 bytes, and 2 are left/],
    ['wire type 6', [0x0e], /field 1 has wire type 6/],
    ['a group without an end', [0x0b, 0x08, 1], /the group of field 1 has no end/],
    ['the end of another group', [0x0b, 0x14], /field 2 has wire type 4/],
    ['groups without bottom', new Array<number>(100_000).fill(0x0b), /nested deeper than 100/],
  ]
  for (const [what, bytes, message] of wrong) {
    it(`refuses ${what}`, () => {
      assert.throws(() => skipAll(Uint8Array.from(bytes)), { name: 'TensorError', code: 'TENSOR_MESSAGE', message })
    })
  }
})

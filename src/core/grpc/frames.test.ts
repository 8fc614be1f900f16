import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type GrpcFrame, GrpcFrameReader, toGrpcFrame } from './frames.ts'

const MAX_BYTES = 40_000

const toBytes = (message: Uint8Array, compressed = false): Buffer =>
  Buffer.concat(toGrpcFrame(message, compressed).filter(part => part !== undefined))

const toText = ({ message, compressed }: GrpcFrame): string =>
  `${compressed} ${message.byteLength} ${Buffer.from(message).toString('base64')}`

/** Cuts bytes at places between 0 and 1. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map(place => Math.floor(place * bytes.byteLength)), bytes.byteLength].sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

describe('GrpcFrameReader', () => {
  const long = fc.tuple(fc.integer({ min: 16_380, max: 16_390 }), fc.nat(255))
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 30 }),
    long.map(([length, byte]) => new Uint8Array(length).fill(byte)),
  )
  const sent = fc.array(fc.record({ message, compressed: fc.boolean() }), { maxLength: 4 })
  const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })

  it('gives the same messages, however their bytes are cut', () => {
    fc.assert(
      fc.property(sent, places, (frames, at) => {
        const bytes = Buffer.concat(frames.map(frame => toBytes(frame.message, frame.compressed)))
        const reader = new GrpcFrameReader(MAX_BYTES)
        const read = cut(bytes, at).flatMap(chunk => reader.push(chunk))
        assert.deepEqual(read.map(toText), frames.map(toText))
        assert.equal(reader.isPartial, false)
      }),
    )
  })

  it('gives the same messages byte by byte', () => {
    const bytes = Buffer.concat([toBytes(Buffer.from('one')), toBytes(Buffer.alloc(0)), toBytes(Buffer.alloc(300, 7))])
    const reader = new GrpcFrameReader(MAX_BYTES)
    const lengths = [...bytes].flatMap(byte => reader.push(Uint8Array.of(byte)).map(frame => frame.message.byteLength))
    assert.deepEqual(lengths, [3, 0, 300])
  })

  it('knows that a message is not whole, from its first byte to its last but one', () => {
    const bytes = toBytes(Buffer.from('abc'))
    for (let end = 1; end < bytes.byteLength; end++) {
      const reader = new GrpcFrameReader(MAX_BYTES)
      reader.push(bytes.subarray(0, end))
      assert.equal(reader.isPartial, true)
    }
  })

  it('does not copy a message that came in one piece', () => {
    const bytes = toBytes(Buffer.from('abc'))
    const [frame] = new GrpcFrameReader(MAX_BYTES).push(bytes)
    assert.equal(frame?.message.buffer, bytes.buffer)
  })

  it('refuses a message beyond its limit at the prefix, before its bytes', () => {
    const prefix = toBytes(Buffer.alloc(11)).subarray(0, 5)
    const error = { status: 'RESOURCE_EXHAUSTED', message: /11 bytes.*10 bytes/ }
    assert.throws(() => new GrpcFrameReader(10).push(prefix), error)
    assert.equal(new GrpcFrameReader(11).push(prefix).length, 0)
  })

  it('reads the length as unsigned', () => {
    const prefix = Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff)
    assert.throws(() => new GrpcFrameReader(MAX_BYTES).push(prefix), { message: /4294967295/ })
  })

  it('refuses a first byte other than 0 and 1', () => {
    assert.throws(() => new GrpcFrameReader(MAX_BYTES).push(Uint8Array.of(2, 0, 0, 0, 0)), { status: 'INTERNAL' })
  })
})

describe('toGrpcFrame()', () => {
  it('copies a short message behind its prefix, and leaves a long one where it is', () => {
    assert.deepEqual(toGrpcFrame(Buffer.from('ab')), [Buffer.from([0, 0, 0, 0, 2, 97, 98])])
    const long = Buffer.alloc(100_000)
    const [prefix, message] = toGrpcFrame(long, true)
    assert.deepEqual(prefix, Buffer.from([1, 0, 1, 0x86, 0xa0]))
    assert.equal(message, long)
  })
})

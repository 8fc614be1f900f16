import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FRAME, type H2Frame, H2FrameReader, PREFACE, toFrameBytes, toWordFrame } from './frames.ts'

function readAll(chunks: readonly Buffer[]): readonly H2Frame[] {
  const reader = new H2FrameReader(true)
  const frames: H2Frame[] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame)
  }
  return frames
}

describe('H2FrameReader', () => {
  const frames = fc.array(
    fc.record(
      {
        type: fc.nat(255),
        flags: fc.nat(255),
        stream: fc.nat(2 ** 31 - 1),
        payload: fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes)),
      },
      { noNullPrototype: true },
    ),
  )

  it('reads frames as they were written, however they are cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1 }), (all, cuts) => {
        const written = all.map(({ type, flags, stream, payload }) => toFrameBytes(type, flags, stream, payload))
        const bytes = Buffer.concat([PREFACE, ...written])
        const chunks: Buffer[] = []
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const end = at + (cuts[turn % cuts.length] ?? 1)
          chunks.push(bytes.subarray(at, end))
          at = end
        }
        assert.deepEqual(readAll(chunks), all)
      }),
    )
  })

  it('reads frames of the greatest length, and refuses a longer one at its head', () => {
    const long = toFrameBytes(FRAME.data, 0, 1, Buffer.alloc(16_384))
    assert.equal(readAll([PREFACE, long.subarray(0, 10_000), long.subarray(10_000)])[0]?.payload.length, 16_384)
    const longer = toFrameBytes(FRAME.data, 0, 1, Buffer.alloc(16_385)).subarray(0, 9)
    assert.throws(() => readAll([PREFACE, longer]), { code: 'FRAME_SIZE_ERROR' })
  })

  it('ignores the reserved bit of a stream id', () => {
    assert.equal(readAll([PREFACE, toWordFrame(FRAME.windowUpdate, 0xffffffff, 5)])[0]?.stream, 0x7fffffff)
  })

  it('refuses what begins no connection at its first wrong byte', () => {
    assert.throws(() => readAll([Buffer.from('G')]), { code: 'PROTOCOL_ERROR' })
    assert.throws(() => readAll([PREFACE.subarray(0, 20), Buffer.from('XXXX')]), { code: 'PROTOCOL_ERROR' })
    assert.deepEqual(readAll([PREFACE.subarray(0, 20)]), [])
  })
})

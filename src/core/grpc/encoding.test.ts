import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { inflateGrpcMessage } from './encoding.ts'
import { GrpcError } from './grpc.ts'

describe('inflateGrpcMessage()', () => {
  const zeros = Buffer.alloc(100_000_000)
  for (const [encoding, bomb] of [
    ['gzip', gzipSync(zeros)],
    ['deflate', deflateSync(zeros)],
  ] as const)
    it(`inflates no more of a bomb of ${encoding} than the limit and a piece`, async () => {
      let seen = 0
      const inflating = inflateGrpcMessage(encoding, bomb, 1_000_000, bytes => {
        seen += bytes
      })
      await assert.rejects(inflating, { status: 'RESOURCE_EXHAUSTED' })
      assert.ok(seen <= 1_000_000, `${seen} bytes`)
    })

  it('takes few pieces, each of which waits for another thread', async () => {
    let pieces = 0
    const text = zeros.subarray(0, 64 * 1024 * 1024)
    const whole = await inflateGrpcMessage('gzip', gzipSync(text), text.byteLength, () => {
      pieces += 1
    })
    assert.equal(whole.byteLength, text.byteLength)
    assert.ok(pieces <= 1025, `${pieces} pieces`)
  })

  it('ends when onBytes throws', async () => {
    let told = 0
    const inflating = inflateGrpcMessage('gzip', gzipSync(zeros), zeros.byteLength, () => {
      told += 1
      throw new GrpcError('RESOURCE_EXHAUSTED', 'elsewhere')
    })
    await assert.rejects(inflating, { message: 'elsewhere' })
    assert.equal(told, 1)
  })
})

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseDigest } from '../core/brands.ts'
import { toDigest, toStreamDigest } from './digest.ts'

describe('toDigest()', () => {
  it('is the published digest of the empty string and of "abc" (FIPS 180-4)', () => {
    const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    const abc = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert.equal(toDigest(new Uint8Array(0)), empty)
    assert.equal(toDigest(Buffer.from('abc')), abc)
  })
})

describe('toStreamDigest()', () => {
  it('is the digest of the whole, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 })), async pieces => {
        const stream = (async function* () {
          yield* pieces
        })()
        const whole = Buffer.concat(pieces)
        const hex = createHash('sha256').update(whole).digest('hex')
        assert.deepEqual(await toStreamDigest(stream), {
          digest: parseDigest(`sha256:${hex}`),
          sizeBytes: whole.length,
        })
      }),
    )
  })
})

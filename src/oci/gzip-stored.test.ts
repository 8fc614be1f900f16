import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { gzip } from './gzip.ts'
import { gzipStored, toStoredBytes } from './gzip-stored.ts'

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  // Its memory is used again for the next.
  for await (const chunk of chunks) parts.push(Buffer.from(chunk))
  return Buffer.concat(parts)
}

async function* cut(bytes: Uint8Array, length: number): AsyncIterable<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += length) yield bytes.subarray(start, start + length)
}

const BLOCK = 65_535
const random = (length: number): Uint8Array => Buffer.alloc(length, 'regatta and more').fill(7, length >> 1)

describe('gzipStored()', () => {
  for (const length of [
    0,
    1,
    BLOCK - 1,
    BLOCK,
    BLOCK + 1,
    15 * BLOCK,
    16 * BLOCK - 1,
    16 * BLOCK,
    16 * BLOCK + 1,
    3_000_000,
  ]) {
    it(`wraps ${length} bytes so that zlib and gzip -t take them`, async () => {
      const wrapped = await collect(gzipStored(cut(random(length), 100_000)))
      assert.ok(gunzipSync(wrapped).equals(random(length)))
      execFileSync('gzip', ['--test'], { input: wrapped })
      assert.equal(wrapped.length, length + 10 + 5 * Math.ceil(length / BLOCK) + 5 + 8)
      assert.equal(toStoredBytes(length), wrapped.length)
    })
  }

  it('does not depend on how its input is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(2_500_000), fc.integer({ min: 97, max: 1_500_000 }), async (length, piece) => {
        const whole = await collect(gzipStored(cut(random(length), length + 1)))
        assert.ok((await collect(gzipStored(cut(random(length), piece)))).equals(whole))
      }),
      { numRuns: 30 },
    )
  })
})

describe('gzip()', () => {
  it('writes what zlib reads', async () => {
    const bytes = random(300_000)
    assert.ok(gunzipSync(await collect(gzip(cut(bytes, 1000)))).equals(bytes))
  })

  it('passes on the failure of its input', async () => {
    const failing = (async function* () {
      yield Buffer.from('half')
      throw new Error('the source broke')
    })()
    await assert.rejects(collect(gzip(failing)), /the source broke/)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FRAME, toFrameBytes } from './frames.ts'
import { seeNodes, seeOwn } from './testing/requests.ts'
import { frameSequences } from './testing/sequences.ts'

const SETTINGS = toFrameBytes(FRAME.settings, 0, 0, Buffer.alloc(0))

function cut(bytes: Buffer, lengths: readonly number[]): readonly Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1
    chunks.push(bytes.subarray(at, at + length))
    at += length
  }
  return chunks
}

const lengths = fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 5 })

describe('H2Connection and node:http2', () => {
  it('sees no request that node:http2 does not see, and loses none without a word', async () => {
    let [good, strict] = [0, 0]
    await fc.assert(
      fc.asyncProperty(frameSequences, lengths, async (frames, cuts) => {
        const own = seeOwn(cut(Buffer.concat([SETTINGS, ...frames]), cuts))
        const nodes = await seeNodes([SETTINGS, ...frames])
        const others = [...nodes.whole]
        const isRefused = own.error !== undefined || own.resets.length > 0
        for (const request of own.whole) {
          const at = others.indexOf(request)
          if (at !== -1) others.splice(at, 1)
          else assert.ok(nodes.isEnded && isRefused, `${request}\nis not among\n${nodes.whole.join('\n')}`)
        }
        good += own.whole.length
        strict += others.length
        assert.ok(others.length === 0 || isRefused, `lost:\n${others.join('\n')}`)
      }),
      { numRuns: 500 },
    )
    assert.ok(good > 100, `only ${good} requests were good`)
    assert.ok(strict < good / 4, `${strict} requests are refused that node:http2 takes, beside ${good}`)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FRAME, toFrameBytes } from './frames.ts'
import { type SeenAnswers, seeNodesAnswers, seeOwnAnswers } from './testing/answers.ts'
import { recordGrpcJs, recordNode } from './testing/recordings.ts'
import { seeNodes, seeOwn } from './testing/requests.ts'
import { answerSequences, requestSequences, toDamaged } from './testing/sequences.ts'

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

describe('H2Server and node:http2', () => {
  it('sees no request that node:http2 does not see, and loses none without a word', async () => {
    let [good, strict] = [0, 0]
    await fc.assert(
      fc.asyncProperty(requestSequences, lengths, async (frames, cuts) => {
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

/** Counts of answers: those that both see, and those that `node:http2` alone does. */
interface Counts {
  good: number
  strict: number
}

/** Whether a client of our own sees no answer that one of `node:http2` does not see, and loses none without a word. */
async function compare(requests: number, frames: readonly Buffer[], cuts: readonly number[], counts: Counts) {
  const own = seeOwnAnswers(requests, cut(Buffer.concat(frames), cuts))
  try {
    check(own, await seeNodesAnswers(requests, frames), counts)
  } catch {
    // On a busy machine it may tell of a frame later than it does else.
    check(own, await seeNodesAnswers(requests, frames, 100), counts)
  }
}

function check(own: SeenAnswers, nodes: Awaited<ReturnType<typeof seeNodesAnswers>>, counts: Counts): void {
  const others = [...nodes.whole]
  const isRefused = own.error !== undefined || own.resets.length > 0
  for (const answer of own.whole) {
    const at = others.indexOf(answer)
    if (at !== -1) others.splice(at, 1)
    else assert.ok(nodes.isEnded && isRefused, `${answer}\nis not among\n${nodes.whole.join('\n')}`)
  }
  assert.ok(others.length === 0 || isRefused, `lost:\n${others.join('\n')}`)
  counts.good += own.whole.length
  // What comes of a stream that is over, `node:http2` passes over.
  if (own.error !== 'STREAM_CLOSED') counts.strict += others.length
}

describe('H2Client and node:http2', () => {
  it('sees no answer that node:http2 does not see, and loses none without a word', async () => {
    const counts = { good: 0, strict: 0 }
    await fc.assert(
      fc.asyncProperty(answerSequences, lengths, (frames, cuts) => compare(10, [SETTINGS, ...frames], cuts, counts)),
      { numRuns: 500 },
    )
    assert.ok(counts.good > 100, `only ${counts.good} answers were good`)
    assert.ok(counts.strict < counts.good / 4, `${counts.strict} answers are refused, beside ${counts.good}`)
  })

  for (const [name, record] of [
    ['node:http2', recordNode],
    ['grpc-js', recordGrpcJs],
  ] as const)
    it(`takes what a server of ${name} answers, cut, and with a byte that is another, as node:http2 does`, async () => {
      const { requests, frames } = await record()
      const whole = seeOwnAnswers(requests, cut(Buffer.concat(frames), [7]))
      assert.deepEqual([whole.error, whole.whole.length], [undefined, requests])
      assert.deepEqual((await seeNodesAnswers(requests, frames)).whole, whole.whole)
      const counts = { good: 0, strict: 0 }
      const damage = fc.tuple(fc.nat(100), fc.nat(200), fc.nat(255))
      await fc.assert(
        fc.asyncProperty(damage, lengths, (at, cuts) => compare(requests, toDamaged(frames, at), cuts, counts)),
        { numRuns: 150 },
      )
      assert.ok(counts.good > 100, `only ${counts.good} answers were good`)
    })
})

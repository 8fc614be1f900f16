import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Tap, toTapBody } from './tap.ts'
import { TapQueue } from './tap-queue.ts'

const toTap = (id: number, bytes: number, encoding = 'identity'): Tap => ({
  head: {
    request: String(id),
    ...{ at: 0, variant: 1, epoch: 1, served: true, propensity: 1, status: 200, latencyUs: 1, replica: 'a-1' },
  },
  content: {
    ...{ status: 200, protocol: 'v1', capture: {}, series: undefined, at: undefined, entity: undefined },
    request: undefined,
    answer: toTapBody(new Uint8Array(bytes), { 'content-encoding': encoding }),
    problem: undefined,
  },
})

describe('TapQueue', () => {
  it('keeps bodies up to three quarters of its memory, then only that there was one, then nothing', () => {
    const queue = new TapQueue(4 * 1024)
    const fates = Array.from({ length: 10 }, (_, id) => queue.push(toTap(id, 512)))
    assert.deepEqual(fates, [...Array(3).fill('whole'), ...Array(2).fill('without-rows'), ...Array(5).fill('dropped')])
    const taps = queue.take(10, 1e9)
    assert.deepEqual(
      taps.map(tap => [tap.head.request, tap.content.answer?.bytes.byteLength]),
      [
        ['0', 512],
        ['1', 512],
        ['2', 512],
        ['3', undefined],
        ['4', undefined],
      ],
    )
    assert.match(taps[3]?.content.problem ?? '', /too many wait/)
    assert.deepEqual(queue.take(10, 1e9), [])
    assert.equal(queue.push(toTap(11, 512)), 'whole')
  })

  it('gives no more bytes at once than asked for, but always one tap, and weighs what is compressed heavier', () => {
    const queue = new TapQueue(1e9)
    for (let id = 0; id < 4; id++) queue.push(toTap(id, 488))
    for (let id = 4; id < 6; id++) queue.push(toTap(id, 488, 'gzip'))
    const takes = [2000, 1, 20_000, 20_000].map(bytes => queue.take(10, bytes).length)
    assert.deepEqual(takes, [2, 1, 1, 1])
  })

  it('is first in, first out, over any number of taps', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1500, max: 1500 }), { maxLength: 12 }), counts => {
        const queue = new TapQueue(1e9)
        let pushed = 0
        let shifted = 0
        for (const count of counts) {
          for (let at = 0; at < count; at++) queue.push(toTap(pushed++, 1))
          const taken = queue.take(Math.max(0, -count), 1e9)
          assert.equal(taken.length, Math.min(Math.max(0, -count), pushed - shifted))
          for (const tap of taken) assert.equal(tap.head.request, String(shifted++))
          assert.equal(queue.length, pushed - shifted)
        }
      }),
      { numRuns: 30 },
    )
  })
})

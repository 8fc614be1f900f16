import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Tap } from './tap.ts'
import { TapQueue } from './tap-queue.ts'

const toTap = (id: number, bytes: number): Tap => ({
  head: {
    request: String(id),
    at: 0,
    variant: 1,
    epoch: 1,
    served: true,
    propensity: 1,
    status: 200,
    latencyUs: 1,
    replica: 'a-1',
  },
  protocol: 'v1',
  paths: { prediction: row => row, series: undefined, at: undefined },
  series: undefined,
  at: undefined,
  request: undefined,
  answer: new Uint8Array(bytes),
  problem: undefined,
})

describe('TapQueue', () => {
  it('keeps bodies up to three quarters of its memory, then only that there was one, then nothing', () => {
    const queue = new TapQueue(4 * 1024)
    const fates = Array.from({ length: 10 }, (_, id) => queue.push(toTap(id, 512)))
    assert.deepEqual(fates, [...Array(3).fill('whole'), ...Array(2).fill('without-rows'), ...Array(5).fill('dropped')])
    const taps = Array.from({ length: 5 }, () => queue.shift())
    assert.deepEqual(
      taps.map(tap => [tap?.head.request, tap?.answer?.byteLength]),
      [
        ['0', 512],
        ['1', 512],
        ['2', 512],
        ['3', undefined],
        ['4', undefined],
      ],
    )
    assert.match(taps[3]?.problem ?? '', /too many wait/)
    assert.equal(queue.shift(), undefined)
    assert.equal(queue.push(toTap(11, 512)), 'whole')
  })

  it('is first in, first out, over any number of taps', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1500, max: 1500 }), { maxLength: 12 }), counts => {
        const queue = new TapQueue(1e9)
        let pushed = 0
        let shifted = 0
        for (const count of counts) {
          for (let at = 0; at < count; at++) queue.push(toTap(pushed++, 1))
          for (let at = 0; at < -count; at++) {
            const tap = queue.shift()
            assert.equal(tap?.head.request, shifted < pushed ? String(shifted++) : undefined)
          }
          assert.equal(queue.length, pushed - shifted)
        }
      }),
      { numRuns: 30 },
    )
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toRandom, toXoshiro } from './random.ts'

describe('toXoshiro()', () => {
  it('draws the numbers of the reference implementation', () => {
    // Source: prng.di.unimi.it/xoshiro128starstar.c (version 1.1), as the tests of rand_xoshiro quote it.
    const next = toXoshiro([1, 2, 3, 4])
    const wanted = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804]
    assert.deepEqual(Array.from({ length: 10 }, next), wanted)
  })
})

describe('toRandom()', () => {
  it('draws the same numbers for the same seed and stream, and others for another', () => {
    const draw = (seed: number, stream: number): number[] => {
      const random = toRandom(seed, stream)
      return Array.from({ length: 20 }, () => random(0, 1))
    }
    assert.deepEqual(draw(1, 7), draw(1, 7))
    assert.equal(new Set([...draw(1, 7), ...draw(2, 7), ...draw(1, 8), ...draw(7, 1)]).size, 80)
  })

  it('spreads numbers evenly over the range', () => {
    const random = toRandom(5)
    const bins = new Array<number>(10).fill(0)
    for (let i = 0; i < 10_000; i++) {
      const bin = Math.floor(random(-10, 10) / 2) + 5
      bins[bin] = (bins[bin] ?? 0) + 1
    }
    assert.equal(bins.length, 10)
    // Standard deviation of a bin's count is 30.
    for (const count of bins) assert.ok(Math.abs(count - 1000) < 150, `bins ${bins}`)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { assertNear } from '../testing/near.ts'
import { addToBlocks, type Blocks, toBlockedEstimate, toBlocks } from './blocking.ts'

/** What the text of a book says, on the whole series at once. */
function toLevelByHand(series: readonly number[], length: number): { blocks: number; variance: number; r1: number } {
  const blocks = Math.floor(series.length / length)
  const toMean = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x, 0) / xs.length
  const means = Array.from({ length: blocks }, (_, i) => toMean(series.slice(i * length, (i + 1) * length)))
  const off = means.map(mean => mean - toMean(means))
  const square = off.reduce((sum, x) => sum + x * x, 0)
  const cross = off.reduce((sum, x, i) => sum + x * (off[i - 1] ?? 0), 0)
  return { blocks, variance: square / (blocks - 1), r1: square === 0 ? 0 : cross / square }
}

describe('blocking', () => {
  it('toBlocks() label by label gives what the whole series gives at once, near any mean', () => {
    const series = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 300 })
    fc.assert(
      fc.property(series, fc.constantFrom(1, 3, 7), fc.constantFrom(0, 1e6), (xs, season, shift) => {
        const found = toBlockedEstimate(
          toBlocks(
            xs.map(x => shift + x / 100),
            season,
          ),
          4,
        )
        const hasSeasons = xs.length >= 2 * season
        for (const level of found.levels) {
          const wanted = toLevelByHand(
            xs.map(x => x / 100),
            level.length,
          )
          assert.equal(level.blocks, wanted.blocks)
          assertNear(level.variance, wanted.variance, 1e-7)
          assertNear(level.r1, wanted.r1, 1e-5)
        }
        assert.equal(found.levels[0]?.length, hasSeasons ? season : 1)
        assert.equal(found.se, Math.max(...found.levels.map(level => level.se)))
        assertNear(found.estimate - shift, xs.reduce((sum, x) => sum + x, 0) / 100 / xs.length, 1e-8)
      }),
    )
  })

  it('toBlocks() goes on from its own JSON', () => {
    const xs = Array.from({ length: 200 }, (_, i) => Math.sin(i * i))
    const half: Blocks = JSON.parse(JSON.stringify(toBlocks(xs.slice(0, 77), 3)))
    let blocks = half
    for (const x of xs.slice(77)) blocks = addToBlocks(blocks, x)
    assert.deepEqual(blocks, toBlocks(xs, 3))
  })

  it('toBlocks() keeps a number of levels that grows with the logarithm of the labels', () => {
    assert.equal(toBlocks(new Float64Array(2 ** 14)).levels.length, 16)
  })

  it('toBlockedEstimate() does not take a season for noise', () => {
    const cycle = Float64Array.from({ length: 24 * 60 }, (_, hour) => Math.sin((2 * Math.PI * hour) / 24))
    assert.ok(toBlockedEstimate(toBlocks(cycle)).se > 0.01)
    assertNear(toBlockedEstimate(toBlocks(cycle, 24)).se, 0)
  })

  it('toBlockedEstimate() has no autocorrelation to show below 30 blocks', () => {
    const series = Float64Array.from({ length: 100 }, (_, i) => i % 7)
    assert.equal(toBlockedEstimate(toBlocks(series, 24)).r1Top, undefined)
    assert.equal(toBlockedEstimate(toBlocks(series.subarray(0, 29))).r1Top, undefined)
    assert.notEqual(toBlockedEstimate(toBlocks(series)).r1Top, undefined)
  })

  it('toBlockedEstimate() of nothing and of one number has no spread', () => {
    assert.deepEqual(toBlockedEstimate(toBlocks([])), { estimate: 0, se: 0, n: 0, r1Top: undefined, levels: [] })
    assert.deepEqual(toBlockedEstimate(toBlocks([5])), { estimate: 5, se: 0, n: 1, r1Top: undefined, levels: [] })
  })
})

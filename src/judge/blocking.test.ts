import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toBlockedEstimate } from './blocking.ts'
import golden from './testing/golden.json' with { type: 'json' }
import { assertNear } from './testing/near.ts'

describe('blocking', () => {
  const { d, minBlocks, at } = golden.dyadicBlocking
  for (const wanted of at)
    it(`toBlockedEstimate() after ${wanted.n} labels`, () => {
      const found = toBlockedEstimate(Float64Array.from(d.slice(0, wanted.n)), { minBlocks })
      assertNear(found.estimate, wanted.mean)
      assertNear(found.se, wanted.se)
      assertNear(found.r1Top, wanted.rTop)
      assert.deepEqual(
        found.levels.map(level => [level.length, level.blocks]),
        wanted.levels.map(level => [level.L, level.blocks]),
      )
      wanted.levels.forEach((level, i) => {
        assertNear(found.levels[i]?.variance, level.var)
        assertNear(found.levels[i]?.r1, level.r1)
        assertNear(found.levels[i]?.se, level.se)
      })
    })

  it('toBlockedEstimate() does not take a season for noise', () => {
    const cycle = Float64Array.from({ length: 24 * 60 }, (_, hour) => Math.sin((2 * Math.PI * hour) / 24))
    assert.ok(toBlockedEstimate(cycle).se > 0.01)
    assertNear(toBlockedEstimate(cycle, { season: 24 }).se, 0)
  })

  it('toBlockedEstimate() has no autocorrelation to show below 30 blocks', () => {
    const series = Float64Array.from({ length: 100 }, (_, i) => i % 7)
    assert.equal(toBlockedEstimate(series, { season: 24 }).r1Top, undefined)
    assert.equal(toBlockedEstimate(series.subarray(0, 29)).r1Top, undefined)
    assert.notEqual(toBlockedEstimate(series).r1Top, undefined)
  })
})

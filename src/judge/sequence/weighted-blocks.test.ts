import { describe, it } from 'node:test'
import fc from 'fast-check'
import { assertNear } from '../testing/near.ts'
import { toBlockedEstimate, toBlocks } from './blocking.ts'
import { addToWeightedBlocks, emptyWeightedBlocks, toWeightedEstimate } from './weighted-blocks.ts'

describe('toWeightedEstimate()', () => {
  const row = fc.tuple(fc.integer({ min: -500, max: 500 }), fc.integer({ min: 1, max: 90 }))

  it('is the blocked mean of what each label adds to the linearised ratio', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 4, maxLength: 200 }), fc.constantFrom(1, 3), (rows, season) => {
        const state = rows.reduce((blocks, [x, y]) => addToWeightedBlocks(blocks, x, y), emptyWeightedBlocks(season))
        const total = rows.reduce(([sumX, sumY], [x, y]) => [sumX + x, sumY + y], [0, 0])
        const [ratio, size] = [total[0] / total[1], total[1] / rows.length]
        const wanted = toBlockedEstimate(
          toBlocks(
            rows.map(([x, y]) => (x - ratio * y) / size),
            season,
          ),
          4,
        )
        const found = toWeightedEstimate(state, 4)
        assertNear(found.estimate, ratio)
        assertNear(found.se, wanted.se, 1e-6)
        if (wanted.se > 1e-3 && wanted.r1Top !== undefined) assertNear(found.r1Top, wanted.r1Top, 1e-4)
      }),
    )
  })

  it('is the plain blocked mean where every weight is 1', () => {
    const xs = Array.from({ length: 500 }, (_, i) => Math.sin(i * i))
    const found = toWeightedEstimate(xs.reduce((blocks, x) => addToWeightedBlocks(blocks, x, 1), emptyWeightedBlocks()))
    const wanted = toBlockedEstimate(toBlocks(xs))
    assertNear(found.estimate, wanted.estimate)
    assertNear(found.se, wanted.se)
    assertNear(found.r1Top, wanted.r1Top ?? Number.NaN)
  })
})

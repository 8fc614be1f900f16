import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { chooseByKey, chooseByWeight, type Weighted } from './rendezvous.ts'

type Item = Weighted & { readonly id: number }
const keys = Array.from({ length: 20_000 }, (_, index) => `user-${index}`)
/** Shares of the keys by item id. */
function countShares(items: readonly Item[]): ReadonlyMap<number, number> {
  const shares = new Map<number, number>()
  for (const key of keys) {
    const id = chooseByKey(items, key)?.id ?? -1
    shares.set(id, (shares.get(id) ?? 0) + 1 / keys.length)
  }
  return shares
}
const weights = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 2, maxLength: 6 })
const toItems = (list: readonly number[]): Item[] => list.map((weight, id) => ({ id, weight }))

describe('chooseByKey()', () => {
  for (const shares of [
    [0.9, 0.1],
    [0.5, 0.5],
    [0.7, 0.2, 0.1],
  ])
    it(`gives items of weights ${shares.join(', ')} their share of 20 000 keys`, () => {
      const counted = countShares(toItems(shares))
      for (const [id, share] of shares.entries()) {
        // Five standard errors of a binomial share.
        const tolerance = 5 * Math.sqrt((share * (1 - share)) / keys.length)
        assert.ok(Math.abs((counted.get(id) ?? 0) - share) < tolerance, `${id}: ${counted.get(id)}`)
      }
    })

  it('does not depend on the order of the items', () =>
    fc.assert(
      fc.property(weights, fc.string(), (list, key) => {
        const items = toItems(list)
        assert.equal(chooseByKey(items, key)?.id, chooseByKey(items.toReversed(), key)?.id)
      }),
    ))

  it('moves keys only to the item whose weight grew', () =>
    fc.assert(
      fc.property(weights, fc.string(), fc.nat(5), fc.integer({ min: 1, max: 500 }), (list, key, grown, more) => {
        const items = toItems(list)
        const id = grown % items.length
        const after = items.map(item => (item.id === id ? { ...item, weight: item.weight + more } : item))
        const [from, to] = [chooseByKey(items, key)?.id, chooseByKey(after, key)?.id]
        assert.ok(from === to || to === id)
      }),
    ))

  it('moves about as many keys as the weight that moved', () => {
    const [before, after] = [toItems([0.9, 0.1]), toItems([0.8, 0.2])]
    const moved = keys.filter(key => chooseByKey(before, key)?.id !== chooseByKey(after, key)?.id).length
    assert.ok(Math.abs(moved / keys.length - 0.1) < 0.012, `${moved / keys.length}`)
  })

  it('never chooses an item without weight', () =>
    fc.assert(fc.property(fc.string(), key => assert.equal(chooseByKey(toItems([0, 1, 0]), key)?.id, 1))))

  it('chooses none of none', () => assert.equal(chooseByKey([], 'x'), undefined))
})

describe('chooseByWeight()', () => {
  it('honours the weights exactly over an even grid', () => {
    const items = toItems([0.7, 0.2, 0.1])
    const counts = [0, 0, 0]
    for (let step = 0; step < 1000; step += 1) {
      const id = chooseByWeight(items, (step + 0.5) / 1000)?.id ?? -1
      counts[id] = (counts[id] ?? 0) + 1
    }
    assert.deepEqual(counts, [700, 200, 100])
  })

  it('chooses an item with weight for any fraction', () =>
    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (list, fraction) => {
        const chosen = chooseByWeight([{ id: -1, weight: 0 }, ...toItems(list), { id: -2, weight: 0 }], fraction)
        assert.ok(chosen !== undefined && chosen.id >= 0)
      }),
    ))
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Store } from './index.ts'
import { Child, killWriters } from './testing/children.ts'
import { makeStore, NOON, startRace, toPair, toRecord, toRequest, toTruth } from './testing/place.ts'
import { Recount, toPlain } from './testing/recount.ts'
import { toItems } from './testing/script.ts'

const count = (from: number, length: number): number[] => Array.from({ length }, (_, n) => from + n)

describe('a store that several use', () => {
  it('adds up what two of one process write in turns', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store)
    const other = await place.open()
    const write = async (store: Store, numbers: readonly number[]): Promise<void> => {
      for (const n of numbers) {
        await store.addTruths([toTruth(n, n % 3)], NOON)
        await store.addPredictions(toPair(n, n % 7, n % 5))
      }
    }
    // The second half of one's is the first half of the other's.
    await Promise.all([write(place.store, count(0, 80)), write(other, count(40, 80))])
    for (const store of [place.store, other]) {
      toPlain(count(0, 120)).assertSame(await store.readScoreboard(race))
      assert.equal((await store.readTruthCounts()).new, 120)
    }
  })

  it('adds up what two processes write at the same time, and lets a third read', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store)
    const children = [new Child('child', place.where, [0, 90]), new Child('child', place.where, [60, 90])]
    const codes = children.map(child => child.end())
    const seen: number[] = []
    const ended = Promise.all(codes).then(() => 'ended')
    while ((await Promise.race([ended, new Promise(resolve => setTimeout(resolve, 20))])) !== 'ended') {
      const { arms, paired } = await place.store.readScoreboard(race)
      assert.ok(paired.count <= arms[0].predictions)
      seen.push(paired.count)
    }
    assert.deepEqual(await Promise.all(codes), [0, 0])
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    )
    toPlain(count(0, 150)).assertSame(await place.store.readScoreboard(race))
  })

  it('comes to what a recount says after four processes have sent everything more than once, in any order', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store)
    // Each range overlaps its neighbours', so that everything comes from two of them.
    const ranges = [0, 1, 2, 3].map(n => [n * 100, n * 100 + 200] as const)
    const children = ranges.map(([from, to], seed) => new Child('mixer', place.where, [seed, from, to]))
    assert.deepEqual(await Promise.all(children.map(child => child.end())), [0, 0, 0, 0])
    const plain = new Recount()
    for (const item of toItems(0, 500)) {
      if (item.kind === 'record') plain.addPredictions([item.record])
      else plain.addTruth(item.truth)
    }
    plain.assertSame(await place.store.readScoreboard(race))
    const counts = await place.store.readTruthCounts()
    assert.deepEqual([counts.new, counts.orphan, counts.conflict], [plain.counts.new, plain.counts.orphan, 0])
    const sent = children.reduce((sum, child) => sum + Number(child.said[0]), 0)
    assert.equal(
      Object.values(counts).reduce((sum, n) => sum + n),
      sent,
    )
    assert.equal(await place.store.readServedCount(), 500)
  })

  it('lets another write while one prunes', async () => {
    await using place = await makeStore()
    await startRace(place.store)
    await place.store.addPredictions(count(0, 11_000).map(n => toRecord({ request: toRequest(n) })))
    const other = await place.open()
    const order: string[] = []
    await Promise.all([
      place.store.prune(NOON + 1, false).then(() => order.push('pruned')),
      other.addPredictions(toPair(1, 1, 2, NOON + 60_000)).then(() => order.push('written')),
    ])
    assert.deepEqual(order, ['written', 'pruned'])
  })

  it('has everything that its writers said they stored, once, after they were killed', async () => {
    await using place = await makeStore()
    assert.ok((await killWriters(place, { rounds: 2, writers: 2 })) > 20)
  })
})

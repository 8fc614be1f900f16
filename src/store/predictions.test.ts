import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  DAY_MS,
  makeStore,
  NOON,
  readDifferences,
  spec,
  startRace,
  toPair,
  toRecord,
  toRequest,
  toTruth,
} from './testing/place.ts'
import { assertNear } from './testing/recount.ts'

describe('addPredictions()', () => {
  it('counts a batch that comes twice once', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store)
    const batch = [...toPair(1, 1, 2), ...toPair(2, 3, 5)]
    assert.deepEqual(await place.store.addPredictions(batch), { added: 4, joined: 0 })
    await place.store.addTruths([toTruth(1, 0), toTruth(2, 0)], NOON)
    const board = await place.store.readScoreboard(race)
    assert.deepEqual(await place.store.addPredictions(batch), { added: 0, joined: 0 })
    assert.deepEqual(await place.store.readScoreboard(race), board)
    const { young: _, ...arm } = board.arms[0]
    assert.deepEqual(arm, { variant: 1, predictions: 2, loss: { count: 2, mean: 5, m2: 32 } })
    assert.deepEqual(board.paired, { count: 2, mean: (-3 - 16) / 2, m2: 84.5 })
  })

  it('says how many of the new records had their truth waiting', async () => {
    await using place = await makeStore()
    await startRace(place.store)
    await place.store.addTruths([toTruth(1, 0)], NOON)
    assert.deepEqual(await place.store.addPredictions([...toPair(1, 1, 2), ...toPair(2, 1, 2)]), {
      added: 4,
      joined: 2,
    })
  })

  it('takes more records than one transaction does', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store)
    const batch = Array.from({ length: 1300 }, (_, n) => toPair(n, 1, 2)).flat()
    assert.equal((await place.store.addPredictions(batch)).added, 2600)
    const truths = Array.from({ length: 1300 }, (_, n) => toTruth(n, n % 2))
    assert.equal((await place.store.addTruths(truths, NOON)).new, 1300)
    assert.equal((await place.store.readScoreboard(race)).paired.count, 1300)
  })

  it('counts for a split what chance drew, and an entity that keeps coming once', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store, { design: 'split' })
    const ann = { entity: 'ann' }
    await place.store.addPredictions([
      toRecord({ request: toRequest(1), ...ann }),
      toRecord({ request: toRequest(2), ...ann }),
      toRecord({ request: toRequest(3), variant: 2, entity: 'bob' }),
      toRecord({ request: toRequest(4), variant: 2 }),
      toRecord({ request: toRequest(5), variant: 2, pinned: true }),
      toRecord({ request: toRequest(6), variant: 2, status: 503, error: 'no answer', rows: [] }),
    ])
    await place.store.addTruths(
      [1, 2, 3, 4, 5, 6].map(n => toTruth(n, n)),
      NOON,
    )
    const [epoch] = (await place.store.readScoreboard(race)).epochs
    assert.deepEqual([epoch?.servedA, epoch?.servedB, epoch?.repeated], [1, 3, 1])
    assert.deepEqual([epoch?.a.count, epoch?.b.count, epoch?.weightB], [2, 2, 0.25])
    assert.deepEqual([epoch?.eventsA, epoch?.eventsB], [2, 2])
  })

  it('counts refused outcomes, until a revision mends them', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store)
    await place.store.addPredictions(toPair(1, 1, 2))
    await place.store.addTruths([toTruth(1, 'cat')], NOON)
    const refused = await place.store.readScoreboard(race)
    assert.deepEqual([refused.refused, refused.paired.count, refused.arms[0].loss.count], [2, 0, 0])
    await place.store.addTruths([toTruth(1, 0, { revision: 1 })], NOON)
    const mended = await place.store.readScoreboard(race)
    assert.deepEqual([mended.refused, mended.paired.count, mended.paired.mean], [0, 1, -3])
  })

  it('keeps its digits when a huge loss is revised away', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store)
    const numbers = Array.from({ length: 50 }, (_, n) => n)
    await place.store.addPredictions(numbers.flatMap(n => toPair(n, 1 + n / 100, 2 - n / 70)))
    await place.store.addTruths(
      numbers.map(n => toTruth(n, n === 7 ? 1e12 : n / 10)),
      NOON,
    )
    await place.store.addTruths([toTruth(7, 0.7, { revision: 1 })], NOON)
    const { arms, paired } = await place.store.readScoreboard(race)
    const a = numbers.map(n => (n / 10 - 1 - n / 100) ** 2)
    const d = numbers.map((n, at) => (a[at] ?? 0) - (n / 10 - 2 + n / 70) ** 2)
    for (const [moments, xs] of [
      [arms[0].loss, a],
      [paired, d],
    ] as const) {
      const mean = xs.reduce((sum, x) => sum + x, 0) / xs.length
      assertNear(moments.mean, mean)
      assertNear(
        moments.m2,
        xs.reduce((sum, x) => sum + (x - mean) ** 2, 0),
      )
    }
  })

  it('leaves predictions of an epoch that no race has out of the sums', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store)
    await place.store.addPredictions([toRecord({ epoch: 9 })])
    await place.store.addTruths([toTruth(1, 3)], NOON)
    assert.equal((await place.store.readScoreboard(race)).arms[0].predictions, 0)
    assert.equal((await place.store.readPrediction({ request: toRequest(1), row: 0 }))?.truth?.value, 3)
  })

  it('counts late predictions for the race of their epoch', async () => {
    await using place = await makeStore()
    const { store } = place
    const first = await startRace(store)
    await store.openEpoch({ epoch: 2, startedAt: NOON + 1, weights: { 1: 0.5, 2: 0.5 } })
    const second = await store.startRace({ a: 1, b: 2, design: 'split', spec, startedAt: NOON + 1 })
    await store.addPredictions([...toPair(1, 1, 2), toRecord({ request: toRequest(2), epoch: 2 })])
    assert.equal((await store.readScoreboard(first)).arms[0].predictions, 1)
    assert.equal((await store.readScoreboard(second)).arms[0].predictions, 1)
  })
})

describe('readServedCount()', () => {
  it('counts requests that were answered, not rows, shadows, failures or repetitions', async () => {
    await using place = await makeStore()
    await startRace(place.store)
    assert.equal(await place.store.readServedCount(), 0)
    const failed = { status: 502, error: 'broken', rows: [] }
    const batch = [
      ...toPair(1, 1, 2),
      toRecord({ request: toRequest(2), rows: [{ prediction: 1 }, { prediction: 2 }] }),
      toRecord({ request: toRequest(3), ...failed }),
      // The chosen variant failed and the champion answered.
      toRecord({ request: toRequest(4), variant: 2, served: false, pinned: true, ...failed }),
      toRecord({ request: toRequest(4), pinned: true }),
    ]
    await place.store.addPredictions(batch)
    await place.store.addPredictions(batch)
    assert.equal(await place.store.readServedCount(), 3)
    // Two gateways say that they answered it.
    await place.store.addPredictions([toRecord({ request: toRequest(2), variant: 2, rows: [{ prediction: 1 }] })])
    assert.equal(await place.store.readServedCount(), 3)
    await place.store.prune(NOON + DAY_MS, false)
    assert.equal(await place.store.readServedCount(), 3)
  })
})

describe('readDifferencesAfter()', () => {
  it('are in the order of the times predicted for', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store)
    const at = [30, 10, 20]
    const records = at.flatMap((time, n) =>
      toPair(n, n + 1, 0).map(one => ({ ...one, rows: one.rows.map(row => ({ ...row, series: 's', at: time })) })),
    )
    await place.store.addPredictions(records)
    assert.equal((await readDifferences(place.store, race)).length, 0)
    await place.store.addTruths(
      at.map((_, n) => toTruth(n, 0)),
      NOON,
    )
    assert.deepEqual([...(await readDifferences(place.store, race))], [4, 9, 1])
    await place.store.addTruths([toTruth(1, 2, { revision: 1 })], NOON)
    assert.deepEqual([...(await readDifferences(place.store, race))], [-4, 9, 1])
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_TRUTHS } from './fates.ts'
import {
  DAY_MS,
  makeStore,
  NOON,
  readDifferences,
  startRace,
  toObservation,
  toPair,
  toRecord,
  toRequest,
  toTruth,
} from './testing/place.ts'
import { assertMoments, assertNear } from './testing/recount.ts'

/** Ten pairs with truths, an hour apart from noon on: half of them before six hours later, over two days. */
async function makeFilled() {
  const place = await makeStore()
  const race = await startRace(place.store)
  const times = Array.from({ length: 10 }, (_, n) => ({ n, at: NOON + n * 2 * 3_600_000 }))
  await place.store.addPredictions(times.flatMap(({ n, at }) => toPair(n, n, n / 2, at)))
  await place.store.addTruths(
    times.map(({ n, at }) => toTruth(n, 1, { at })),
    NOON,
  )
  return { ...place, race, times }
}
const CUT = NOON + 5 * 3_600_000

describe('prune()', () => {
  it('says first what it would delete, and deletes nothing', async () => {
    await using place = await makeFilled()
    const said = await place.store.prune(CUT, true)
    // Three requests of two answers, two predictions and a truth.
    assert.deepEqual(said, { rows: 15 })
    assert.deepEqual(await place.store.prune(CUT, true), said)
    assert.notEqual(await place.store.readPrediction({ request: toRequest(0), row: 0 }), undefined)
    assert.deepEqual(await place.store.prune(CUT, false), said)
    assert.deepEqual(await place.store.prune(CUT, false), { rows: 0 })
  })

  it('keeps the sums, the differences and the counts', async () => {
    await using place = await makeFilled()
    const { race, store } = place
    const before = await store.readScoreboard(race)
    const differences = await readDifferences(store, race)
    const counts = await store.readTruthCounts()
    for (const cut of [CUT, NOON + DAY_MS / 2 + 1, NOON + 2 * DAY_MS]) {
      await store.prune(cut, false)
      const after = await store.readScoreboard(race)
      assertMoments(after.paired, before.paired)
      assertMoments(after.arms[0].loss, before.arms[0].loss)
      assertMoments(after.epochs[0]?.a, before.epochs[0]?.a ?? before.paired)
      assertNear(after.dominance, before.dominance)
      assert.deepEqual(
        [after.discordant, after.arms[1].predictions, after.epochs[0]?.eventsA, after.epochs[0]?.servedA],
        [before.discordant, 10, before.epochs[0]?.eventsA, 10],
      )
      assert.deepEqual(await readDifferences(store, race), differences)
      assert.deepEqual(await store.readTruthCounts(), counts)
    }
    assert.equal(await store.readPrediction({ request: toRequest(0), row: 0 }), undefined)
  })

  it('lets nothing that was counted come a second time', async () => {
    await using place = await makeFilled()
    const before = await place.store.readScoreboard(place.race)
    await place.store.prune(CUT, false)
    assert.deepEqual(await place.store.addPredictions(toPair(0, 9, 9)), { added: 0, joined: 0 })
    assert.deepEqual(await place.store.addTruths([toTruth(0, 7, { revision: 3 })], NOON), { ...NO_TRUTHS, stale: 1 })
    assertMoments((await place.store.readScoreboard(place.race)).paired, before.paired)
  })

  it('leaves what stays open to revision, to the digit', async () => {
    await using place = await makeFilled()
    const { store, race, times } = place
    await store.prune(CUT, false)
    const last = times.slice(3)
    await store.addTruths(
      last.map(({ n, at }) => toTruth(n, 1e9, { at, revision: 1 })),
      NOON,
    )
    await store.addTruths(
      last.map(({ n, at }) => toTruth(n, 2, { at, revision: 2 })),
      NOON,
    )
    const truth = (n: number): number => (n < 3 ? 1 : 2)
    const losses = times.map(({ n }) => (truth(n) - n) ** 2)
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / 10
    const m2 = losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0)
    assertMoments((await store.readScoreboard(race)).arms[0].loss, { count: 10, mean, m2 })
  })

  it('keeps a truth of a series as long as a prediction for it', async () => {
    await using place = await makeStore()
    await startRace(place.store)
    const rows = [{ prediction: 1, series: 's', at: 7 }]
    const late = toRequest(2, NOON + DAY_MS)
    await place.store.addPredictions([toRecord({ rows }), toRecord({ request: late, at: NOON + DAY_MS, rows })])
    await place.store.addTruths([toObservation('s', 7, 5), toObservation('s', 8, 5)], NOON)
    const cut = NOON + 1000
    assert.deepEqual(await place.store.prune(cut, true), { rows: 3 })
    assert.deepEqual(await place.store.prune(cut, false), { rows: 3 })
    assert.equal((await place.store.readPrediction({ request: late, row: 0 }))?.truth?.value, 5)
    await place.store.addTruths([toObservation('s', 7, 6, 1)], NOON)
    assert.equal((await place.store.readPrediction({ request: late, row: 0 }))?.answers[0]?.loss, 25)
  })

  it('closes nothing that is still to come', async () => {
    await using place = await makeStore(NOON + DAY_MS)
    const race = await startRace(place.store)
    await place.store.addPredictions(toPair(1, 1, 2))
    await place.store.prune(Number.MAX_SAFE_INTEGER, false)
    await place.store.addPredictions(toPair(2, 1, 2, NOON + 2 * DAY_MS))
    assert.equal((await place.store.readScoreboard(race)).arms[0].predictions, 2)
  })

  it('takes more than one step for many requests', async () => {
    await using place = await makeStore()
    await startRace(place.store)
    const many = Array.from({ length: 6000 }, (_, n) => toRecord({ request: toRequest(n) }))
    await place.store.addPredictions(many)
    assert.deepEqual(await place.store.prune(NOON + 1, true), { rows: 12_000 })
    assert.deepEqual(await place.store.prune(NOON + 1, false), { rows: 12_000 })
  })
})

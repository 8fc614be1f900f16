import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_TRUTHS } from './fates.ts'
import {
  DAY_MS,
  makeStore,
  NOON,
  spec,
  startRace,
  toObservation,
  toPair,
  toRecord,
  toRequest,
  toTruth,
} from './testing/place.ts'
import { assertNear } from './testing/recount.ts'

const lossOf = async ({ store }: Awaited<ReturnType<typeof makeStore>>, n: number): Promise<number | undefined> =>
  (await store.readPrediction({ request: toRequest(n), row: 0 }))?.answers[0]?.loss

describe('addTruths()', () => {
  it('keeps each value that it refused once, until that is pruned', async () => {
    await using place = await makeStore()
    const { store } = place
    await startRace(store)
    await store.addPredictions(toPair(1, 1, 2))
    await store.addTruths([toTruth(1, 1)], NOON)
    const countRows = async (): Promise<number> => (await store.prune(NOON + DAY_MS, true)).rows
    const before = await countRows()
    await store.addTruths([toTruth(1, 2), toTruth(1, 2), toTruth(1, 3)], NOON)
    await store.addTruths([toTruth(1, 2)], NOON)
    assert.equal(await countRows(), before + 2)
  })

  it('tells new, duplicate, revised, stale, conflict and orphan apart', async () => {
    await using place = await makeStore()
    await startRace(place.store)
    await place.store.addPredictions(toPair(1, 1, 2))
    const steps = [
      [toTruth(1, 5, { revision: 1 }), 'new', 16],
      [toTruth(1, 5, { revision: 1 }), 'duplicate', 16],
      [toTruth(1, 6, { revision: 1 }), 'conflict', 16],
      [toTruth(1, 6, { revision: 0 }), 'stale', 16],
      [toTruth(1, 3, { revision: 2 }), 'revised', 4],
      [toTruth(2, 3), 'orphan', 4],
      [toTruth(2, 3), 'duplicate', 4],
      [toTruth(1, 3, { row: 1 }), 'orphan', 4],
    ] as const
    for (const [truth, fate, loss] of steps) {
      assert.deepEqual(await place.store.addTruths([truth], NOON), { ...NO_TRUTHS, [fate]: 1 })
      assert.equal(await lossOf(place, 1), loss)
    }
    const counts = { new: 1, duplicate: 2, revised: 1, stale: 1, conflict: 1, orphan: 2 }
    assert.deepEqual(await place.store.readTruthCounts(), counts)
  })

  it('joins an orphan when its prediction comes, and counts it as new from then on', async () => {
    await using place = await makeStore()
    await startRace(place.store)
    await place.store.addTruths([toTruth(1, 5), toObservation('s', 7, 5)], NOON)
    assert.deepEqual(await place.store.readTruthCounts(), { ...NO_TRUTHS, orphan: 2 })
    await place.store.addPredictions(toPair(1, 1, 2))
    assert.equal(await lossOf(place, 1), 16)
    assert.deepEqual(await place.store.readTruthCounts(), { ...NO_TRUTHS, new: 1, orphan: 1 })
    await place.store.addPredictions([
      toRecord({ request: toRequest(2), rows: [{ prediction: 2, series: 's', at: 7 }] }),
      toRecord({ request: toRequest(3), rows: [{ prediction: 3, series: 's', at: 7 }] }),
    ])
    assert.deepEqual([await lossOf(place, 2), await lossOf(place, 3)], [9, 4])
    assert.deepEqual(await place.store.readTruthCounts(), { ...NO_TRUTHS, new: 2 })
  })

  it('judges every variant and every prediction for a time by one truth', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store)
    const rows = (prediction: number) => [{ prediction, series: 's', at: 7 }]
    const records = [1, 2, 3].flatMap(n => toPair(n, 0, 0).map((one, at) => ({ ...one, rows: rows(n + at) })))
    await place.store.addPredictions(records)
    assert.deepEqual(await place.store.addTruths([toObservation('s', 7, 0)], NOON), { ...NO_TRUTHS, new: 1 })
    const { arms, paired } = await place.store.readScoreboard(race)
    assert.deepEqual([arms[0].loss.count, arms[1].loss.count, paired.count], [3, 3, 3])
    assertNear(arms[0].loss.mean, 14 / 3)
    await place.store.addTruths([toObservation('s', 8, 0), toObservation('t', 7, 0)], NOON)
    assert.equal((await place.store.readScoreboard(race)).paired.count, 3)
  })

  it("prefers a truth by the prediction's id to one by series and time, whichever comes first", async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      await using place = await makeStore()
      await startRace(place.store)
      await place.store.addPredictions([toRecord({ rows: [{ prediction: 0, series: 's', at: 7 }] })])
      const truths = [toTruth(1, 2), toObservation('s', 7, 3, 9)]
      for (const at of order) await place.store.addTruths(truths.slice(at, at + 1), NOON)
      assert.equal(await lossOf(place, 1), 4)
      assert.equal((await place.store.readPrediction({ request: toRequest(1), row: 0 }))?.truth?.value, 2)
    }
  })
})

describe('readPrediction()', () => {
  it('tells what each variant answered, the served answer first', async () => {
    await using place = await makeStore()
    await startRace(place.store)
    await place.store.addPredictions([...toPair(1, 1, 2)].reverse())
    await place.store.addTruths([toTruth(1, 5, { revision: 3 })], NOON)
    const found = await place.store.readPrediction({ request: toRequest(1), row: 0 })
    const [a, b] = await place.store.readVariants()
    assert.deepEqual(found, {
      id: { request: toRequest(1), row: 0 },
      at: NOON,
      answers: [
        { variant: a, epoch: 1, served: true, replica: 'a-1', latencyUs: 1500, prediction: 1, loss: 16 },
        { variant: b, epoch: 1, served: false, replica: 'b-1', latencyUs: 1500, prediction: 2, loss: 9 },
      ],
      truth: { value: 5, revision: 3 },
    })
  })

  it('knows nothing of a row that was not predicted', async () => {
    await using place = await makeStore()
    await startRace(place.store)
    await place.store.addPredictions(toPair(1, 1, 2))
    assert.equal(await place.store.readPrediction({ request: toRequest(1), row: 1 }), undefined)
    assert.equal(await place.store.readPrediction({ request: toRequest(2), row: 0 }), undefined)
  })

  it('gives back what was predicted, of whatever type', async () => {
    await using place = await makeStore()
    await startRace(place.store)
    const values = [1.5, 'cat', true, [0.25, 0.75]]
    await place.store.addPredictions([toRecord({ rows: values.map(prediction => ({ prediction })) })])
    for (const [row, value] of values.entries()) {
      const found = await place.store.readPrediction({ request: toRequest(1), row })
      assert.deepEqual(found?.answers[0]?.prediction, value)
      assert.equal(found?.truth, undefined)
      assert.equal(found?.answers[0]?.loss, undefined)
    }
  })
})

describe('a race with a maturity', () => {
  it('refuses a truth that gives no loss when its prediction is old enough', async () => {
    await using place = await makeStore(NOON)
    const { store } = place
    const race = await startRace(store, { spec: { ...spec, maturityMs: 60_000 } })
    const found = async () => {
      const { arms, refused } = await store.readScoreboard(race)
      return [refused, arms[0].young.count]
    }
    await store.addPredictions(toPair(1, 1, 2, NOON))
    await store.addTruths([toTruth(1, 'cat', { at: NOON })], NOON + 10_000)
    assert.deepEqual(await found(), [0, 0])
    await store.ripen(NOON + 60_001)
    assert.deepEqual(await found(), [2, 0])
  })

  it('counts a truth when its prediction is old enough, and a later one at once', async () => {
    await using place = await makeStore(NOON)
    const { store } = place
    const maturityMs = 60_000
    const race = await startRace(store, { spec: { ...spec, maturityMs } })
    const countOf = async () => (await store.readScoreboard(race)).paired.count
    await store.addPredictions([...toPair(1, 1, 2, NOON), ...toPair(2, 1, 2, NOON + 30_000), ...toPair(3, 1, 2, NOON)])
    await store.addTruths([toTruth(1, 0, { at: NOON }), toTruth(2, 0, { at: NOON + 30_000 })], NOON + 40_000)
    await store.ripen(NOON + 59_999)
    assert.equal(await countOf(), 0)
    const youngOf = async () =>
      (await store.readScoreboard(race)).arms.map(({ young }) => [young.count, Number(young.mean.toFixed(9))])
    assert.deepEqual(await youngOf(), [
      [2, 1],
      [2, 4],
    ])
    assert.deepEqual(await store.readOutcomes(race, undefined, 9), [])
    await store.addTruths([toTruth(1, 1, { at: NOON, revision: 1 })], NOON + 59_999)
    assert.deepEqual((await youngOf())[0], [2, 0.5])
    await store.ripen(NOON + 60_001)
    assert.equal(await countOf(), 1)
    assert.deepEqual((await youngOf())[0], [1, 1])
    await store.addTruths([toTruth(3, 0, { at: NOON })], NOON + 70_000)
    assert.equal(await countOf(), 2)
    await store.ripen(NOON + 90_001)
    await store.ripen(NOON + 95_000)
    assert.equal(await countOf(), 3)
    assert.deepEqual((await youngOf())[0], [0, 0])
    // Two truths waited 40 s and 10 s for, one 70 s: from the prediction, not from when it was judged.
    const late = (await store.readDurations(race)).find(one => one.variant === 1 && one.name === 'lateness')
    assert.deepEqual(
      late?.buckets.map(({ bucket, count }) => [Math.round(2 ** (bucket / 4) / 1000), count]),
      [
        [10, 1],
        [39, 1],
        [66, 1],
      ],
    )
  })
})

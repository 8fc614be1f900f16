import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CAP_LABELS } from '../../judge/index.ts'
import { makeStore, NOON, spec, startRace, toPair, toTruth } from '../testing/place.ts'
import { assertNear } from '../testing/recount.ts'

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n)
const capped = { ...spec, loss: { kind: 'absolute' as const }, cap: 0.9 }
/** Request n of the champion is n off, of the challenger none. */
const pairs = (from: number, to: number) => numbers(from, to).flatMap(n => toPair(n, n, 0))
const truths = (from: number, to: number) => numbers(from, to).map(n => toTruth(n, 0))

describe('the cap of a race', () => {
  it("is set by the champion's first labels, which do not count, and holds from then on", async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store, { spec: capped })
    await store.addPredictions(pairs(1, CAP_LABELS + 11))
    await store.addTruths(truths(1, 101), NOON)
    const early = await store.readSums(race)
    assert.deepEqual(early.cap, { at: undefined, labels: 100, capped: 0 })
    assert.equal((await store.readScoreboard(race)).paired.count, 0)
    await store.addTruths(truths(101, CAP_LABELS + 11), NOON)
    const late = await store.readSums(race)
    // The quantile of 1 … 500, between its neighbours.
    assertNear(late.cap?.at, 450.1)
    assert.deepEqual([late.cap?.labels, late.cap?.capped], [0, 10])
    const { paired } = await store.readScoreboard(race)
    assert.equal(paired.count, 10)
    assertNear(paired.mean, 450.1)
  })

  it('is that of the labels as they were revised before it was set, and stays when they are revised after', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store, { spec: capped })
    await store.addPredictions(pairs(1, CAP_LABELS + 2))
    await store.addTruths(truths(1, CAP_LABELS), NOON)
    await store.addTruths([toTruth(1, -9999, { revision: 1 })], NOON)
    await store.addTruths(truths(CAP_LABELS, CAP_LABELS + 1), NOON)
    const { cap } = await store.readSums(race)
    assertNear(cap?.at, 451.1)
    await store.addTruths([toTruth(1, 0, { revision: 2 }), ...truths(CAP_LABELS + 1, CAP_LABELS + 2)], NOON)
    const after = await store.readSums(race)
    assert.deepEqual([after.cap?.at, after.cap?.capped], [cap?.at, 1])
    assert.equal((await store.readScoreboard(race)).paired.count, 1)
    // Revised, the champion's loss is small and the challenger's at the cap.
    await store.addTruths([toTruth(CAP_LABELS + 1, CAP_LABELS, { revision: 1 })], NOON)
    assert.equal((await store.readSums(race)).cap?.capped, 1)
    const { paired } = await store.readScoreboard(race)
    assertNear(paired.mean, 1 - 451.1)
  })

  it('is one for races side by side', async () => {
    await using place = await makeStore()
    const { store } = place
    await startRace(store, { spec: capped })
    await store.addPredictions(pairs(1, CAP_LABELS + 1))
    await store.addTruths(truths(1, CAP_LABELS + 1), NOON)
    const [, b] = await store.readVariants()
    const c = await store.addVariant({ ...(b ?? assert.fail()), version: 3 })
    const second = await store.startRace({ a: 1, b: c, design: 'paired', spec: capped, startedAt: NOON })
    assertNear((await store.readSums(second)).cap?.at, 450.1)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDigest, parseVariantName } from '../core/brands.ts'
import type { Decision, Store } from './index.ts'
import { makeStore, NOON, spec, startRace, toPair, toTruth } from './testing/place.ts'

const decision: Decision = {
  race: 1,
  at: NOON,
  state: 'promote-B',
  reason: 'b is better',
  n: 450,
  estimate: 0.25,
  se: 0.05,
  lower: 0.1,
  upper: 0.4,
  logE: 5.5,
  p: 0.004,
  spec: 'sha256:0',
  truthRevision: 450,
}

describe('addVariant()', () => {
  it('gives each deployment of a version an id of its own', async () => {
    await using place = await makeStore()
    const variant = { name: parseVariantName('a'), version: 1, digest: parseDigest(`sha256:${'a'.repeat(64)}`), at: 5 }
    const ids = [await place.store.addVariant(variant), await place.store.addVariant(variant)]
    assert.deepEqual(ids, [1, 2])
    assert.deepEqual(await place.store.readVariants(), [
      { id: 1, ...variant },
      { id: 2, ...variant },
    ])
  })

  it('gives back the id that a variant had, unless another has it', async () => {
    await using place = await makeStore()
    const variant = { name: parseVariantName('a'), version: 1, digest: parseDigest(`sha256:${'a'.repeat(64)}`), at: 5 }
    assert.equal(await place.store.addVariant({ ...variant, id: 7 }), 7)
    assert.equal(await place.store.addVariant({ ...variant, id: 7 }), 8)
  })
})

const addThird = (store: Store): Promise<number> =>
  store.addVariant({ name: parseVariantName('c'), version: 3, digest: parseDigest(`sha256:${'c'.repeat(64)}`), at: 5 })

describe('a race', () => {
  it('runs until it is ended, once', async () => {
    await using place = await makeStore()
    assert.equal(await place.store.readRace(), undefined)
    const id = await startRace(place.store)
    const running = { id, a: 1, b: 2, design: 'paired', spec, startedAt: NOON }
    assert.deepEqual(await place.store.readRace(), { ...running, ended: undefined })
    await place.store.endRace(id, NOON + 5, 'promoted')
    await place.store.endRace(id, NOON + 9, 'deleted')
    assert.deepEqual(await place.store.readRace(), { ...running, ended: { at: NOON + 5, how: 'promoted' } })
  })

  it('runs beside others', async () => {
    await using place = await makeStore()
    const { store } = place
    await startRace(store)
    await addThird(store)
    const next = { a: 1, b: 3, design: 'split', spec, startedAt: NOON + 7 } as const
    assert.equal(await store.startRace(next), 2)
    assert.deepEqual(
      (await store.readRaces()).map(({ id, ended }) => [id, ended]),
      [
        [1, undefined],
        [2, undefined],
      ],
    )
    await store.endRace(2, NOON + 8, 'spent')
    assert.equal((await store.readRace())?.id, 1)
    assert.deepEqual((await store.readRaces())[1], { id: 2, ...next, ended: { at: NOON + 8, how: 'spent' } })
  })

  it('counts the answers of a champion that it shares with another', async () => {
    await using place = await makeStore()
    const { store } = place
    const shadow = await startRace(store)
    await addThird(store)
    const split = await store.startRace({ a: 1, b: 3, design: 'split', spec, startedAt: NOON })
    await store.openEpoch({ epoch: 2, startedAt: NOON, weights: { 1: 0.8, 2: 0, 3: 0.2 } })
    const records = [toPair(0, 1, 2), toPair(1, 1, 2), toPair(2, 4, 2)].flat()
    // The last request went to variant 3, of which variant 2 saw a copy too.
    const answers = records.map((record, at) => ({ ...record, epoch: 2, ...(at === 4 && { variant: 3 }) }))
    await store.addPredictions(answers)
    await store.addTruths([toTruth(0, 0), toTruth(1, 0), toTruth(2, 0)], NOON)
    const paired = await store.readScoreboard(shadow)
    assert.deepEqual([paired.paired.count, paired.paired.mean], [2, -3])
    assert.deepEqual(
      paired.arms.map(({ predictions }) => predictions),
      [2, 3],
    )
    const shared = await store.readScoreboard(split)
    assert.equal(shared.paired.count, 0)
    assert.deepEqual(
      shared.epochs.map(({ epoch, weightB, a, b }) => [epoch, weightB, a.count, b.count, b.mean]),
      [[2, 0.2, 2, 1, 16]],
    )
  })

  it('takes the epochs whose weights are its own, and no promotion after it', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store)
    await store.openEpoch({ epoch: 2, startedAt: NOON + 2, weights: { 1: 1, 2: 0, 3: 0 } })
    await store.openEpoch({ epoch: 3, startedAt: NOON + 3, weights: { 1: 0, 2: 1 } })
    const epochs = (await store.readScoreboard(race)).epochs.map(({ epoch }) => epoch)
    assert.deepEqual(epochs, [1, 2])
    for (const [n, epoch] of [1, 2, 3].entries()) {
      await store.addPredictions(toPair(n, 1, 2).map(record => ({ ...record, epoch })))
    }
    assert.equal((await store.readScoreboard(race)).arms[1].predictions, 2)
  })

  it('that does not exist has no scoreboard', async () => {
    await using place = await makeStore()
    await assert.rejects(place.store.readScoreboard(7), /There is no race 7/)
  })
})

describe('openEpoch()', () => {
  it('notes an epoch once', async () => {
    await using place = await makeStore()
    const epoch = { epoch: 4, startedAt: NOON, weights: { 1: 0.9, 2: 0.1 } }
    await place.store.openEpoch(epoch)
    await place.store.openEpoch({ ...epoch, startedAt: NOON + 9, weights: { 1: 1 } })
    assert.deepEqual(await place.store.readEpochs(), [epoch])
  })
})

describe('addDecision()', () => {
  it('keeps the first crossing of a race', async () => {
    await using place = await makeStore()
    await startRace(place.store)
    assert.equal(await place.store.readDecision(1), undefined)
    assert.deepEqual(await place.store.addDecision(decision), decision)
    assert.deepEqual(await place.store.addDecision({ ...decision, state: 'keep-A', at: NOON + 1 }), decision)
    assert.deepEqual(await place.store.readDecision(1), decision)
  })
})

describe('addRaceEvent()', () => {
  it('keeps what was done in its order', async () => {
    await using place = await makeStore()
    await startRace(place.store)
    const step = { race: 1, at: NOON, kind: 'step', detail: 'from 5 % to 20 %' } as const
    const stopped = { race: 1, at: NOON, kind: 'stopped', detail: 'error rate' } as const
    for (const event of [step, stopped, { ...step, race: 2 }]) await place.store.addRaceEvent(event)
    assert.deepEqual(await place.store.readRaceEvents(1), [step, stopped])
  })
})

describe('readScoreboard()', () => {
  it('sees the label that makes up the spread', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store)
    assert.equal((await place.store.readScoreboard(race)).dominance, 0)
    const losses = [0, 0, 0, 3]
    await place.store.addPredictions(losses.flatMap((loss, n) => toPair(n, loss, 0)))
    await place.store.addTruths(
      losses.map((_, n) => toTruth(n, 0)),
      NOON,
    )
    const { discordant, dominance, paired } = await place.store.readScoreboard(race)
    assert.equal(discordant, 1)
    assert.equal(dominance, (9 - paired.mean) ** 2 / paired.m2)
    assert.equal(dominance, 0.75)
  })
})

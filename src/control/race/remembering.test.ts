import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isDrifting, judgeRace } from '../../judge/index.ts'
import type { Store, TruthCounts } from '../../store/index.ts'
import { makeStore, NOON, spec, startRace, toPair, toTruth } from '../../store/testing/place.ts'
import { toEvidence } from './evidence.ts'
import { type Remembered, remember } from './remembering.ts'
import { toRaceRule, toSpecDigest } from './rule.ts'
import { toShown } from './verdict.ts'

const LABELS = Array.from({ length: 400 }, (_, n) => n)
const noise = (n: number): number => Math.sin(n * 12.9898)

/** A look at race 1, `at` an instant. */
async function look(store: Store, at: number): Promise<Remembered & { shown: ReturnType<typeof toShown> }> {
  const [race] = await store.readRaces()
  if (race === undefined) return assert.fail()
  const evidence = toEvidence(race, { sums: await store.readSums(race.id), ordered: undefined })
  const verdict = judgeRace(toRaceRule(race, 1), evidence)
  const counts: TruthCounts = await store.readTruthCounts()
  const stamp = { at, spec: toSpecDigest(race.spec), truthRevision: counts.new + counts.revised + counts.orphan }
  const remembered = await remember(store, race, verdict, stamp)
  return { ...remembered, shown: toShown(verdict, remembered, race.ended) }
}

describe('remember()', () => {
  it('writes a decision once with its rule and truths, and calls drift what contradicts it, over a restart', async () => {
    await using place = await makeStore()
    const { store } = place
    await startRace(store)
    // B predicts 0, A is 1 off: with truths near 0 B is better, with truths near 1 A is.
    await store.addPredictions(LABELS.flatMap(n => toPair(n, 1, 0)))
    const early = await look(store, NOON)
    assert.deepEqual([early.decision, early.isFirst, early.shown.verdict.state], [undefined, false, 'warming-up'])
    await store.addTruths(
      LABELS.map(n => toTruth(n, noise(n) / 10)),
      NOON,
    )
    const first = await look(store, NOON + 1)
    const { decision } = first
    assert.deepEqual([first.isFirst, decision?.state, decision?.at], [true, 'promote-B', NOON + 1])
    assert.deepEqual([decision?.spec, decision?.truthRevision], [toSpecDigest(spec), 400])
    assert.equal(first.shown.drift, false)
    await store.addTruths(
      LABELS.map(n => toTruth(n, 1 + noise(n) / 10, { revision: 1 })),
      NOON,
    )
    const reopened = await place.open()
    const later = await look(reopened, NOON + 2)
    assert.deepEqual([later.isFirst, later.decision], [false, decision])
    assert.equal(isDrifting(later.history), true)
    assert.deepEqual([later.shown.verdict.state, later.shown.drift], ['promote-B', true])
    assert.match(later.shown.verdict.reason, /but the live data since then contradict this/)
    // What was contradicted once stays so, and the smallest p is that of all looks.
    const same = await look(store, NOON + 3)
    assert.deepEqual([same.shown.drift, same.history.p], [true, Math.min(first.history.p, later.history.p)])
  })

  it('remembers a race that has ended as it was', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store)
    await store.endRace(race, NOON, 'replaced')
    await store.addPredictions(LABELS.flatMap(n => toPair(n, 1, 0)))
    await store.addTruths(
      LABELS.map(n => toTruth(n, noise(n) / 10)),
      NOON,
    )
    const { decision, isFirst } = await look(store, NOON + 1)
    assert.deepEqual([decision, isFirst, await store.readMemory(race)], [undefined, false, undefined])
  })
})

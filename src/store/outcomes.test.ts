import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { PredictionRecord } from '../core/wire/records.ts'
import type { Truth } from './index.ts'
import { makeStore, NOON, startRace, toObservation, toPair, toRecord, toRequest, toTruth } from './testing/place.ts'
import { Recount } from './testing/recount.ts'

type Step =
  | { readonly kind: 'records'; readonly records: readonly PredictionRecord[] }
  | { readonly kind: 'truths'; readonly truths: readonly Truth[] }
  | { readonly kind: 'prune'; readonly before: number }

/** Six hours apart, over two and a half days: the sums keep days apart. */
const toTime = (n: number): number => NOON + n * 6 * 3_600_000

/** Few requests, rows, times and values, so that everything meets everything. */
const value = fc.constantFrom(0, 1, 1, 2.5, -3, 1e9, 1e100, 'cat')
const prediction = fc.constantFrom(0, 1, 2.5, -3, 1e5)
const row = fc.record({ prediction, series: fc.constantFrom('s', 't'), at: fc.integer({ min: 0, max: 3 }) })
const record = fc
  .record({
    n: fc.integer({ min: 0, max: 7 }),
    variant: fc.constantFrom(1, 2),
    served: fc.boolean(),
    pinned: fc.boolean(),
    rows: fc.array(fc.oneof(row, fc.record({ prediction })), { maxLength: 3 }),
  })
  .map(({ n, pinned, ...more }) => {
    const request = toRequest(n, toTime(n))
    return toRecord({ ...more, request, ...(pinned ? { pinned } : {}) })
  })
const revision = fc.integer({ min: 0, max: 2 })
const truth = fc.oneof(
  fc
    .record({ n: fc.integer({ min: 0, max: 7 }), row: fc.integer({ min: 0, max: 2 }), value, revision })
    .map(({ n, value, ...more }) => toTruth(n, value, { ...more, at: toTime(n) })),
  fc
    .record({ series: fc.constantFrom('s', 't'), at: fc.integer({ min: 0, max: 3 }), value, revision })
    .map(({ series, at, value, revision }) => toObservation(series, at, value, revision)),
)
const before = fc.integer({ min: 1, max: 8 }).map(n => toTime(n))
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('records' as const), records: fc.array(record, { maxLength: 5 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('truths' as const), truths: fc.array(truth, { maxLength: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prune' as const), before }) },
)

describe('the store, whatever comes in whatever order,', () => {
  it('says what a plain recount of everything says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
        await using place = await makeStore()
        const race = await startRace(place.store)
        const plain = new Recount()
        for (const one of steps) {
          if (one.kind === 'records') {
            plain.addPredictions(one.records)
            await place.store.addPredictions(one.records)
          } else if (one.kind === 'prune') {
            plain.prune(one.before)
            const { rows } = await place.store.prune(one.before, true)
            assert.deepEqual(await place.store.prune(one.before, false), { rows })
          } else {
            const wanted = { new: 0, duplicate: 0, revised: 0, stale: 0, conflict: 0, orphan: 0 }
            for (const truth of one.truths) wanted[plain.addTruth(truth)] += 1
            assert.deepEqual(await place.store.addTruths(one.truths, NOON), wanted)
          }
        }
        plain.assertSame(await place.store.readScoreboard(race))
        assert.deepEqual(await place.store.readTruthCounts(), plain.counts)
      }),
      { numRuns: 40 },
    )
  })

  it('comes to the same figures as in any other order, where no truth contradicts another', async () => {
    const pairs = Array.from({ length: 12 }, (_, n) => toPair(n, n / 3, (n * 7) % 5)).flat()
    const truths = Array.from({ length: 12 }, (_, n) => [toTruth(n, n), toTruth(n, n / 2, { revision: 1 })]).flat()
    const all: readonly Exclude<Step, { kind: 'prune' }>[] = [
      ...pairs.map(one => ({ kind: 'records' as const, records: [one] })),
      ...truths.map(one => ({ kind: 'truths' as const, truths: [one] })),
    ]
    const plain = new Recount()
    plain.addPredictions(pairs)
    for (const one of truths) plain.addTruth(one)
    const order = fc.shuffledSubarray([...all], { minLength: all.length })
    await fc.assert(
      fc.asyncProperty(order, async steps => {
        await using place = await makeStore()
        const race = await startRace(place.store)
        for (const one of steps) {
          if (one.kind === 'records') await place.store.addPredictions(one.records)
          else await place.store.addTruths(one.truths, NOON)
        }
        plain.assertSame(await place.store.readScoreboard(race))
      }),
      { numRuns: 10 },
    )
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeStore, NOON, toObservation, toPair, toRecord, toRequest, toTruth } from './testing/place.ts'

describe('readLabels()', () => {
  it('gives every answer that a truth by an id is about, of a race or none', async () => {
    await using place = await makeStore()
    await place.store.addPredictions(toPair(1, 1, 2))
    const subjects = [1, 2].map(n => ({ by: 'prediction', id: { request: toRequest(n), row: 0 } }) as const)
    assert.deepEqual(await place.store.readLabels(subjects), [])
    await place.store.addTruths([toTruth(1, 5)], NOON)
    const labels = await place.store.readLabels(subjects)
    assert.deepEqual(
      labels.map(({ request, variant, prediction, truth }) => [request, variant, prediction, truth]),
      [
        [toRequest(1), 1, 1, 5],
        [toRequest(1), 2, 2, 5],
      ],
    )
    assert.ok(labels.every(({ replica }) => replica !== ''))
  })

  it('gives of a series and time what was predicted last', async () => {
    await using place = await makeStore()
    for (const n of [1, 2, 3])
      await place.store.addPredictions([
        toRecord({
          request: toRequest(n),
          replica: `r${n}`,
          rows: [{ prediction: n, series: 's', at: n < 3 ? 7 : 8 }],
        }),
      ])
    await place.store.addTruths([toObservation('s', 7, 5)], NOON)
    const labels = await place.store.readLabels([7, 8].map(at => ({ by: 'series', series: 's', at })))
    assert.deepEqual(
      labels.map(({ replica, prediction, truth }) => [replica, prediction, truth]),
      [['r2', 2, 5]],
    )
  })

  it('leaves out what no replica answered', async () => {
    await using place = await makeStore()
    await place.store.addPredictions([toRecord({ request: toRequest(1), replica: '', rows: [{ prediction: 1 }] })])
    await place.store.addTruths([toTruth(1, 5)], NOON)
    assert.deepEqual(await place.store.readLabels([{ by: 'prediction', id: { request: toRequest(1), row: 0 } }]), [])
  })
})

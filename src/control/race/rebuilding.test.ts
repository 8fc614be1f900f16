import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeStore, toTruth } from '../../store/testing/place.ts'
import { assertNear } from '../../store/testing/recount.ts'
import { judgeLive, SCENES, SERIES, truthOf } from '../testing/scenes.ts'
import { rebuildPoints } from './rebuilding.ts'

describe('rebuildPoints()', () => {
  for (const scene of SCENES.filter(({ design, wanted }) => design === 'paired' && wanted !== 'clustered')) {
    it(`ends the series of ${scene.name} where the live race is`, async () => {
      await using place = await makeStore()
      const truths = SERIES.map(n => toTruth(n, (scene.truths ?? truthOf)(n)))
      const live = await judgeLive(place.store, scene, truths)
      const [race = assert.fail()] = await place.store.readRaces()
      const { cap } = await place.store.readSums(race.id)
      const points = await rebuildPoints(place.store, race, 1, { labels: live.n, cap: cap?.at })
      assert.equal(points.length, 100)
      const last = points.at(-1)
      assert.equal(last?.n, live.n)
      for (const key of ['estimate', 'lower', 'upper'] as const) {
        assertNear(last?.[key] ?? Number.NaN, live[key] ?? assert.fail(key))
      }
    })
  }
})

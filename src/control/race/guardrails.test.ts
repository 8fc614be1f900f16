import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { RaceSpec } from '../../store/index.ts'
import { makeStore, NOON, type Place, spec, startRace, toRecord, toRequest } from '../../store/testing/place.ts'
import { toRaceGuardrails } from './guardrails.ts'

let place: Place
beforeEach(async () => {
  place = await makeStore()
  const guardrails = { errorRate: 0.01, p99: 1.5 }
  await startRace(place.store, { design: 'split', spec: { ...spec, guardrails } })
})
afterEach(async () => await place[Symbol.asyncDispose]())

/** Has a variant answer 1000 requests in an epoch, of which some fail; of those that do not, some are slow. */
async function answer(epoch: number, variant: number, { failed = 0, slow = 0 }): Promise<void> {
  await place.store.openEpoch({ epoch, startedAt: NOON, weights: { 1: 0.5, 2: 0.5 } })
  const of = Array.from({ length: 1000 }, (_, at) => {
    const record = toRecord({
      request: toRequest(1000 * (2 * epoch + variant) + at),
      epoch,
      variant,
      latencyUs: at < slow ? 9000 : 1000,
    })
    return at < failed ? { ...record, status: 500, rows: [] } : record
  })
  await place.store.addPredictions(of)
}

async function look(comparisons = 1, limits?: RaceSpec['guardrails']): Promise<string> {
  const stored = (await place.store.readRaces())[0] ?? assert.fail()
  const race = { ...stored, spec: { ...stored.spec, guardrails: limits ?? stored.spec.guardrails } }
  const sums = await place.store.readSums(race.id)
  const epochs = sums.board.epochs.map(({ epoch }) => epoch)
  const found = toRaceGuardrails(race, comparisons, epochs, {
    sums,
    durations: await place.store.readDurations(race.id),
  })
  return found.map(({ name, state }) => `${name} ${state}`).join(', ')
}

describe('toRaceGuardrails()', () => {
  const cases = [
    ['are quiet while limits are kept', {}, 'error rate quiet, p99 quiet'],
    ['are broken by failures', { failed: 60 }, 'error rate breached, p99 quiet'],
    ['are broken by slow answers', { slow: 60 }, 'error rate quiet, p99 breached'],
  ] as const
  for (const [name, how, wanted] of cases) {
    it(name, async () => {
      await answer(1, 1, {})
      await answer(1, 2, how)
      assert.equal(await look(), wanted)
    })
  }

  it('want more beside other races', async () => {
    await answer(1, 1, {})
    await answer(1, 2, { failed: 26 })
    assert.match(await look(), /^error rate breached/)
    assert.match(await look(3), /^error rate watching/)
  })

  it('look at the last epoch alone, and want more there than in the first', async () => {
    for (const [epoch, failed] of [
      [1, 60],
      [2, 26],
    ] as const) {
      await answer(epoch, 1, {})
      await answer(epoch, 2, { failed })
    }
    assert.match(await look(), /^error rate watching/)
  })

  it('are none where no limit is set', async () => {
    await answer(1, 1, {})
    assert.equal(await look(1, {}), '')
  })
})

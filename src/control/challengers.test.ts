import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { RaceConfig } from '../config/index.ts'
import { toLabelsNeeded } from '../judge/index.ts'
import { SCHEMAS } from './api/schemas.ts'
import { Place, type Running, toBatch, toRecord, toRequestId } from './testing/place.ts'

let place: Place
beforeEach(async () => {
  place = await Place.open()
})
afterEach(async () => await place[Symbol.asyncDispose]())

const RAMP: Partial<RaceConfig> = { ramp: [0.05, 0.2, 0.5], guardrails: { errorRate: 0.01 } }
const shadow = { mode: 'shadow' }
const ramp = { mode: 'ramp' }

async function deploy(running: Running, version: number, variant: string, challenger?: object): Promise<void> {
  const wish = { version, digest: await place.addImage(version), variant, ...(challenger && { challenger }) }
  const answer = await running.json('POST', '/api/v1/deploy', wish)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
}

async function racesOf(running: Running) {
  const { body } = await running.json('GET', '/api/v1/races')
  const { races } = SCHEMAS.Races.parse(body)
  assert.deepEqual(races, body['races'])
  return races
}

/** The races as `b v2 against a v1`, with their alpha. */
async function summaryOf(running: Running): Promise<string> {
  const races = await racesOf(running)
  return races
    .map(({ alpha, ended, variants: [a, b] }) => `${b?.name} against ${a?.name} ${alpha} ${ended?.how ?? 'runs'}`)
    .join(', ')
}

describe('several challengers', () => {
  async function raced(): Promise<Running> {
    const running = await place.start()
    await deploy(running, 1, 'a')
    await deploy(running, 2, 'b', shadow)
    await deploy(running, 3, 'c', { mode: 'split', weight: 0.2 })
    return running
  }

  it('race the champion side by side, and share alpha', async () => {
    const running = await place.start()
    await deploy(running, 1, 'a')
    await deploy(running, 2, 'b', shadow)
    assert.equal(await summaryOf(running), 'b against a 0.05 runs')
    await deploy(running, 3, 'c', { mode: 'split', weight: 0.2 })
    assert.equal(await summaryOf(running), 'b against a 0.025 runs, c against a 0.025 runs')
  })

  it('need the labels that their part of alpha takes', async () => {
    const running = await place.start({ minGain: 0.5 })
    await deploy(running, 1, 'a')
    await deploy(running, 2, 'b', shadow)
    await deploy(running, 3, 'c', shadow)
    const numbers = Array.from({ length: 50 }, (_, at) => at)
    const records = numbers.flatMap(at =>
      [1, 2, 3].map(id => toRecord(at, id, Math.sin(at * id), { epoch: 3, served: id === 1 })),
    )
    const truths = numbers.map(at => ({ prediction: toRequestId(at), value: 0 }))
    assert.equal((await running.json('POST', '/api/v1/records', toBatch(records))).status, 200)
    assert.equal((await running.json('POST', '/truth', truths)).status, 200)
    for (const { alpha, outlook, verdict } of await racesOf(running)) {
      const sd = (verdict.se ?? 0) * Math.sqrt(50)
      assert.equal(alpha, 0.025)
      assert.equal(outlook?.labels.low, toLabelsNeeded(0.5, sd, { alpha, tOpt: 1000 }))
    }
  })

  it('are told apart by name or number', async () => {
    const running = await raced()
    const read = async (query: string) => (await running.json('GET', `/api/v1/race${query}`)).body
    assert.deepEqual((await read('?challenger=c'))['race'], 2)
    assert.deepEqual((await read('?race=1'))['race'], 1)
    assert.equal(SCHEMAS.RaceSeries.parse(await read('/series?race=2')).race, 2)
    for (const [query, code] of [
      ['', 'RACES_SEVERAL'],
      ['?challenger=z', 'RACE_UNKNOWN'],
    ] as const)
      assert.equal(SCHEMAS.Error.parse(await read(query)).error.code, code)
  })

  it('race on against the one that is promoted', async () => {
    const running = await raced()
    assert.equal((await running.json('POST', '/api/v1/promote', {})).status, 409)
    await running.json('POST', '/api/v1/promote', { variant: 'c' })
    assert.equal(await summaryOf(running), 'b against c 0.05 runs')
    const ended = (await running.store.readRaces()).map(({ ended }) => ended?.how)
    assert.deepEqual(ended, ['replaced', 'promoted', undefined])
  })

  it('survive a restart of control', async () => {
    const first = await raced()
    const before = await racesOf(first)
    await first.stop()
    assert.deepEqual(await racesOf(await place.start()), before)
  })

  it('end together with the deployment', async () => {
    const running = await raced()
    await running.call('/api/v1/deployment', { method: 'DELETE' })
    assert.equal(await summaryOf(running), 'c against a 0.025 deleted')
  })

  it('take the rule of the first that runs', async () => {
    const first = await place.start({ loss: { kind: 'squared' } })
    await deploy(first, 1, 'a')
    await deploy(first, 2, 'b', shadow)
    await first.stop()
    const second = await place.start({ loss: { kind: 'absolute' } })
    await deploy(second, 3, 'c', shadow)
    assert.deepEqual(
      (await racesOf(second)).map(({ loss }) => loss),
      ['squared', 'squared'],
    )
    const notes = (await racesOf(second)).map(race => race.notes.map(({ name }) => name))
    assert.deepEqual(notes, [['rule'], ['rule']])
  })
})

describe('a ramp', () => {
  it('begins with its first share and goes on after a restart', async () => {
    const first = await place.start(RAMP)
    await deploy(first, 1, 'a')
    await deploy(first, 2, 'b', ramp)
    const [race] = await racesOf(first)
    assert.deepEqual([race?.ramp?.steps, race?.ramp?.weight], [[0.05, 0.2, 0.5], 0.05])
    await first.stop()
    const second = await place.start(RAMP)
    assert.deepEqual((await racesOf(second))[0]?.ramp, race?.ramp)
    assert.equal((await second.store.readRaces()).length, 1)
  })

  it('is refused without steps', async () => {
    const running = await place.start()
    await deploy(running, 1, 'a')
    const wish = { version: 2, digest: await place.addImage(2), variant: 'b', challenger: ramp }
    const answer = await running.json('POST', '/api/v1/deploy', wish)
    assert.equal(SCHEMAS.Error.parse(answer.body).error.code, 'RAMP_NONE')
  })

  it('ends with its race where a share by hand takes its place', async () => {
    const running = await place.start(RAMP)
    await deploy(running, 1, 'a')
    await deploy(running, 2, 'b', ramp)
    await deploy(running, 2, 'b', { mode: 'split', weight: 0.3 })
    const races = await racesOf(running)
    assert.deepEqual(
      races.map(({ race, ramp }) => [race, ramp]),
      [[2, null]],
    )
  })
})

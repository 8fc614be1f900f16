import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { RaceJson, StatusJson, TruthCountsJson } from '../src/control/index.ts'
import { ask } from './testing/client.ts'
import { makePlace, type Place, toProjectYaml } from './testing/place.ts'

const TRAIN = `node ${join(import.meta.dirname, 'testing', 'train-table.ts')}`
const RACE = '  ramp: [30%, 50%]\n  guardrails: { errorRate: 5% }\n  challengers: 2\n  promote: auto\n'
/** Requests after which something must have happened. */
const MOST_REQUESTS = 4000
const CHUNK = 200

describe('a ramp, on processes of this machine', () => {
  let place: Place
  let gateway = ''
  let sent = 0
  before(async () => {
    place = makePlace(toProjectYaml({ train: TRAIN, race: RACE }).replace('weight: 1', 'off: 0, broken: 0'))
    await release(['off=1'])
    gateway = (await place.json<{ gateway: string }>(['deploy'])).gateway
  })
  after(async () => await place[Symbol.asyncDispose]())

  /** Trains and packs a version with these parameters. */
  async function release(params: readonly string[]): Promise<void> {
    await place.json(['train', ...params.flatMap(param => ['--set', param])])
    await place.json(['pack'])
  }

  /** Sends requests whose truth is 2x + noise, 8 at once; where it is known, it is reported of those answered. */
  async function sendChunk(isTruthKnown: boolean): Promise<void> {
    const numbers = Array.from({ length: CHUNK }, (_, at) => sent + at)
    sent += CHUNK
    const lines: string[] = []
    const worker = async (): Promise<void> => {
      for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
        const value = 2 * (number % 10) + Math.sin(number * 12.9898) / 2
        const answer = await ask(gateway, number % 10).catch(() => undefined)
        if (answer !== undefined) lines.push(JSON.stringify({ prediction: answer.prediction, value }))
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    if (!isTruthKnown) return
    const file = join(place.folder, 'truths.ndjson')
    writeFileSync(file, lines.join('\n'))
    await place.json<TruthCountsJson>(['truth', file])
  }

  async function read<document>(path: string): Promise<document> {
    const record: unknown = JSON.parse(readFileSync(join(place.folder, '.regatta', 'local', 'up.json'), 'utf8'))
    const { controlUrl } = record as { controlUrl: string }
    return (await (await fetch(`${controlUrl}${path}`)).json()) as document
  }

  /** Sends requests until the races look as wanted, and says how many it took. */
  async function sendUntil(wanted: (races: readonly RaceJson[]) => boolean, isTruthKnown = true): Promise<number> {
    const from = sent
    for (;;) {
      const { races } = await read<{ races: readonly RaceJson[] }>('/api/v1/races')
      if (wanted(races)) return sent - from
      assert.ok(sent - from < MOST_REQUESTS, JSON.stringify(races, null, 1))
      await sendChunk(isTruthKnown)
    }
  }

  it('takes a challenger that fails out of the routes, and says why', async () => {
    await release(['broken=3', 'off=1'])
    await place.json(['deploy', '--challenger', 'b', '--ramp'])
    const took = await sendUntil(([race]) => race?.ended !== null)
    assert.ok(took <= 1000, `${took} requests`)
    const status = await read<StatusJson>('/api/v1/status')
    assert.deepEqual(
      status.variants.map(({ name, role, weight }) => [name, role, weight]),
      [['a', 'champion', 1]],
    )
    const [race] = status.races
    assert.equal(race?.ended?.how, 'stopped')
    assert.equal(race?.lastEvent?.kind, 'stopped')
    assert.match(race?.lastEvent?.detail ?? '', /^error rate: \d+ of \d+ requests failed, of the champion 0 of \d+$/)
    assert.equal((await ask(gateway, 9)).predictions[0]?.[0], 19)
  })

  it('promotes a better one by itself, while another that is worse is told so', async () => {
    await release(['off=3'])
    await place.json(['deploy', '--challenger', 'd', '--shadow'])
    await sendUntil(([race]) => race?.verdict.state === 'keep-A')
    await release(['off=0'])
    await place.json(['deploy', '--challenger', 'c', '--ramp'])
    const find = (races: readonly RaceJson[], name: string) => races.find(({ variants }) => variants[1]?.name === name)
    await sendUntil(races => find(races, 'c')?.ramp?.weight === 0.5, false)
    const { races } = await read<{ races: readonly RaceJson[] }>('/api/v1/races')
    assert.deepEqual(
      find(races, 'c')?.events.map(({ kind, detail }) => [kind, detail]),
      [['step', 'from 30 % to 50 % of the requests']],
    )
    assert.deepEqual([find(races, 'd')?.verdict.state, find(races, 'd')?.alpha], ['keep-A', 0.025])
    await sendUntil(races => find(races, 'd')?.variants[0]?.name === 'c')
    const status = await read<StatusJson>('/api/v1/status')
    assert.deepEqual(
      status.variants.map(({ name, role, weight }) => [name, role, weight]),
      [
        ['c', 'champion', 1],
        ['d', 'shadow', 0],
        ['a', 'standby', 0],
      ],
    )
    assert.deepEqual(
      status.races.map(({ champion, challenger }) => [champion, challenger]),
      [['c', 'd']],
    )
  })
})

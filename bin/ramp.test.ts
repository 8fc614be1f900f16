import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { RaceJson } from '../src/control/index.ts'
import { Ramps } from './testing/ramp.ts'

describe('a ramp, on processes of this machine', () => {
  let ramps: Ramps
  before(async () => {
    const race = '  ramp: [30%, 50%]\n  guardrails: { errorRate: 5% }\n  challengers: 2\n  promote: auto\n'
    ramps = await Ramps.start(race, ['off=1'])
  })
  after(async () => await ramps[Symbol.asyncDispose]())

  it('takes a challenger that fails out of the routes, and says why', async () => {
    await ramps.release(['broken=3', 'off=1'])
    await ramps.deploy('--challenger', 'b', '--ramp')
    const took = await ramps.sendUntil(([race]) => race?.ended !== null)
    assert.ok(took <= 1000, `${took} requests`)
    const status = await ramps.status()
    assert.deepEqual(
      status.variants.map(({ name, role, weight }) => [name, role, weight]),
      [['a', 'champion', 1]],
    )
    const [race] = status.races
    assert.equal(race?.ended?.how, 'stopped')
    assert.equal(race?.lastEvent?.kind, 'stopped')
    assert.match(race?.lastEvent?.detail ?? '', /^error rate: \d+ of \d+ requests failed, of the champion 0 of \d+$/)
    assert.equal(await ramps.ask(9), 19)
  })

  it('promotes a better one by itself, while another that is worse is told so', async () => {
    await ramps.release(['off=3'])
    await ramps.deploy('--challenger', 'd', '--shadow')
    await ramps.sendUntil(([race]) => race?.verdict.state === 'keep-A')
    await ramps.release(['off=0'])
    await ramps.deploy('--challenger', 'c', '--ramp')
    const find = (races: readonly RaceJson[], name: string) => races.find(({ variants }) => variants[1]?.name === name)
    await ramps.sendUntil(races => find(races, 'c')?.ramp?.weight === 0.5, false)
    const races = await ramps.races()
    assert.deepEqual(
      find(races, 'c')?.events.map(({ kind, detail }) => [kind, detail]),
      [['step', 'from 30 % to 50 % of the requests']],
    )
    assert.deepEqual([find(races, 'd')?.verdict.state, find(races, 'd')?.alpha], ['keep-A', 0.025])
    await ramps.sendUntil(races => find(races, 'd')?.variants[0]?.name === 'c')
    const status = await ramps.status()
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

describe('a ramp with a slow challenger, on processes of this machine', () => {
  it("takes it out of the routes once its latency is surely beyond the champion's", async () => {
    await using ramps = await Ramps.start('  ramp: [5%, 50%]\n  guardrails: { p99: 1.5x }\n', ['off=1'])
    await ramps.release(['off=0', 'slow=200'])
    await ramps.deploy('--challenger', 'b', '--ramp')
    await ramps.sendUntil(([race]) => race?.ended !== null, false)
    const { races, variants } = await ramps.status()
    assert.deepEqual(
      variants.map(({ name, role, weight }) => [name, role, weight]),
      [['a', 'champion', 1]],
    )
    const [race] = races
    assert.deepEqual([race?.ended?.how, race?.lastEvent?.kind], ['stopped', 'stopped'])
    const wanted = /^p99: \d+ of \d+ requests took longer than [\d.]+ ms, 1\.5 times the champion's 99th percentile/
    assert.match(race?.lastEvent?.detail ?? '', wanted)
    assert.equal(await ramps.ask(9), 19)
  })
})

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { parseDigest } from '../../core/brands.ts'
import type { Routes } from '../../core/wire/routes.ts'
import type { TargetState } from '../index.ts'
import { ask, deploy, isReady, listAlive, listProcesses, openPlace, pick, toPlan, until } from './testing/place.ts'

const ROUTES: Routes = {
  schema: 'regatta/routes/v1',
  deployment: 'forecast',
  epoch: 0,
  variants: [],
  capture: {},
}
const soon = (): AbortSignal => AbortSignal.timeout(60_000)

async function isListening(url: string | undefined): Promise<boolean> {
  return await fetch(`${url}/readyz`).then(
    () => true,
    () => false,
  )
}

describe('openLocalTarget()', async () => {
  const place = await openPlace()
  const { a, b } = place.digests
  after(async () => await place[Symbol.asyncDispose]())

  it('starts three replicas and a gateway with what they need and no secret beyond', async () => {
    await using target = await place.open()
    const state = await deploy(target, toPlan([['a', 1, 1, a, 3]]))
    assert.equal(new Set(state.replicas.map(replica => replica.url)).size, 3)
    const replica: { argv: string[]; env: Record<string, string> } = JSON.parse(await ask(state, 'a-1', '/self'))
    const basePath = replica.argv[replica.argv.indexOf('--model-base-path') + 1] ?? ''
    assert.equal(readFileSync(join(basePath, '1', 'model.onnx'), 'utf8'), 'model of a')
    assert.equal(replica.argv[replica.argv.indexOf('--model-name') + 1], 'forecast')
    assert.doesNotMatch(JSON.stringify(replica), /secret/)
    assert.equal(replica.env['ORT_DISABLE_TELEMETRY'], '1')
    const gateway: typeof replica = JSON.parse(await ask(state, 'gateway', '/self'))
    assert.equal(gateway.env['REGATTA_TOKEN'], 'secret-token')
    assert.doesNotMatch(JSON.stringify(gateway.argv), /secret/)
    assert.equal(gateway.env['DATABASE_PASSWORD'], undefined)
  })

  it('scales 1 → 3 → 1, and the replica that stays is never touched', async () => {
    await using target = await place.open()
    const one = await deploy(target, toPlan([['a', 1, 1, a, 1]]))
    const three = await deploy(target, toPlan([['a', 1, 1, a, 3]]))
    assert.equal(pick(three, 'a-1').pid, pick(one, 'a-1').pid)
    const back = await deploy(target, toPlan([['a', 1, 1, a, 1]]))
    assert.deepEqual(listAlive(listProcesses(three)), [back.gateway.pid, pick(one, 'a-1').pid])
    assert.equal(await isListening(pick(three, 'a-3').url), false)
    assert.deepEqual(readdirSync(join(place.folder, 'processes')).sort(), ['a-1.json', 'gateway.json'])
  })

  it('replaces a version: the new one starts, the old one is drained, and its model is removed', async () => {
    await using target = await place.open()
    const old = await deploy(target, toPlan([['a', 1, 1, a, 1]]))
    await deploy(target, toPlan([['a', 1, 1, a, 1], ['b', 2, 2, b, 1]])) // biome-ignore format: a table
    const state = await deploy(target, toPlan([['b', 2, 2, b, 1]]))
    assert.deepEqual(listAlive(listProcesses(old)), [state.gateway.pid])
    // A later turn of the target than the one that removes the model.
    await target.writeRoutes(ROUTES)
    assert.deepEqual(readdirSync(join(place.folder, 'models')), [b.slice('sha256:'.length, 'sha256:'.length + 12)])
    await target.delete(soon())
  })

  it('announces that a replica stops before it stops answering, and names no other process like it meanwhile', async () => {
    await using target = await place.open({ timings: { preStopMs: 400 } })
    const old = await deploy(target, toPlan([['a', 1, 1, a, 1]]))
    await target.apply(toPlan([['a', 2, 1, a, 1]]), soon())
    const state = target.state()
    assert.equal(pick(state, 'a-1').health.state, 'stopping')
    assert.equal(await isListening(pick(old, 'a-1').url), true)
    const end = await until(target, isReady('a-2'))
    assert.deepEqual(
      end.replicas.map(replica => replica.variant),
      [2],
    )
    assert.equal(await isListening(pick(old, 'a-1').url), false)
  })

  it('stops the gateway before the replicas, and no child outlives the disposal', async () => {
    await using target = await place.open()
    const state = await deploy(target, toPlan([['a', 1, 1, a, 2]]))
    place.events.length = 0
    await target[Symbol.asyncDispose]()
    assert.deepEqual(listAlive(listProcesses(state)), [])
    const stopped = place.events.flatMap(event => (event.kind === 'stopped' ? [event.process] : []))
    assert.equal(stopped[0], 'gateway')
    assert.deepEqual([...stopped].sort(), ['a-1', 'a-2', 'gateway'])
    for (const { name } of [state.gateway, ...state.replicas])
      assert.equal(await isListening(pick(state, name).url), false)
    await assert.rejects(target.apply(toPlan([]), soon()), { code: 'TARGET_CLOSED' })
  })

  it('leaves nothing where it is disposed of while processes start', async () => {
    await using target = await place.open()
    const states: TargetState[] = []
    target.observe(state => states.push(state))
    await target.apply(toPlan([['a', 1, 1, a, 2]]), soon())
    assert.deepEqual(
      target.state().replicas.map(({ name, health }) => [name, health.state]),
      [
        ['a-1', 'starting'],
        ['a-2', 'starting'],
      ],
    )
    await until(target, state => state.replicas.every(replica => replica.pid !== undefined))
    const processes = listProcesses(target.state())
    assert.ok(processes.length >= 2)
    await target[Symbol.asyncDispose]()
    assert.deepEqual(listAlive(processes), [])
    assert.equal(states.at(-1)?.replicas.length, 0)
  })

  it('kills a replica that ignores SIGTERM after its grace', async () => {
    await using target = await place.open({ server: 'stubborn', timings: { drainMs: 200 } })
    const state = await deploy(target, toPlan([['a', 1, 1, a, 1]]))
    const from = Date.now()
    await target[Symbol.asyncDispose]()
    assert.deepEqual(listAlive(listProcesses(state)), [])
    assert.ok(Date.now() - from >= 190)
  })

  it('refuses a second supervisor of its folder, and lets one in afterwards', async () => {
    {
      await using _target = await place.open()
      await assert.rejects(place.open(), { code: 'TARGET_LOCKED', fix: /regatta down/ })
    }
    await using _next = await place.open()
  })

  it('refuses plans that can never run, and runs on as before', async () => {
    await using target = await place.open()
    const state = await deploy(target, toPlan([['a', 1, 1, a, 1]]))
    const missing = parseDigest(`sha256:${'0'.repeat(64)}`)
    const cases = [
      ['another deployment', { ...toPlan([]), deployment: 'other' }, /expected "forecast"/],
      ['an id twice', toPlan([['b', 2, 2, b, 1], ['c', 2, 2, b, 1]]), /stands twice/], // biome-ignore format: a table
      ['an id of another image', toPlan([['a', 1, 2, b, 1]]), /already names "a"/],
      ['too many replicas', toPlan([['a', 1, 1, a, 65]]), /0 to 64 replicas/],
      ['an unknown image', toPlan([['m', 3, 1, missing, 1]]), /0000/],
      ['a version that the image lacks', toPlan([['b', 4, 7, b, 1]]), /expected version 7 of the model, found 2/],
    ] as const
    for (const [name, plan, message] of cases)
      await assert.rejects(target.apply(plan, soon()), { code: 'TARGET_PLAN', message }, name)
    await assert.rejects(target.apply(toPlan([]), AbortSignal.abort()), { name: 'AbortError' })
    assert.deepEqual(target.state(), state)
  })

  it('starts the gateway at once where routes are on record, and refuses a damaged record', async () => {
    const path = join(place.folder, 'routes.json')
    {
      await using target = await place.open()
      assert.equal(await target.readRoutes(), undefined)
      assert.equal(target.state().gateway.pid, undefined)
      await target.writeRoutes(ROUTES)
    }
    {
      await using target = await place.open()
      assert.deepEqual(await target.readRoutes(), ROUTES)
      await until(target, isReady())
    }
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, -10))
    await assert.rejects(place.open(), { code: 'ROUTES_RECORD', where: path })
    writeFileSync(path, JSON.stringify(ROUTES))
    await using _target = await place.open()
  })

  it('forgets everything when it is deleted but the log of regatta itself, and can then be used again', async () => {
    const upLog = join(place.folder, 'logs', 'up.log')
    await mkdir(dirname(upLog), { recursive: true })
    writeFileSync(upLog, 'a line\n')
    await using target = await place.open()
    const state = await deploy(target, toPlan([['a', 1, 1, a, 1]]))
    await target.writeRoutes(ROUTES)
    await target.delete(soon())
    assert.deepEqual(listAlive(listProcesses(state)), [])
    assert.equal(await target.readRoutes(), undefined)
    assert.deepEqual(readdirSync(dirname(upLog)), ['up.log'])
    assert.equal(existsSync(join(place.folder, 'models')), false)
    await deploy(target, toPlan([['b', 2, 2, b, 1]]))
  })

  it('goes on where a listener throws, and says so', async () => {
    await using target = await place.open()
    place.events.length = 0
    target.observe(() => {
      throw new Error('Out of ink')
    })
    await deploy(target, toPlan([['a', 1, 1, a, 1]]))
    const [event] = place.events.filter(event => event.kind === 'upkeep-failed')
    assert.deepEqual(event, { kind: 'upkeep-failed', subject: 'a listener', reason: 'Out of ink' })
  })

  it('stops calling a listener that has ended', async () => {
    await using target = await place.open()
    let calls = 0
    const end = target.observe(() => calls++)
    end()
    await deploy(target, toPlan([['a', 1, 1, a, 1]]))
    assert.equal(calls, 0)
  })
})

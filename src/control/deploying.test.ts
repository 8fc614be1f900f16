import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { RegattaError } from '../core/errors.ts'
import { parseRoutes } from '../core/wire/routes.ts'
import { SCHEMAS, type SchemaName } from './api/schemas.ts'
import { Place, type Running } from './testing/place.ts'

let place: Place
beforeEach(async () => {
  place = await Place.open()
})
afterEach(async () => await place[Symbol.asyncDispose]())

type Body = Record<string, unknown>
const shadow = { mode: 'shadow' }

async function post(running: Running, path: string, body: unknown, schema: SchemaName): Promise<Body> {
  const answer = await running.json('POST', path, body)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  // No field is missing, and none is there that the description lacks.
  assert.deepEqual(SCHEMAS[schema].parse(answer.body), answer.body)
  return answer.body
}

async function refused(running: Running, path: string, body: unknown): Promise<{ status: number; code: string }> {
  const answer = await running.json('POST', path, body)
  return { status: answer.status, code: SCHEMAS.Error.parse(answer.body).error.code }
}

const deploy = async (running: Running, version: number, more: Body = {}): Promise<Body> =>
  await post(running, '/api/v1/deploy', { version, digest: await place.addImage(version), ...more }, 'Deployed')

async function statusOf(running: Running) {
  const { body } = await running.json('GET', '/api/v1/status')
  const status = SCHEMAS.Status.parse(body)
  assert.deepEqual(status, body)
  return status
}

async function summaryOf(running: Running): Promise<string> {
  const { variants } = await statusOf(running)
  return variants
    .map(({ name, version, role, weight, live }) => `${name}@${version} ${role} ${weight} ${live}`)
    .join(', ')
}

async function until(check: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await check())) {
    assert.ok(Date.now() < deadline, `waited in vain for ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

describe('deploy', () => {
  it('takes the first version as champion, and says that a second time changes nothing', async () => {
    const running = await place.start()
    const first = await deploy(running, 1)
    assert.deepEqual([first['variant'], first['role'], first['changed']], ['a', 'champion', true])
    const again = await deploy(running, 1)
    assert.deepEqual([again['changed'], again['epoch']], [false, first['epoch']])
    const status = await statusOf(running)
    assert.equal(status.ready, true)
    assert.equal(status.gateway.url, 'http://127.0.0.1:8501')
  })

  it('puts a challenger beside it, in shadow or with a share', async () => {
    const running = await place.start()
    await deploy(running, 1)
    await deploy(running, 2, { variant: 'b', challenger: shadow })
    assert.equal(await summaryOf(running), 'a@1 champion 1 true, b@2 shadow 0 true')
    await deploy(running, 2, { variant: 'b', challenger: { mode: 'split', weight: 0.25 } })
    assert.equal(await summaryOf(running), 'a@1 champion 0.75 true, b@2 split 0.25 true')
  })

  it('keeps a starting challenger out of the routes and tells why it does not come', async () => {
    const running = await place.start()
    await deploy(running, 1)
    running.target.autoReady = false
    await deploy(running, 2, { variant: 'b', challenger: shadow })
    assert.equal(await summaryOf(running), 'a@1 champion 1 true, b@2 shadow 0 false')
    const reason = 'it ended with exit code 1: no such operator'
    running.target.setHealth(2, { state: 'failing', since: 0, code: 'MODEL', reason, retryAt: 1 })
    const status = await statusOf(running)
    assert.equal(status.ready, false)
    assert.deepEqual(
      status.variants[1]?.replicas.map(({ state, code, reason }) => ({ state, code, reason })),
      [{ state: 'failing', code: 'MODEL', reason }],
    )
    running.target.setHealth(2, { state: 'ready', since: 0 })
    await until(async () => (await summaryOf(running)).endsWith('b@2 shadow 0 true'), 'the challenger')
  })

  it('names a target that refuses the plan, and changes nothing', async () => {
    const running = await place.start()
    await deploy(running, 1)
    running.target.refuse = new RegattaError('TARGET_PLAN', 'Cannot run version 2: no model in it')
    const body = { version: 2, digest: await place.addImage(2) }
    assert.deepEqual(await refused(running, '/api/v1/deploy', body), { status: 422, code: 'TARGET_PLAN' })
    assert.equal(await summaryOf(running), 'a@1 champion 1 true')
  })

  it('refuses a version under the digest of another, and a challenger beside nothing', async () => {
    const running = await place.start()
    const digest = await place.addImage(1)
    const wrong = { version: 2, digest }
    assert.deepEqual(await refused(running, '/api/v1/deploy', wrong), { status: 422, code: 'VERSION_UNKNOWN' })
    const alone = { version: 1, digest, variant: 'b', challenger: shadow }
    assert.deepEqual(await refused(running, '/api/v1/deploy', alone), { status: 409, code: 'NO_CHAMPION' })
  })

  it('refuses text that is no JSON', async () => {
    const running = await place.start()
    const response = await running.call('/api/v1/deploy', { method: 'POST', body: '{"version"' })
    assert.equal(response.status, 400)
    assert.equal(SCHEMAS.Error.parse(await response.json()).error.code, 'REQUEST')
  })
})

describe('promote and rollback', () => {
  async function raced(): Promise<Running> {
    const running = await place.start({}, { leaveMs: 60 })
    await deploy(running, 1)
    await deploy(running, 2, { variant: 'b', challenger: shadow })
    return running
  }

  it('swap champion and challenger at once, and back, without starting or stopping anything', async () => {
    const running = await raced()
    running.target.calls.length = 0
    const promoted = await post(running, '/api/v1/promote', {}, 'Promoted')
    assert.deepEqual([promoted['champion'], promoted['version'], promoted['previous']], ['b', 2, 'a'])
    assert.equal(await summaryOf(running), 'b@2 champion 1 true, a@1 standby 0 true')
    const back = await post(running, '/api/v1/rollback', {}, 'Promoted')
    assert.deepEqual([back['champion'], back['previous']], ['a', 'b'])
    assert.equal(await summaryOf(running), 'a@1 champion 1 true, b@2 standby 0 true')
    assert.deepEqual(running.target.calls, [`routes ${promoted['epoch']}`, `routes ${back['epoch']}`])
  })

  it('ends the race with its reason', async () => {
    const running = await raced()
    await post(running, '/api/v1/promote', {}, 'Promoted')
    const race = SCHEMAS.Race.parse((await running.json('GET', '/api/v1/race')).body)
    assert.equal(race.ended?.how, 'promoted')
    assert.equal(race.verdict.state, 'inconclusive')
  })

  it('write new routes before replicas that left them stop', async () => {
    const running = await raced()
    await post(running, '/api/v1/promote', {}, 'Promoted')
    await deploy(running, 3, { variant: 'c', challenger: shadow })
    running.target.calls.length = 0
    const { epoch } = await post(running, '/api/v1/promote', { variant: 'c' }, 'Promoted')
    assert.deepEqual(running.target.calls, [`routes ${epoch}`])
    await until(() => running.target.calls.length === 2, 'the former standby to stop')
    assert.deepEqual(running.target.calls, [`routes ${epoch}`, 'run 2,3'])
  })

  it('promote the standby by its name', async () => {
    const running = await raced()
    await post(running, '/api/v1/promote', {}, 'Promoted')
    const back = await post(running, '/api/v1/promote', { variant: 'a' }, 'Promoted')
    assert.equal(back['champion'], 'a')
  })

  it('serve two commands at once one after the other', async () => {
    const running = await raced()
    const [one, two] = await Promise.all([
      running.json('POST', '/api/v1/promote', {}),
      running.json('POST', '/api/v1/promote', {}),
    ])
    assert.deepEqual([one.status, two.status].sort(), [200, 409])
    const codes = [one, two]
      .filter(({ status }) => status === 409)
      .map(({ body }) => SCHEMAS.Error.parse(body).error.code)
    assert.deepEqual(codes, ['NO_CHALLENGER'])
    assert.equal(await summaryOf(running), 'b@2 champion 1 true, a@1 standby 0 true')
  })

  it('deploy once what two ask for at once', async () => {
    const running = await place.start()
    const body = { version: 1, digest: await place.addImage(1) }
    const answers = await Promise.all([1, 2, 3].map(() => running.json('POST', '/api/v1/deploy', body)))
    assert.deepEqual(
      answers.map(({ body }) => body['changed']),
      [true, false, false],
    )
    assert.equal((await running.store.readVariants()).length, 1)
  })

  it('refuse to promote what is not ready', async () => {
    const running = await raced()
    running.target.setHealth(2, { state: 'failing', since: 0, code: 'KILLED', reason: 'killed', retryAt: 1 })
    assert.deepEqual(await refused(running, '/api/v1/promote', {}), { status: 409, code: 'NOT_READY' })
  })
})

describe('delete', () => {
  it('empties the routes before anything stops, and says so when nothing was there', async () => {
    const running = await place.start()
    await deploy(running, 1)
    running.target.calls.length = 0
    const { body } = await running.json('DELETE', '/api/v1/deployment')
    assert.equal(SCHEMAS.Deleted.parse(body).deleted, true)
    assert.deepEqual(running.target.calls, ['routes 2', 'delete'])
    assert.equal(await summaryOf(running), '')
    const again = await running.json('DELETE', '/api/v1/deployment')
    assert.equal(again.body['deleted'], false)
  })

  it('lets the next deployment begin with a higher epoch', async () => {
    const running = await place.start()
    await deploy(running, 1)
    await running.json('DELETE', '/api/v1/deployment')
    assert.equal((await deploy(running, 1))['epoch'], 3)
  })
})

describe('a control that starts again', () => {
  it('goes on with deployment, epoch, race and roles', async () => {
    const before = await place.start()
    await deploy(before, 1)
    await deploy(before, 2, { variant: 'b', challenger: shadow })
    const told = await statusOf(before)
    const raced = (await before.json('GET', '/api/v1/race')).body
    await before.stop()
    const running = await place.start()
    const status = await statusOf(running)
    assert.equal(status.epoch, told.epoch)
    assert.equal(await summaryOf(running), 'a@1 champion 1 true, b@2 shadow 0 true')
    assert.deepEqual((await running.json('GET', '/api/v1/race')).body, raced)
    assert.deepEqual(
      running.target.calls.filter(call => call.startsWith('run')),
      ['run 1,2'],
    )
    await post(running, '/api/v1/promote', {}, 'Promoted')
    await running.stop()
    const last = await place.start()
    assert.equal(await summaryOf(last), 'b@2 champion 1 true, a@1 standby 0 true')
    assert.equal((await post(last, '/api/v1/rollback', {}, 'Promoted'))['champion'], 'a')
  })

  it('registers its variants again where the database was replaced, and races on', async () => {
    const before = await place.start()
    await deploy(before, 1)
    await deploy(before, 2, { variant: 'b', challenger: shadow })
    await before.stop()
    for (const end of ['', '-wal', '-shm']) await rm(join(place.folder, `regatta.db${end}`), { force: true })
    const running = await place.start()
    assert.equal(await summaryOf(running), 'a@1 champion 1 true, b@2 shadow 0 true')
    const variants = await running.store.readVariants()
    const { body } = await running.json('GET', '/api/v1/routes')
    assert.deepEqual(
      parseRoutes(body).variants.map(({ id, name }) => [id, name]),
      variants.map(({ id, name }) => [id, name]),
    )
    assert.equal((await running.json('GET', '/api/v1/race')).status, 200)
  })

  it('keeps the ids of its variants where the database was replaced, and with them their replicas', async () => {
    const before = await place.start()
    await deploy(before, 1)
    await deploy(before, 2, { variant: 'b', challenger: shadow })
    await post(before, '/api/v1/promote', {}, 'Promoted')
    await before.stop()
    for (const end of ['', '-wal', '-shm']) await rm(join(place.folder, `regatta.db${end}`), { force: true })
    const running = await place.start()
    const { body } = await running.json('GET', '/api/v1/routes')
    const ids = parseRoutes(body).variants.map(({ id, name }) => [id, name])
    assert.deepEqual(ids, [
      [2, 'b'],
      [1, 'a'],
    ])
  })

  it('comes up and tells why where the target cannot start what was deployed', async () => {
    const before = await place.start()
    await deploy(before, 1)
    await before.stop()
    const running = await place.start({}, {}, target => {
      target.refuse = new RegattaError('TARGET_PLAN', 'Cannot run version 1: no such image')
    })
    assert.equal(await summaryOf(running), 'a@1 champion 1 true')
    assert.equal((await statusOf(running)).ready, false)
    assert.match(running.problems.join(), /Cannot start what was deployed.*no such image/)
  })
})

describe('a command that cannot be carried out', () => {
  let shared: Place
  let running: Running
  before(async () => {
    shared = await Place.open()
    running = await shared.start()
    await post(running, '/api/v1/deploy', { version: 1, digest: await shared.addImage(1) }, 'Deployed')
  })
  after(async () => await shared[Symbol.asyncDispose]())

  const unknown = `sha256:${'0'.repeat(64)}`
  const deploys: [name: string, body: unknown, status: number, code: string][] = [
    ['a version that was never packed', { version: 9, digest: unknown }, 422, 'DIGEST_UNKNOWN'],
    ['no version', { digest: unknown }, 400, 'REQUEST'],
    ['a broken digest', { version: 1, digest: 'sha256:1' }, 400, 'REQUEST'],
    ['an unknown field', { version: 1, digest: unknown, canary: true }, 400, 'REQUEST'],
    ['a broken name', { version: 1, digest: unknown, variant: 'B!' }, 400, 'VARIANT_NAME'],
    ['a share of 1', { version: 1, digest: unknown, challenger: { mode: 'split', weight: 1 } }, 400, 'REQUEST'],
    ['no object', 5, 400, 'REQUEST'],
  ]
  for (const [name, body, status, code] of deploys) {
    it(`refuses to deploy ${name}`, async () => {
      assert.deepEqual(await refused(running, '/api/v1/deploy', body), { status, code })
      assert.equal((await running.store.readVariants()).length, 1)
    })
  }

  const swaps: [name: string, path: string, body: unknown, status: number, code: string][] = [
    ['a promotion of nothing', '/api/v1/promote', {}, 409, 'NO_CHALLENGER'],
    ['a promotion of a stranger', '/api/v1/promote', { variant: 'z' }, 404, 'VARIANT_UNKNOWN'],
    ['a promotion of the champion', '/api/v1/promote', { variant: 'a' }, 409, 'ALREADY_CHAMPION'],
    ['a promotion with an unknown field', '/api/v1/promote', { name: 'a' }, 400, 'REQUEST'],
    ['a rollback without a standby', '/api/v1/rollback', {}, 409, 'NO_STANDBY'],
    ['a rollback with a wish', '/api/v1/rollback', { to: 'a' }, 400, 'REQUEST'],
  ]
  for (const [name, path, body, status, code] of swaps) {
    it(`refuses ${name}`, async () => {
      assert.deepEqual(await refused(running, path, body), { status, code })
    })
  }
})

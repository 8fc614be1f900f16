import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { CAUSE_HEADERS } from '../../core/wire/cause.ts'
import type { ChangeJson } from '../api/history.ts'
import { SCHEMAS } from '../api/schemas.ts'
import { Place, type Running, toProject } from '../testing/place.ts'
import { toFirstRoutes, toFirstVariant } from './deployed.ts'

let place: Place
beforeEach(async () => {
  place = await Place.open()
})
afterEach(async () => await place[Symbol.asyncDispose]())

const shadow = { mode: 'shadow' }

async function send(
  running: Running,
  path: string,
  body: object | undefined,
  { by, reason }: { by?: string; reason?: string } = {},
): Promise<Response> {
  const headers = {
    ...(by !== undefined && { [CAUSE_HEADERS.by]: encodeURIComponent(by) }),
    ...(reason !== undefined && { [CAUSE_HEADERS.reason]: encodeURIComponent(reason) }),
  }
  const init = body === undefined ? { method: 'DELETE' } : { method: 'POST', body: JSON.stringify(body) }
  return await running.call(path, { ...init, headers })
}

async function deploy(running: Running, version: number, more: object, cause?: { by?: string; reason?: string }) {
  const body = { version, digest: await place.addImage(version), ...more }
  const response = await send(running, '/api/v1/deploy', body, cause)
  assert.equal(response.status, 200, await response.text())
}

async function historyOf(running: Running, query = ''): Promise<readonly ChangeJson[]> {
  const { body } = await running.json('GET', `/api/v1/history${query}`)
  return SCHEMAS.History.parse(body).changes
}

const toLine = ({ by, kind, reason, variants }: ChangeJson): string =>
  `${kind} by ${by} (${reason}): ${variants.map(({ name, role, version }) => `${name}@${version} ${role}`).join(', ')}`

describe('GET /api/v1/history', () => {
  it('tells who changed the deployment and why, the newest first, also after a restart', async () => {
    const before = await place.start()
    assert.deepEqual(await historyOf(before), [])
    await deploy(before, 1, {}, { by: 'ann@lab', reason: 'the first — größer' })
    await deploy(before, 2, { variant: 'b', challenger: shadow }, { by: 'bob@lab' })
    await send(before, '/api/v1/promote', {}, { by: 'ann@lab', reason: 'better' })
    await send(before, '/api/v1/rollback', {}, { reason: 'worse' })
    const lines = [
      'rollback by admin (worse): a@1 champion, b@2 standby',
      'promote by ann@lab (better): b@2 champion, a@1 standby',
      'deploy by bob@lab (): a@1 champion, b@2 shadow',
      'deploy by ann@lab (the first — größer): a@1 champion',
    ]
    const told = await historyOf(before)
    assert.deepEqual(told.map(toLine), lines)
    const epochs = told.map(({ epoch }) => epoch)
    assert.deepEqual(
      epochs,
      epochs.toSorted((a, b) => b - a),
    )
    await before.stop()
    const running = await place.start()
    await send(running, '/api/v1/deployment', undefined, { by: 'ann@lab', reason: 'over' })
    assert.deepEqual((await historyOf(running)).map(toLine), ['delete by ann@lab (over): ', ...lines])
    assert.deepEqual((await historyOf(running, '?limit=1')).map(toLine), ['delete by ann@lab (over): '])
  })

  it('tells of a version that takes over later who asked for it', async () => {
    const running = await place.start()
    await deploy(running, 1, {})
    running.target.autoReady = false
    await deploy(running, 2, {}, { by: 'bob@lab', reason: 'newer' })
    assert.equal((await historyOf(running)).length, 1)
    running.target.autoReady = true
    running.target.setHealth(2, { state: 'ready', since: 0 })
    const deadline = Date.now() + 30_000
    while ((await historyOf(running)).length < 2) {
      assert.ok(Date.now() < deadline, 'the second version does not take over')
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    assert.deepEqual((await historyOf(running)).map(toLine), [
      'deploy by bob@lab (newer): a@2 champion',
      'deploy by admin (): a@1 champion',
    ])
  })

  it('says that a lost database took up what was deployed, and who asked for the same again', async () => {
    const before = await place.start()
    await deploy(before, 1, {})
    await before.stop()
    for (const end of ['', '-wal', '-shm']) await rm(join(place.folder, `regatta.db${end}`), { force: true })
    const running = await place.start()
    const restored = 'restore by control (taken up from the record of the routes): a@1 champion'
    assert.deepEqual((await historyOf(running)).map(toLine), [restored])
    for (let times = 0; times < 2; times += 1) await deploy(running, 1, {}, { by: 'ann@lab' })
    assert.deepEqual((await historyOf(running)).map(toLine), ['deploy by ann@lab (): a@1 champion', restored])
  })

  /** Leaves what a first deployment to a cluster leaves: routes that no control has taken up yet. */
  async function leaveFirstRoutes(cause: { by: string; reason: string } | undefined): Promise<void> {
    const project = toProject(place.folder, {})
    const variant = toFirstVariant(project, { version: 1, digest: await place.addImage(1) })
    place.record.routes = toFirstRoutes(project, variant, cause)
  }

  it('has one entry of a first deployment that was there before control, of who asked for it', async () => {
    await leaveFirstRoutes({ by: 'ann@lab', reason: 'the first' })
    const running = await place.start()
    const lines = ['deploy by ann@lab (the first): a@1 champion']
    assert.deepEqual((await historyOf(running)).map(toLine), lines)
    assert.equal(place.record.routes?.cause, undefined)
    await deploy(running, 1, {}, { by: 'ann@lab', reason: 'the first' })
    assert.deepEqual((await historyOf(running)).map(toLine), lines)
  })

  it('tells of a first deployment after another was deleted, in an epoch of its own', async () => {
    const before = await place.start()
    await deploy(before, 1, {}, { by: 'ann@lab' })
    await send(before, '/api/v1/deployment', undefined, { by: 'ann@lab' })
    await before.stop()
    await leaveFirstRoutes({ by: 'bob@lab', reason: 'again' })
    const running = await place.start()
    const [last, ...earlier] = await historyOf(running)
    assert.equal(last && toLine(last), 'deploy by bob@lab (again): a@1 champion')
    assert.equal(earlier.length, 2)
    for (const { epoch } of earlier) assert.ok(epoch < (last?.epoch ?? 0))
    assert.equal(place.record.routes?.epoch, last?.epoch)
  })

  it('says of routes that nobody is named in that control took them up', async () => {
    await leaveFirstRoutes(undefined)
    const [only] = await historyOf(await place.start())
    assert.equal(only?.kind, 'restore')
  })

  for (const [what, headers] of [
    ['is too long', { [CAUSE_HEADERS.reason]: 'x'.repeat(1001) }],
    ['has several lines', { [CAUSE_HEADERS.reason]: 'one%0Atwo' }],
    ['is no percent encoding', { [CAUSE_HEADERS.by]: '%zz' }],
  ] as const) {
    it(`refuses a change whose cause ${what}, and changes nothing`, async () => {
      const running = await place.start()
      const body = JSON.stringify({ version: 1, digest: await place.addImage(1) })
      const response = await running.call('/api/v1/deploy', { method: 'POST', body, headers })
      assert.equal(response.status, 400)
      assert.match(SCHEMAS.Error.parse(await response.json()).error.message, /x-regatta-(by|reason)/)
      assert.deepEqual(await historyOf(running), [])
    })
  }
})

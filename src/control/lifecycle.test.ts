import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { RegattaError } from '../core/errors.ts'
import { openSqliteStore, type Store } from '../store/index.ts'
import { SCHEMAS } from './api/schemas.ts'
import { startControl } from './control.node.ts'
import { ADMIN, Place, QUICK, toBatch, toProject, toRecord, toRequestId } from './testing/place.ts'
import { MapTarget } from './testing/target.ts'

let place: Place
beforeEach(async () => {
  place = await Place.open()
})
afterEach(async () => await place[Symbol.asyncDispose]())

/** The options of a control on a target, and the database to close. */
async function toOptions(target: MapTarget, port: number) {
  const store = await openSqliteStore(`${place.folder}/own.db`, { clock: Date.now })
  const silent = { info: () => {}, warn: () => {}, error: () => {} }
  const { layout, folder } = place
  const project = toProject(folder, {})
  const host = '127.0.0.1'
  return {
    project,
    target,
    store,
    layout,
    host,
    port,
    adminToken: ADMIN,
    clock: Date.now,
    logger: silent,
    timings: QUICK,
  }
}

/** A port that was free a moment ago. */
async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

const isFree = async (port: number): Promise<boolean> =>
  await new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

describe('startControl()', () => {
  it('says that its port is in use, and touches nothing', async () => {
    const running = await place.start()
    const target = new MapTarget()
    const options = await toOptions(target, Number(new URL(running.control.url).port))
    await using _store = options.store
    await assert.rejects(startControl(options, new AbortController().signal), { code: 'PORT_IN_USE' })
    assert.deepEqual(target.calls, [])
  })

  it('gives its port back where the record of the routes cannot be read', async () => {
    const target = new MapTarget()
    target.readRoutes = async () => {
      throw new Error('half a document')
    }
    const port = await findPort()
    const options = await toOptions(target, port)
    await using _store = options.store
    await assert.rejects(startControl(options, new AbortController().signal), /half a document/)
    assert.equal(await isFree(port), true)
  })

  it('ends with its signal', async () => {
    const stop = new AbortController()
    const options = await toOptions(new MapTarget(), 0)
    await using _store = options.store
    const control = await startControl(options, stop.signal)
    const events = await fetch(`${control.url}/api/v1/events`)
    stop.abort()
    assert.match(await events.text(), /event: status/)
    await control.close()
    await assert.rejects(fetch(control.url))
    await assert.rejects(startControl(options, stop.signal), { name: 'AbortError' })
  })

  it('lets requests wait until it has taken up what is deployed', async () => {
    const running = await place.start()
    const digest = await place.addImage(1)
    assert.equal((await running.json('POST', '/api/v1/deploy', { version: 1, digest })).status, 200)
    await running.stop()
    const target = new MapTarget(place.record)
    const asked = Promise.withResolvers<Promise<Response>>()
    const port = await findPort()
    const read = target.readRoutes.bind(target)
    target.readRoutes = async () => {
      // Control listens by now, and knows nothing yet.
      const request = fetch(`http://127.0.0.1:${port}/api/v1/status`)
      asked.resolve(request)
      await new Promise(resolve => setTimeout(resolve, 50))
      return await read()
    }
    const options = await toOptions(target, port)
    await using _store = options.store
    const control = await startControl(options, new AbortController().signal)
    const status = SCHEMAS.Status.parse(await (await asked.promise).json())
    assert.equal(status.variants[0]?.version, 1)
    await control.close()
  })
})

/** A database that is away for the first two writes of each kind. */
function awayAtFirst(store: Store): Store {
  const calls = new Map<string | symbol, number>()
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return async (...args: readonly unknown[]) => {
        const tries = (calls.get(name) ?? 0) + 1
        calls.set(name, tries)
        if (tries > 2 || !/^add(Predictions|Truths)$/.test(String(name))) return await value.apply(target, args)
        throw new RegattaError('STORE_AWAY', 'Cannot reach the database', { retryable: true })
      }
    },
  })
}

describe('a control whose database is away', () => {
  it('keeps records and truths that come meanwhile, and takes them in when it is back', async () => {
    await using target = new MapTarget()
    const options = await toOptions(target, 0)
    await using store = options.store
    const control = await startControl({ ...options, store: awayAtFirst(store) }, new AbortController().signal)
    await using stack = new AsyncDisposableStack()
    stack.defer(() => control.close())
    const post = async (path: string, body: unknown): Promise<unknown> => {
      const headers = { authorization: `Bearer ${ADMIN}` }
      const answer = await fetch(`${control.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      assert.equal(answer.status, 200, path)
      return await answer.json()
    }
    assert.deepEqual(SCHEMAS.RecordsStored.parse(await post('/api/v1/records', toBatch([toRecord(1, 1, 2)]))).added, 1)
    assert.equal(SCHEMAS.TruthsTaken.parse(await post('/truth', { prediction: toRequestId(1), value: 0 })).new, 1)
  })

  it('is alive but not ready, and answers in the form of every error', async () => {
    const running = await place.start()
    await running.store[Symbol.asyncDispose]()
    assert.equal((await running.call('/livez')).status, 200)
    const ready = await running.json('GET', '/readyz')
    assert.equal(ready.status, 503)
    assert.equal(SCHEMAS.Health.parse(ready.body).status, 'unavailable')
    const truth = await running.json('POST', '/truth', { series: 's', at: 1, value: 1 })
    assert.ok(truth.status >= 500, String(truth.status))
    SCHEMAS.Error.parse(truth.body)
    assert.ok(running.problems.length > 0)
  })
})

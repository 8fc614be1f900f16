import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { withDefaultLimits } from '../limits.ts'
import { toRoutes, until } from '../testing/gateway.ts'
import { startRawReplica, toGood } from '../testing/raw-replica.ts'
import { predicting, sendJson, startServer } from '../testing/upstream.ts'
import { LiveRoutes } from './live-routes.node.ts'

/** Routes without a gateway, in a time of their own; closed on disposal. */
function openRoutes() {
  const time = { now: 1_000 }
  const ejected: string[] = []
  const ignore = (): void => {}
  const world = { clock: () => time.now, limits: withDefaultLimits(), onEjected: (name: string) => ejected.push(name) }
  const routes = new LiveRoutes(world, { info: ignore, warn: ignore, error: ignore })
  return { time, ejected, routes, [Symbol.asyncDispose]: () => routes.destroy() }
}

const toChampion = (...urls: readonly string[]) => toRoutes([{ id: 1, name: 'a', role: 'champion', urls }])
const REQUEST = { method: 'GET', target: '/', headers: {}, body: new Uint8Array() }
const BOUNDS = { timeoutMs: 20_000, isTold: false, isClients: false, maxAnswerBytes: 1_000, signal: undefined }

describe('LiveRoutes', () => {
  it('has the first replicas take their full share at once, and those that join them slowly', async () => {
    await using opened = openRoutes()
    const { routes, time } = opened
    const read = () => routes.replicas.map(({ name, since }) => [name, since])
    routes.swap(toChampion('http://127.0.0.1:1'))
    assert.deepEqual(read(), [['a-1', 0]])
    time.now = 2_000
    routes.swap(toChampion('http://127.0.0.1:1', 'http://127.0.0.1:2'))
    assert.deepEqual(read(), [
      ['a-1', 0],
      ['a-2', 2_000],
    ])
    // Where none was left, the next one has nobody to share with.
    routes.swap(toChampion())
    routes.swap(toChampion('http://127.0.0.1:2'))
    assert.deepEqual(read(), [['a-1', 0]])
  })

  it('keeps what stays as it is, and makes anew what is elsewhere', async () => {
    await using opened = openRoutes()
    const { routes } = opened
    routes.swap(toChampion('http://127.0.0.1:1', 'http://127.0.0.1:2'))
    const [before, replicas] = [routes.table?.variants[0], routes.replicas]
    routes.swap(toChampion('http://127.0.0.1:1', 'http://127.0.0.1:3'))
    assert.equal(routes.table?.variants[0]?.health, before?.health)
    assert.deepEqual(
      routes.replicas.map((replica, index) => replica === replicas[index]),
      [true, false],
    )
  })

  it('lets a replica that leaves answer what it has, and then closes its connections', async () => {
    const asked: Socket[] = []
    await using server = await startRawReplica(socket => asked.push(socket))
    await using opened = openRoutes()
    const { routes } = opened
    routes.swap(toChampion(server.url))
    const sending = routes.replicas[0]?.send(REQUEST, BOUNDS)
    await until(() => asked.length === 1)
    routes.swap(toChampion())
    asked[0]?.write(toGood(1))
    assert.equal((await sending)?.kind, 'answer')
    await until(() => server.connections[0]?.destroyed === true)
  })

  it('tells of a replica that is put out, and has it begin slowly once it is trusted again', async () => {
    let isIll = true
    await using server = await startServer((seen, response) =>
      isIll ? sendJson(response, 503, {}) : predicting(1)(seen, response),
    )
    await using opened = openRoutes()
    const { routes, time, ejected } = opened
    routes.swap(toChampion(server.url))
    const [replica] = routes.replicas
    for (let count = 0; count < 3; count++) await replica?.send(REQUEST, BOUNDS)
    assert.deepEqual([replica?.ejection.state, ejected], ['out', ['a-1']])
    isIll = false
    time.now += 100
    await replica?.send(REQUEST, BOUNDS)
    assert.deepEqual([replica?.ejection.state, replica?.since], ['in', 1_100])
    time.now += 100
    await replica?.send(REQUEST, BOUNDS)
    assert.equal(replica?.since, 1_100)
  })
})

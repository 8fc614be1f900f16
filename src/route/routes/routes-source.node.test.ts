import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Routes } from '../../core/wire/routes.ts'
import { startControl } from '../testing/control.ts'
import { startTestGateway, toRoutes, until, untilText } from '../testing/gateway.ts'
import { predicting, startServer } from '../testing/upstream.ts'
import { openRouteSource } from './routes-source.node.ts'

const toChampion = (url: string, epoch: number) =>
  toRoutes([{ id: epoch, name: 'a', role: 'champion', urls: [url] }], { epoch })

describe('openRouteSource()', () => {
  it('begins with the record, goes on with control, and stays on the last routes when control is away', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startServer(predicting(2))
    const first = await startControl({ routes: toChampion(b.url, 2) })
    await using gateway = await startTestGateway({ routes: toChampion(a.url, 1), controlUrl: first.url })
    await untilText(gateway.metrics, /routes_epoch 2/)
    assert.equal((await gateway.predict()).text, '{"predictions":[[2]]}')
    await first[Symbol.asyncDispose]()
    await until(() => gateway.log.some(line => line.startsWith('Control is away')))
    assert.equal((await gateway.predict()).text, '{"predictions":[[2]]}')
    await using _second = await startControl({ port: Number(new URL(first.url).port), routes: toChampion(a.url, 3) })
    await untilText(gateway.metrics, /routes_epoch 3/)
    assert.equal((await gateway.predict()).text, '{"predictions":[[1]]}')
    assert.equal(gateway.log.filter(line => line.startsWith('Control is away')).length, 1)
  })

  it('follows again after a stream that broke, and after one that fell silent', async () => {
    await using a = await startServer(predicting(1))
    await using control = await startControl({ routes: toChampion(a.url, 1) })
    await using gateway = await startTestGateway({ controlUrl: control.url, limits: { controlSilenceMs: 200 } })
    await untilText(gateway.metrics, /routes_epoch 1/)
    control.hangUp()
    await sleep(20)
    control.publish(toChampion(a.url, 2))
    await untilText(gateway.metrics, /routes_epoch 2/)
    await until(() => gateway.log.filter(line => line.startsWith('Control is away')).length >= 2)
    control.publish(toChampion(a.url, 3))
    await untilText(gateway.metrics, /routes_epoch 3/)
  })

  const broken: readonly [string, string, RegExp][] = [
    ['no JSON', '{"schema":', /JSON/],
    ['another schema', '{"schema":"regatta/routes/v9"}', /expected/],
    ['two champions', JSON.stringify({ ...toTwoChampions() }), /exactly one champion, found 2/],
    ['a weight that is no share', JSON.stringify({ ...toTwoChampions(7) }), /weight/],
  ]
  for (const [name, line, error] of broken) {
    it(`keeps a document of ${name} out, and says what is wrong with it`, async () => {
      await using a = await startServer(predicting(1))
      await using control = await startControl({ routes: toChampion(a.url, 1) })
      await using gateway = await startTestGateway({ controlUrl: control.url })
      await untilText(gateway.metrics, /routes_epoch 1/)
      control.publish(line)
      await until(() => gateway.log.some(text => text.startsWith('Cannot use these routes') && error.test(text)))
      assert.equal((await gateway.predict()).status, 200)
      control.publish(toChampion(a.url, 2))
      await untilText(gateway.metrics, /routes_epoch 2/)
    })
  }

  it('looks for other replicas of the last routes while control is away', async () => {
    const urlsOf = (routes: Routes) => routes.variants.flatMap(({ replicas }) => replicas.map(({ url }) => url))
    const control = {
      async *streamRoutes() {
        yield JSON.stringify(toChampion('http://10.0.0.1:8501', 1))
        throw new Error('away')
      },
    }
    const logger = { info() {}, warn() {}, error() {} }
    const found = toChampion('http://10.0.0.2:8501', 1)
    const findReplicas = async () => found
    const source = openRouteSource({ file: '/nowhere', control, limits: { maxBackOffMs: 1 }, logger, findReplicas })
    const seen: string[] = []
    for await (const routes of source.watch(AbortSignal.timeout(10_000))) {
      seen.push(...urlsOf(routes))
      if (seen.length === 3) break
    }
    // Control tells its own again, and what was found is told once for each time that it differs.
    assert.deepEqual(seen, ['http://10.0.0.1:8501', 'http://10.0.0.2:8501', 'http://10.0.0.1:8501'])
  })

  it('starts without routes where the record is broken', async () => {
    await using gateway = await startTestGateway({ routes: '{"half' })
    await until(() => gateway.log.some(line => line.startsWith('Cannot use these routes')))
    assert.equal((await gateway.predict()).headers.get('x-regatta-error'), 'NO_ROUTES')
  })
})

describe('LiveRoutes', () => {
  it('promotes under load without a failed request, and every answer is of one of the two', async () => {
    await using a = await startServer((seen, response) => {
      setTimeout(() => void predicting(1)(seen, response), 10)
    })
    await using b = await startServer((seen, response) => {
      setTimeout(() => void predicting(2)(seen, response), 10)
    })
    const toPair = (epoch: number, champion: 'a' | 'b') =>
      toRoutes(
        [
          { id: 1, name: 'a', role: champion === 'a' ? 'champion' : 'standby', urls: [a.url] },
          { id: 2, name: 'b', role: champion === 'b' ? 'champion' : 'shadow', urls: [b.url] },
        ],
        { epoch },
      )
    await using control = await startControl({ routes: toPair(1, 'a') })
    await using gateway = await startTestGateway({ controlUrl: control.url })
    await untilText(gateway.metrics, /routes_epoch 1/)
    const variants: string[] = []
    let isOver = false
    const clients = Array.from({ length: 20 }, async () => {
      while (!isOver) {
        const reply = await gateway.predict()
        const variant = reply.headers.get('x-regatta-variant') ?? ''
        assert.deepEqual([reply.status, reply.text], [200, `{"predictions":[[${variant === 'a' ? 1 : 2}]]}`])
        variants.push(variant)
      }
    })
    await until(() => variants.length >= 100)
    control.publish(toPair(2, 'b'))
    await until(() => variants.includes('b'))
    // The former champion leaves altogether while it may still have requests.
    control.publish(toRoutes([{ id: 2, name: 'b', role: 'champion', urls: [b.url] }], { epoch: 3 }))
    await untilText(gateway.metrics, /routes_epoch 3/)
    const before = variants.length
    await until(() => variants.length >= before + 100)
    isOver = true
    await Promise.all(clients)
    assert.deepEqual(new Set(variants), new Set(['a', 'b']))
    await gateway.stop()
    const served = control.records.filter(record => record.served)
    assert.equal(served.length, variants.length)
    // Each record carries the epoch that chose its variant.
    assert.ok(served.every(record => (record.epoch === 1) === (record.variant === 1)))
  })

  it('moves the requests of a replica that is replaced under load', async () => {
    const servers = await Promise.all([1, 2, 3, 4].map(async () => await startServer(predicting(1))))
    await using control = await startControl({ routes: toChampion(servers[0]?.url ?? '', 1) })
    await using gateway = await startTestGateway({ controlUrl: control.url })
    await untilText(gateway.metrics, /routes_epoch 1/)
    const statuses = new Set<number>()
    const all = Array.from({ length: 200 }, async (_, index) => {
      await sleep(index)
      if (index % 20 === 10) {
        const urls = servers.map(server => server.url).slice((index / 20) % 3, ((index / 20) % 3) + 2)
        control.publish(toRoutes([{ id: 1, name: 'a', role: 'champion', urls }], { epoch: 1 }))
      }
      statuses.add((await gateway.predict()).status)
    })
    await Promise.all(all)
    assert.deepEqual(statuses, new Set([200]))
    for (const server of servers) await server[Symbol.asyncDispose]()
  })
})

function toTwoChampions(weight = 0.5): object {
  const routes = toRoutes([
    { id: 1, name: 'a', role: 'champion', urls: [], weight: 0.5 },
    { id: 2, name: 'b', role: 'champion', urls: [], weight },
  ])
  return routes
}

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, startTestGateway, toRoutes, until, untilText } from './testing/gateway.ts'
import { startReplica } from './testing/process.ts'
import { type Answer, predicting, sendJson, startServer } from './testing/upstream.ts'

const breaking: Answer = (_seen, response) => {
  response.socket?.destroy()
}
const unavailable: Answer = (_seen, response) => sendJson(response, 503, { error: 'loading' })
/** Promises an answer and breaks in the midst of it. */
const breakingMidway: Answer = (_seen, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
  response.write('{"predictions":')
  setTimeout(() => response.socket?.destroy(), 5)
}

describe('forward()', () => {
  it('loses no request when a replica is killed in the midst of many', async () => {
    await using a = await startReplica(1, 20)
    await using b = await startReplica(1, 20)
    await using c = await startReplica(1, 20)
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url, b.url, c.url] }])
    await using gateway = await startTestGateway({ routes })
    const statuses: number[] = []
    const replies = Array.from({ length: 200 }, async (_, index) => {
      await sleep(index * 2)
      statuses.push((await gateway.predict()).status)
    })
    await until(() => statuses.length >= 40)
    b.child.kill('SIGKILL')
    await Promise.all(replies)
    assert.deepEqual(new Set(statuses), new Set([200]))
    assert.equal(statuses.length, 200)
    const metrics = await gateway.metrics()
    assert.match(metrics, /retries_total\{variant="a"\} [1-9]/)
    assert.match(metrics, /ejections_total\{replica="a-2"\} 1/)
  })

  const cases: readonly [string, Answer][] = [
    ['breaks the connection', breaking],
    ['breaks in the midst of its answer', breakingMidway],
    ['answers 503', unavailable],
  ]
  for (const [name, bad] of cases) {
    it(`asks another replica where one ${name}`, async () => {
      await using a = await startServer(bad)
      await using b = await startServer(predicting(1))
      const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url, b.url] }])
      let now = Date.now()
      await using gateway = await startTestGateway({ routes, clock: () => now })
      for (let count = 0; count < 20; count++) assert.equal((await gateway.predict()).status, 200)
      assert.equal(a.seen.length, 3, 'three failures in a row put it out')
      now += 150
      for (let count = 0; count < 20; count++) assert.equal((await gateway.predict()).status, 200)
      assert.equal(a.seen.length, 4, 'a probe finds it no better')
      assert.equal(b.seen.length, 40)
    })
  }

  it('asks twice at most, and hands on the words of a server rather than none', async () => {
    await using a = await startServer(breaking)
    await using b = await startServer(unavailable)
    await using c = await startServer(breaking)
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url, b.url, c.url] }])
    await using gateway = await startTestGateway({ routes })
    const first = await gateway.predict()
    assert.equal(a.seen.length + b.seen.length + c.seen.length, 2)
    assert.deepEqual([first.status, first.text], [503, '{"error":"loading"}'])
  })

  it('hands on the words of the first replica where the second one has none', async () => {
    await using a = await startServer(unavailable)
    await using b = await startServer(breaking)
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url, b.url] }])
    await using gateway = await startTestGateway({ routes })
    const { status, text } = await gateway.predict()
    assert.deepEqual([status, text, a.seen.length, b.seen.length], [503, '{"error":"loading"}', 1, 1])
  })

  it('says that the replica is lost where there is only that one', async () => {
    await using a = await startServer(breaking)
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes })
    const reply = await gateway.predict()
    assert.deepEqual([reply.status, reply.headers.get('x-regatta-error')], [502, 'REPLICA_LOST'])
    assert.equal(a.seen.length, 2)
  })

  it('does not repeat what may change something and may have arrived', async () => {
    await using a = await startServer(breaking)
    await using b = await startServer(breaking)
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url, b.url] }])
    await using gateway = await startTestGateway({ routes })
    const reply = await ask(`${gateway.url}/v1/models/m/reload`, { method: 'POST', body: '{}' })
    assert.equal(reply.status, 502)
    assert.equal(a.seen.length + b.seen.length, 1)
  })

  it('repeats anything on another replica where the connection was refused', async () => {
    const gone = await startServer(breaking)
    await gone[Symbol.asyncDispose]()
    await using b = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [gone.url, b.url] }])
    await using gateway = await startTestGateway({ routes })
    for (let count = 0; count < 6; count++)
      assert.equal((await ask(`${gateway.url}/v1/models/m/reload`, { method: 'POST', body: '{}' })).status, 200)
  })

  it('does not repeat an error of the model', async () => {
    await using a = await startServer((_seen, response) => sendJson(response, 500, { error: 'shape' }))
    await using b = await startServer((_seen, response) => sendJson(response, 500, { error: 'shape' }))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url, b.url] }])
    await using gateway = await startTestGateway({ routes })
    assert.equal((await gateway.predict()).status, 500)
    assert.equal(a.seen.length + b.seen.length, 1)
  })

  it('spreads requests over the replicas by what each has in flight', async () => {
    const released = Promise.withResolvers<void>()
    await using a = await startServer(async (seen, response) => {
      await released.promise
      await predicting(1)(seen, response)
    })
    await using b = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url, b.url] }])
    await using gateway = await startTestGateway({ routes })
    const burst = Promise.all([gateway.predict(), gateway.predict()])
    await until(() => a.seen.length === 1)
    for (let count = 0; count < 10; count++) await gateway.predict()
    released.resolve()
    await burst
    assert.equal(a.seen.length, 1)
    assert.equal(b.seen.length, 11)
  })

  it('lets the champion answer for a challenger that cannot', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startServer(breaking)
    const routes = toRoutes([
      { id: 1, name: 'a', role: 'champion', urls: [a.url], weight: 0.5 },
      { id: 2, name: 'b', role: 'split', urls: [b.url], weight: 0.5 },
    ])
    await using gateway = await startTestGateway({ routes, random: () => 0.9 })
    for (let count = 0; count < 5; count++) {
      const reply = await gateway.predict()
      assert.deepEqual([reply.status, reply.headers.get('x-regatta-variant')], [200, 'a'])
    }
    await untilText(gateway.metrics, /fallbacks_total\{variant="b"\} 5/)
  })
})

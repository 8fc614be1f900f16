import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startControl } from '../testing/control.ts'
import { startTestGateway, toRoutes, until, untilText } from '../testing/gateway.ts'
import { startReplica } from '../testing/process.ts'
import { predicting, sendJson, startServer } from '../testing/upstream.ts'

describe('routes that change', () => {
  it('lose no request, however often weights and replicas change under load', async () => {
    await using a = await startServer(predicting(1))
    await using a2 = await startServer(predicting(1))
    await using b = await startServer(predicting(2))
    const toEpoch = (epoch: number) =>
      toRoutes(
        [
          {
            id: 1,
            name: 'a',
            role: 'champion',
            urls: epoch % 2 ? [a.url, a2.url] : [a2.url],
            weight: epoch % 3 ? 0.7 : 1,
          },
          { id: 2, name: 'b', role: epoch % 3 ? 'split' : 'shadow', urls: [b.url], weight: epoch % 3 ? 0.3 : 0 },
        ],
        { epoch },
      )
    await using control = await startControl({ routes: toEpoch(1) })
    await using gateway = await startTestGateway({ controlUrl: control.url })
    await untilText(gateway.metrics, /routes_epoch 1/)
    let isDone = false
    const statuses: number[] = []
    const clients = Array.from({ length: 8 }, async () => {
      while (!isDone) statuses.push((await gateway.predict()).status)
    })
    for (let epoch = 2; epoch <= 20; epoch++) {
      control.publish(toEpoch(epoch))
      await untilText(gateway.metrics, new RegExp(`routes_epoch ${epoch}\n`))
      const count = statuses.length
      await until(() => statuses.length > count)
    }
    isDone = true
    await Promise.all(clients)
    assert.deepEqual(new Set(statuses), new Set([200]))
  })

  it('are told to control as they come into force, records or none', async () => {
    const variants = [{ id: 1, name: 'a', role: 'champion', urls: [] }] as const
    await using control = await startControl({ routes: toRoutes(variants, { epoch: 4 }) })
    await using _gateway = await startTestGateway({ controlUrl: control.url })
    await until(() => control.epochs.length === 1)
    control.publish(toRoutes(variants, { epoch: 5 }))
    await until(() => control.epochs.length === 2)
    assert.deepEqual(control.epochs, [4, 5])
    assert.deepEqual(control.records, [])
  })
})

describe('the share of a replica', () => {
  it('grows slowly when it joins others', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startServer(predicting(1))
    const toRoutesOf = (urls: readonly string[], epoch = 1) =>
      toRoutes([{ id: 1, name: 'a', role: 'champion', urls }], { epoch })
    await using control = await startControl({ routes: toRoutesOf([a.url]) })
    let now = 1_800_000_000_000
    let draws = 0
    const random = (): number => (draws++ % 20) / 20
    await using gateway = await startTestGateway({ controlUrl: control.url, clock: () => now, random })
    await untilText(gateway.metrics, /routes_epoch 1/)
    control.publish(toRoutesOf([a.url, b.url], 2))
    await untilText(gateway.metrics, /routes_epoch 2/)
    const shareOf = async (): Promise<number> => {
      const before = b.seen.length
      for (let count = 0; count < 100; count++) await gateway.predict()
      return b.seen.length - before
    }
    const young = await shareOf()
    now += 10_000
    const grown = await shareOf()
    assert.ok(young >= 1 && young <= 20, String(young))
    assert.ok(grown >= 40 && grown <= 60, String(grown))
  })

  it('is taken away while it does not answer, and given back when it does', async () => {
    let isIll = true
    await using a = await startServer((seen, response) => {
      if (isIll) response.socket?.destroy()
      else void predicting(1)(seen, response)
    })
    await using b = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url, b.url] }])
    await using gateway = await startTestGateway({ routes, limits: { slowStartMs: 1 } })
    for (let count = 0; count < 10; count++) assert.equal((await gateway.predict()).status, 200)
    await untilText(gateway.metrics, /ejections_total\{replica="a-1"\} 1/)
    isIll = false
    const before = a.seen.length
    await until(async () => {
      assert.equal((await gateway.predict()).status, 200)
      return a.seen.length >= before + 10
    })
  })

  it('goes to another replica where one is stopped, within the time of one try', async () => {
    await using stopped = await startReplica(1, 0)
    await using b = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [stopped.url, b.url] }])
    await using gateway = await startTestGateway({ routes, limits: { tryTimeoutMs: 1_500 } })
    await gateway.predict()
    stopped.child.kill('SIGSTOP')
    // Few are sent there at once: the other replica has fewer requests in flight.
    await until(async () => {
      const replies = await Promise.all(Array.from({ length: 20 }, () => gateway.predict()))
      assert.deepEqual(new Set(replies.map(reply => reply.status)), new Set([200]))
      return /ejections_total\{replica="a-1"\} 1/.test(await gateway.metrics())
    })
  })

  it('goes to another replica where one is too busy, which puts it not out', async () => {
    await using a = await startServer((_seen, response) => sendJson(response, 429, { error: 'busy' }))
    await using b = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url, b.url] }])
    await using gateway = await startTestGateway({ routes })
    for (let count = 0; count < 10; count++) assert.equal((await gateway.predict()).status, 200)
    assert.ok(a.seen.length >= 4)
    assert.doesNotMatch(await gateway.metrics(), /ejections_total\{/)
  })
})

describe('a shadow that is stopped', () => {
  it('delays no answer, and takes nothing from another shadow', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startReplica(2, 0)
    await using c = await startServer(predicting(3))
    const routes = toRoutes([
      { id: 1, name: 'a', role: 'champion', urls: [a.url] },
      { id: 2, name: 'b', role: 'shadow', urls: [b.url] },
      { id: 3, name: 'c', role: 'shadow', urls: [c.url] },
    ])
    const limits = { maxShadows: 64, flushMs: 50 }
    await using gateway = await startTestGateway({ routes, limits })
    /** Asks four at a time, the next four once the shadow that runs has the copies; the times of the answers, ms. */
    const measure = async (): Promise<readonly number[]> => {
      const times: number[] = []
      const ask = async (): Promise<void> => {
        const startedAt = performance.now()
        assert.equal((await gateway.predict()).status, 200)
        times.push(performance.now() - startedAt)
      }
      for (let round = 0; round < 75; round++) {
        const wanted = c.seen.length + 4
        await Promise.all([ask(), ask(), ask(), ask()])
        await until(() => c.seen.length === wanted)
      }
      return times.sort((x, y) => x - y)
    }
    const before = await measure()
    b.child.kill('SIGSTOP')
    const after = await measure()
    // The machine may be busy, but nobody waited for the shadow, which has 30 s, nor did everybody wait a little.
    const [median = 0, usual = 0] = [after[150], before[150]]
    assert.ok(median < 3 * usual + 500, `median ${usual} ms before, ${median} ms after`)
    assert.ok((after.at(-1) ?? 0) < 15_000, `${after.at(-1)} ms`)
    const metrics = await gateway.metrics()
    assert.equal(c.seen.length, 600)
    assert.doesNotMatch(metrics, /shadows_dropped_total\{variant="c"/)
    const dropped = /shadows_dropped_total\{variant="b",reason="in-flight"\} (\d+)/.exec(metrics)?.[1]
    assert.ok(Number(dropped) >= 200, dropped)
  })

  it('is left out first when there is much to answer', async () => {
    const released = Promise.withResolvers<void>()
    await using a = await startServer(async (seen, response) => {
      await released.promise
      await predicting(1)(seen, response)
    })
    await using b = await startServer(predicting(2))
    const routes = toRoutes([
      { id: 1, name: 'a', role: 'champion', urls: [a.url] },
      { id: 2, name: 'b', role: 'shadow', urls: [b.url] },
    ])
    await using gateway = await startTestGateway({ routes, limits: { maxInFlight: 8 } })
    const replies = Array.from({ length: 8 }, () => gateway.predict())
    await until(() => a.seen.length === 8)
    released.resolve()
    assert.ok((await Promise.all(replies)).every(reply => reply.status === 200))
    assert.match(await gateway.metrics(), /shadows_dropped_total\{variant="b",reason="load"\} 4/)
    assert.equal(b.seen.length, 4)
  })
})

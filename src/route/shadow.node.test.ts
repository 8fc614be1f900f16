import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startControl } from './testing/control.ts'
import { startTestGateway, toRoutes, until, untilText } from './testing/gateway.ts'
import { type Answer, hanging, predicting, sendJson, startServer } from './testing/upstream.ts'

const failing: Answer = (_seen, response) => sendJson(response, 500, { error: 'no such column' })
const breaking: Answer = (_seen, response) => {
  response.socket?.destroy()
}
const babbling: Answer = (_seen, response) => {
  response.end('hello')
}
const toVariants = (a: string, b: readonly string[]) =>
  toRoutes([
    { id: 1, name: 'a', role: 'champion', urls: [a] },
    { id: 2, name: 'b', role: 'shadow', urls: b },
  ])

describe('ShadowCopier', () => {
  it('gives the shadow what the champion got, and records both answers under one id', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startServer(predicting(2))
    await using control = await startControl()
    await using gateway = await startTestGateway({ routes: toVariants(a.url, [b.url]), controlUrl: control.url })
    const reply = await gateway.predict({ 'x-regatta-series': 's', 'x-regatta-at': '2026-01-31' })
    assert.equal(reply.headers.get('x-regatta-variant'), 'a')
    await until(() => control.records.length === 2)
    assert.equal(b.seen[0]?.body, a.seen[0]?.body)
    assert.equal(b.seen[0]?.url, a.seen[0]?.url)
    const [served, shadow] = [...control.records].sort((x, y) => x.variant - y.variant)
    const at = Date.parse('2026-01-31T00:00:00Z')
    assert.equal(served?.request, reply.headers.get('x-regatta-prediction'))
    assert.equal(shadow?.request, served?.request)
    assert.deepEqual([served?.served, shadow?.served], [true, false])
    assert.deepEqual(served?.rows, [{ prediction: 1, series: 's', at }])
    assert.deepEqual(shadow?.rows, [{ prediction: 2, series: 's', at }])
  })

  it('never delays or fails an answer, however many shadows hang, and counts the copies it drops', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startServer(hanging)
    const limits = { maxShadows: 8, flushMs: 50 }
    await using gateway = await startTestGateway({ routes: toVariants(a.url, [b.url]), limits })
    const startedAt = performance.now()
    const replies = await Promise.all(Array.from({ length: 50 }, () => gateway.predict()))
    // A copy may take 30 s.
    assert.ok(performance.now() - startedAt < 15_000)
    assert.ok(replies.every(reply => reply.status === 200))
    await until(() => b.seen.length === 8)
    assert.match(await gateway.metrics(), /shadows_dropped_total\{variant="b",reason="in-flight"\} 42/)
  })

  it('holds no more bytes than it may', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startServer(hanging)
    const limits = { maxShadowBytes: 50, flushMs: 50 }
    await using gateway = await startTestGateway({ routes: toVariants(a.url, [b.url]), limits })
    for (let count = 0; count < 5; count++) assert.equal((await gateway.predict()).status, 200)
    // Each body has 19 bytes.
    assert.match(await gateway.metrics(), /shadows_dropped_total\{variant="b",reason="bytes"\} 3/)
  })

  it('has room again for the bytes of copies that are over, though another is still on its way', async () => {
    await using a = await startServer(predicting(1))
    let copies = 0
    await using b = await startServer((seen, response) => {
      copies += 1
      return copies === 1 ? undefined : predicting(2)(seen, response)
    })
    await using control = await startControl()
    const limits = { maxShadowBytes: 50, flushMs: 50 }
    await using gateway = await startTestGateway({
      routes: toVariants(a.url, [b.url]),
      controlUrl: control.url,
      limits,
    })
    await gateway.predict()
    for (let count = 1; count <= 5; count++) {
      await gateway.predict()
      await until(() => control.records.filter(({ variant }) => variant === 2).length === count)
    }
    assert.doesNotMatch(await gateway.metrics(), /shadows_dropped_total\{/)
  })

  it('copies nothing while more than half of the room for requests is taken', async () => {
    const answers: (() => void)[] = []
    await using a = await startServer(async (seen, response) => {
      await new Promise<void>(resolve => answers.push(resolve))
      await predicting(1)(seen, response)
    })
    await using b = await startServer(predicting(2))
    await using gateway = await startTestGateway({ routes: toVariants(a.url, [b.url]), limits: { maxInFlight: 2 } })
    const replies = [gateway.predict()]
    await until(() => answers.length === 1)
    replies.push(gateway.predict())
    await until(() => answers.length === 2)
    for (const answer of answers) answer()
    assert.deepEqual(
      (await Promise.all(replies)).map(({ status }) => status),
      [200, 200],
    )
    assert.match(await gateway.metrics(), /shadows_dropped_total\{variant="b",reason="load"\} 1/)
    assert.equal(b.seen.length, 1)
  })

  const cases: readonly [string, Answer, number, RegExp][] = [
    ['an error', failing, 500, /no such column/],
    ['a broken connection', breaking, 0, /the connection broke/],
    ['no answer in time', hanging, 0, /no answer in time/],
    ['nonsense', babbling, 200, /hello/],
  ]
  for (const [name, answer, status, error] of cases) {
    it(`records ${name} of a shadow without the client noticing`, async () => {
      await using a = await startServer(predicting(1))
      await using b = await startServer(answer)
      await using control = await startControl()
      await using gateway = await startTestGateway({
        routes: toVariants(a.url, [b.url]),
        controlUrl: control.url,
        limits: { tryTimeoutMs: 1_000 },
      })
      assert.equal((await gateway.predict()).status, 200)
      await until(() => control.records.length === 2)
      const shadow = control.records.find(record => record.variant === 2)
      assert.equal(shadow?.status, status)
      assert.match(shadow?.error ?? '', error)
      assert.deepEqual(shadow?.rows, [])
    })
  }

  it('copies nothing to a shadow without replicas, nor a request that names its version', async () => {
    await using a = await startServer(predicting(1))
    await using control = await startControl()
    await using gateway = await startTestGateway({ routes: toVariants(a.url, []), controlUrl: control.url })
    await gateway.predict()
    await gateway.predict({}, '/v1/models/m/versions/1:predict')
    await untilText(gateway.metrics, /shadows_dropped_total\{variant="b",reason="no-replica"\} 1/)
    await until(() => control.records.length === 2)
    assert.deepEqual(
      control.records.map(record => record.pinned),
      [undefined, true],
    )
  })

  it('waits for copies on their way before it stops, so that pairs are whole', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startServer((seen, response) => {
      setTimeout(() => void predicting(2)(seen, response), 150)
    })
    await using control = await startControl()
    await using gateway = await startTestGateway({
      routes: toVariants(a.url, [b.url]),
      controlUrl: control.url,
      limits: { flushMs: 20_000 },
    })
    await gateway.predict()
    await gateway.stop()
    assert.deepEqual(
      control.records.map(record => record.variant),
      [1, 2],
    )
  })
})

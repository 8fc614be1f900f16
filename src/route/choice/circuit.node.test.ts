import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startControl } from '../testing/control.ts'
import { startTestGateway, toRoutes, until } from '../testing/gateway.ts'
import { predicting, sendJson, startServer } from '../testing/upstream.ts'

describe('a circuit', () => {
  it('opens for a challenger that fails, so that the champion answers, says so, and counts for no comparison', async () => {
    let isIll = true
    await using a = await startServer(predicting(1))
    await using b = await startServer((seen, response) =>
      isIll ? sendJson(response, 500, { error: 'ill' }) : predicting(2)(seen, response),
    )
    await using control = await startControl()
    let now = 1_800_000_000_000
    const routes = toRoutes([
      { id: 1, name: 'a', role: 'champion', urls: [a.url], weight: 0.5 },
      { id: 2, name: 'b', role: 'split', urls: [b.url], weight: 0.5 },
    ])
    const always = { clock: () => now, random: () => 0.9 }
    await using gateway = await startTestGateway({ routes, controlUrl: control.url, ...always })
    // An error of the model is its answer, until there are too many.
    for (let count = 0; count < 10; count++) assert.equal((await gateway.predict()).status, 500)
    const instead = await gateway.predict()
    assert.deepEqual(
      [instead.status, instead.headers.get('x-regatta-variant'), instead.headers.get('x-regatta-fallback-from')],
      [200, 'a', 'b'],
    )
    assert.equal(b.seen.length, 10)
    // Who names the version gets it all the same.
    assert.equal((await gateway.predict({}, '/v1/models/m/versions/2:predict')).status, 500)
    assert.match(await gateway.metrics(), /circuits_opened_total\{variant="b"\} 1/)

    isIll = false
    now += 1_000
    const again = await gateway.predict()
    assert.deepEqual(
      [again.headers.get('x-regatta-variant'), again.headers.get('x-regatta-fallback-from')],
      ['b', null],
    )
    assert.equal((await gateway.predict()).headers.get('x-regatta-variant'), 'b')

    const request = instead.headers.get('x-regatta-prediction')
    await until(() => control.records.filter(record => record.request === request).length === 2)
    const [answer, missing] = control.records
      .filter(record => record.request === request)
      .sort((x, y) => x.variant - y.variant)
    assert.deepEqual([answer?.served, answer?.pinned, answer?.rows], [true, true, [{ prediction: 1 }]])
    assert.deepEqual([missing?.served, missing?.pinned, missing?.status, missing?.rows], [false, undefined, 0, []])
    assert.match(missing?.error ?? '', /failed too often/)
  })

  it('is none for a champion: nobody could answer in its place', async () => {
    await using a = await startServer((_seen, response) => sendJson(response, 500, { error: 'ill' }))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes })
    for (let count = 0; count < 12; count++) assert.equal((await gateway.predict()).status, 500)
    assert.equal(a.seen.length, 12)
    assert.doesNotMatch(await gateway.metrics(), /circuits_opened_total\{/)
  })

  it('stays closed where the client was too hasty, and its replica stays in', async () => {
    const released = Promise.withResolvers<void>()
    const startSlow = (value: number): ReturnType<typeof startServer> =>
      startServer(async (seen, response) => {
        await released.promise
        await predicting(value)(seen, response)
      })
    await using a = await startSlow(1)
    await using b = await startSlow(2)
    const routes = toRoutes([
      { id: 1, name: 'a', role: 'champion', urls: [a.url], weight: 0.5 },
      { id: 2, name: 'b', role: 'split', urls: [b.url], weight: 0.5 },
    ])
    await using gateway = await startTestGateway({ routes, random: () => 0.9 })
    for (let count = 0; count < 12; count++)
      assert.equal((await gateway.predict({ 'x-request-timeout-ms': '5' })).status, 504)
    released.resolve()
    assert.equal((await gateway.predict()).headers.get('x-regatta-variant'), 'b')
    assert.doesNotMatch(await gateway.metrics(), /(circuits_opened|ejections)_total\{/)
  })

  it('stays closed where a replica finds first that the client was too hasty', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startServer((seen, response) =>
      'x-request-timeout-ms' in seen.headers
        ? sendJson(response, 504, { error: 'late' })
        : predicting(2)(seen, response),
    )
    const routes = toRoutes([
      { id: 1, name: 'a', role: 'champion', urls: [a.url], weight: 0.5 },
      { id: 2, name: 'b', role: 'split', urls: [b.url], weight: 0.5 },
    ])
    await using gateway = await startTestGateway({ routes, random: () => 0.9 })
    for (let count = 0; count < 12; count++)
      assert.equal((await gateway.predict({ 'x-request-timeout-ms': '9000' })).status, 504)
    assert.equal((await gateway.predict()).headers.get('x-regatta-variant'), 'b')
    assert.doesNotMatch(await gateway.metrics(), /(circuits_opened|ejections)_total\{/)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startControl } from './testing/control.ts'
import { ask, startTestGateway, toRoutes, untilText } from './testing/gateway.ts'
import { hanging, predicting, sendJson, startServer } from './testing/upstream.ts'

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('startGateway()', () => {
  it('answers as the champion does, and says which prediction and which variant it is', async () => {
    await using a = await startServer(predicting(7))
    await using gateway = await startTestGateway({
      routes: toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }]),
    })
    const reply = await gateway.predict({ 'x-request-id': 'r-1' })
    assert.equal(reply.status, 200)
    assert.equal(reply.text, '{"predictions":[[7]]}')
    assert.match(reply.headers.get('x-regatta-prediction') ?? '', UUID_V7)
    assert.equal(reply.headers.get('x-regatta-variant'), 'a')
    assert.equal(a.seen[0]?.body, '{"instances":[[1]]}')
    assert.equal(a.seen[0]?.headers['x-request-id'], 'r-1')
  })

  it('forwards other paths to the champion with their query, V2 predictions included', async () => {
    await using a = await startServer((seen, response) => sendJson(response, 200, { url: seen.url }))
    await using gateway = await startTestGateway({
      routes: toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }]),
    })
    for (const path of ['/v1/models/m', '/v1/models/m/metadata', '/v2/models/m/ready', '/v2?x=1&y=%20'])
      assert.equal((await ask(`${gateway.url}${path}`)).status, 200, path)
    assert.deepEqual(
      a.seen.map(seen => seen.url),
      ['/v1/models/m', '/v1/models/m/metadata', '/v2/models/m/ready', '/v2?x=1&y=%20'],
    )
    const infer = await gateway.predict({}, '/v2/models/m/infer')
    assert.match(infer.headers.get('x-regatta-prediction') ?? '', UUID_V7)
  })

  it('keeps status, headers and length of an answer, for HEAD too', async () => {
    await using a = await startServer((_seen, response) => {
      response.writeHead(418, { 'x-own': 'yes', 'content-length': '5', connection: 'close' }).end('teapo')
    })
    await using gateway = await startTestGateway({
      routes: toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }]),
    })
    const get = await ask(`${gateway.url}/v1/models/m`)
    assert.deepEqual([get.status, get.headers.get('x-own'), get.text], [418, 'yes', 'teapo'])
    const head = await ask(`${gateway.url}/v1/models/m`, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers.get('content-length'), head.text], [418, '5', ''])
  })

  it('sends a request that names a version to its variant, a shadow too, and never to a standby', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startServer(predicting(2))
    await using c = await startServer(predicting(3))
    await using gateway = await startTestGateway({
      routes: toRoutes([
        { id: 1, name: 'a', role: 'champion', urls: [a.url] },
        { id: 2, name: 'b', role: 'shadow', urls: [b.url] },
        { id: 3, name: 'c', role: 'standby', urls: [c.url] },
      ]),
    })
    assert.equal((await gateway.predict({}, '/v1/models/m/versions/2:predict')).text, '{"predictions":[[2]]}')
    const none = await gateway.predict({}, '/v1/models/m/versions/3:predict')
    assert.equal(none.status, 404)
    assert.match(none.text, /Servable not found for request: Specific\(m, 3\): expected one of 1, 2/)
    assert.equal(none.headers.get('x-regatta-error'), 'NO_VERSION')
    assert.equal(c.seen.length, 0)
  })

  it('refuses headers that say nothing usable', async () => {
    await using a = await startServer(predicting(1))
    await using gateway = await startTestGateway({
      routes: toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }]),
    })
    const reply = await gateway.predict({ 'x-regatta-at': 'tomorrow' })
    assert.equal(reply.status, 400)
    assert.equal(reply.headers.get('x-regatta-error'), 'HINT')
    assert.equal(a.seen.length, 0)
  })

  it('is alive without routes, and ready only once the champion has a replica', async () => {
    await using a = await startServer(predicting(1))
    await using control = await startControl({ routes: toRoutes([]) })
    await using gateway = await startTestGateway({ controlUrl: control.url })
    const ready = async (): Promise<string> => (await ask(`${gateway.url}/readyz`)).text
    assert.equal((await ask(`${gateway.url}/livez`)).status, 200)
    assert.equal((await ask(`${gateway.url}/healthz`)).status, 200)
    assert.equal((await ask(`${gateway.url}/readyz`)).status, 503)
    const early = await gateway.predict()
    assert.equal(early.status, 503)
    assert.equal(early.headers.get('retry-after'), '1')
    control.publish(toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [] }], { epoch: 2 }))
    await untilText(ready, /The champion has no replica yet/)
    assert.equal((await gateway.predict()).headers.get('x-regatta-error'), 'NO_REPLICA')
    control.publish(toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }], { epoch: 2 }))
    await untilText(ready, /"ok"/)
    assert.equal((await gateway.predict()).status, 200)
  })

  it('tells its counts under its own names and those of TensorFlow Serving', async () => {
    await using a = await startServer(predicting(1))
    await using b = await startServer((_seen, response) => sendJson(response, 404, { error: 'no such column' }))
    const routes = toRoutes([
      { id: 1, name: 'a', role: 'champion', urls: [a.url] },
      { id: 2, name: 'b', role: 'shadow', urls: [b.url] },
    ])
    await using gateway = await startTestGateway({ routes })
    for (let count = 0; count < 3; count++) assert.equal((await gateway.predict()).status, 200)
    assert.equal((await gateway.predict({}, '/v1/models/m/versions/2:predict')).status, 404)
    assert.match(
      await gateway.metrics(),
      /^regatta_gateway_requests_total\{variant="a",status="200",protocol="http"\} 3$/m,
    )
    const { headers, text } = await ask(`${gateway.url}/monitoring/prometheus/metrics`)
    assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    assert.match(text, /^:tensorflow:serving:request_count\{model_name="m",status="OK"\} 3$/m)
    assert.match(text, /^:tensorflow:serving:request_count\{model_name="m",status="NOT_FOUND"\} 1$/m)
    const series =
      /^:tensorflow:serving:request_latency_bucket\{model_name="m",API="predict",entrypoint="REST",le="(.*)"\}/gm
    const bounds = [...text.matchAll(series)].map(([, bound]) => bound)
    assert.deepEqual([bounds[0], bounds.at(-1)], ['200', '+Inf'])
    assert.match(text, /^:tensorflow:serving:request_latency_count\{[^}]*entrypoint="REST"\} 4$/m)
  })

  it('answers its own paths by their methods alone', async () => {
    await using gateway = await startTestGateway()
    const reply = await ask(`${gateway.url}/livez`, { method: 'DELETE' })
    assert.deepEqual([reply.status, reply.headers.get('allow')], [405, 'GET, HEAD'])
    assert.equal((await ask(`${gateway.url}/truth`)).headers.get('allow'), 'POST')
    assert.match(await gateway.metrics(), /regatta_gateway_refused_total\{code="METHOD",protocol="http"\} 2/)
  })

  it('passes truths on to control with the right of who reports them, not with its own', async () => {
    await using control = await startControl()
    await using gateway = await startTestGateway({ controlUrl: control.url })
    const init = { method: 'POST', headers: { authorization: 'Bearer of-the-client' }, body: '[{"prediction":"x"}]' }
    const reply = await ask(`${gateway.url}/truth`, init)
    assert.equal(reply.status, 200)
    assert.match(reply.text, /regatta\/truth\/v1/)
    assert.equal(control.truths[0]?.headers.authorization, 'Bearer of-the-client')
    assert.equal(control.truths[0]?.body, '[{"prediction":"x"}]')
    await ask(`${gateway.url}/truth`, { method: 'POST', body: '[]' })
    assert.equal(control.truths[1]?.headers.authorization, undefined)
  })

  it('passes truths of many lines on as they arrive, with the query', async () => {
    await using control = await startControl()
    await using gateway = await startTestGateway({ controlUrl: control.url })
    const line = `${JSON.stringify({ prediction: 'x', note: 'y'.repeat(1000) })}\n`
    const lines = 70_000
    async function* chunks(): AsyncGenerator<Uint8Array> {
      const hundred = new TextEncoder().encode(line.repeat(100))
      for (let sent = 0; sent < lines; sent += 100) yield hundred
    }
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: ReadableStream.from(chunks()),
      duplex: 'half',
    } as RequestInit
    const reply = await ask(`${gateway.url}/truth?on-error=skip`, init)
    assert.equal(reply.status, 200, reply.text)
    assert.equal(control.truths[0]?.url, '/truth?on-error=skip')
    assert.equal(control.truths[0]?.body.length, lines * line.length)
  })

  it('says that truths were not taken while control is away', async () => {
    await using gateway = await startTestGateway()
    const reply = await ask(`${gateway.url}/truth`, { method: 'POST', body: '[]' })
    assert.deepEqual([reply.status, reply.headers.get('x-regatta-error')], [503, 'CONTROL_AWAY'])
  })

  it('refuses a body that is too long', async () => {
    await using a = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes, limits: { maxBodyBytes: 10 } })
    assert.equal((await gateway.predict()).status, 413)
    assert.equal(a.seen.length, 0)
  })

  it('refuses what is too much at once, still tells how it is, and takes requests again', async () => {
    let release = (): void => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    await using a = await startServer(async (_seen, response) => {
      await released
      sendJson(response, 200, { predictions: [1] })
    })
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes, limits: { maxInFlight: 3 } })
    const first = [gateway.predict(), gateway.predict(), gateway.predict()]
    await untilText(() => String(a.seen.length), /3/)
    const refused = await gateway.predict()
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1'])
    assert.equal(refused.headers.get('x-regatta-error'), 'OVERLOADED')
    assert.equal((await ask(`${gateway.url}/readyz`)).status, 200)
    release()
    assert.deepEqual(
      (await Promise.all(first)).map(reply => reply.status),
      [200, 200, 200],
    )
    assert.equal((await gateway.predict()).status, 200)
  })

  it('gives up a replica that does not answer in time', async () => {
    await using a = await startServer(hanging)
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes, limits: { tryTimeoutMs: 50 } })
    const reply = await gateway.predict()
    assert.deepEqual([reply.status, reply.headers.get('x-regatta-error')], [504, 'REPLICA_TIMEOUT'])
    assert.ok(a.seen.length <= 1, 'it is not asked again')
  })

  it('stops sending to a replica when the client leaves', async () => {
    let closed = 0
    await using a = await startServer((_seen, response) => {
      response.once('close', () => {
        closed += 1
      })
    })
    await using control = await startControl()
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes, controlUrl: control.url })
    const abort = new AbortController()
    const asking = fetch(`${gateway.url}/v1/models/m:predict`, { method: 'POST', body: '{}', signal: abort.signal })
    await untilText(() => String(a.seen.length), /1/)
    abort.abort()
    await assert.rejects(asking)
    await untilText(() => String(closed), /1/)
    await untilText(gateway.metrics, /replica_outstanding\{replica="a-1"\} 0/)
    await gateway.stop()
    assert.deepEqual(control.records, [])
  })
})

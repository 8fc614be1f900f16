import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { startControl } from './testing/control.ts'
import { ask, startTestGateway, toRoutes, until } from './testing/gateway.ts'
import { type Answer, predicting, sendJson, startServer } from './testing/upstream.ts'

const TRACE = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
const echoing: Answer = (seen, response) => sendJson(response, 200, { predictions: [[1]], url: seen.url })
const toVariants = (a: string, b: string) =>
  toRoutes([
    { id: 1, name: 'a', role: 'champion', urls: [a] },
    { id: 2, name: 'b', role: 'shadow', urls: [b] },
  ])

describe('the paths of a gateway', () => {
  const labels: readonly [string, string, string][] = [
    ['/v1/models/m/labels/champion:predict', 'a', '/v1/models/m/versions/1:predict'],
    ['/v1/models/m/labels/stable:predict', 'a', '/v1/models/m/versions/1:predict'],
    ['/V1/models/m/labels/b:classify?x=%20', 'b', '/V1/models/m/versions/2:classify?x=%20'],
  ]
  for (const [path, variant, target] of labels)
    it(`takes ${path} to variant ${variant} as ${target}`, async () => {
      await using a = await startServer(echoing)
      await using b = await startServer(echoing)
      await using gateway = await startTestGateway({ routes: toVariants(a.url, b.url) })
      const reply = await gateway.predict({}, path)
      assert.deepEqual([reply.status, reply.headers.get('x-regatta-variant')], [200, variant])
      assert.equal(JSON.parse(reply.text).url, target)
    })

  const refused: readonly [string, string, number, RegExp][] = [
    ['POST', '/v1/models/m/labels/x:predict', 404, /^\{"error":"Unrecognized servable version label: x: expected one/],
    ['GET', '/v1/models/m/labels/x', 404, /Unrecognized servable version label: x/],
    ['POST', '/v1/models/m/versions/9:predict', 404, /Servable not found for request: Specific\(m, 9\)/],
    ['POST', '/v2/models/m/versions/9/infer', 404, /Request for unknown model: \\"m\\" version 9 is not found/],
    ['POST', '/v2/repository/models/m/load', 403, /^\{"error":"Cannot load or unload a model here/],
    ['POST', '/v2/repository/models/m/unload', 403, /Cannot load or unload/],
  ]
  for (const [method, path, status, text] of refused)
    it(`refuses ${method} ${path}`, async () => {
      await using a = await startServer(echoing)
      await using gateway = await startTestGateway({ routes: toVariants(a.url, a.url) })
      const reply = await ask(`${gateway.url}${path}`, { method })
      assert.equal(reply.status, status)
      assert.match(reply.text, text)
      assert.equal(a.seen.length, 0)
    })

  it('records what MLflow clients ask, and words its refusals for them', async () => {
    await using a = await startServer((_seen, response) => sendJson(response, 200, { predictions: [3, 4] }))
    await using control = await startControl()
    const capture = { series: 'id' }
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }], { capture })
    await using gateway = await startTestGateway({ routes, controlUrl: control.url })
    const body = JSON.stringify({
      dataframe_split: {
        columns: ['id', 'x'],
        data: [
          ['s', 1],
          ['t', 2],
        ],
      },
    })
    const reply = await gateway.predict({}, '/invocations', body)
    assert.equal(reply.text, '{"predictions":[3,4]}')
    await until(() => control.records.length === 1)
    assert.deepEqual(control.records[0]?.rows, [
      { prediction: 3, series: 's' },
      { prediction: 4, series: 't' },
    ])
    const wrong = await gateway.predict({ 'x-regatta-at': 'soon' }, '/invocations')
    assert.match(wrong.text, /^\{"error_code":"HINT","message":/)
  })

  it('answers for its own health in the words of V2', async () => {
    await using gateway = await startTestGateway()
    assert.equal((await ask(`${gateway.url}/v2/health/live`)).text, '{"live":true}')
    const ready = await ask(`${gateway.url}/v2/health/ready`)
    assert.deepEqual([ready.status, ready.text], [503, '{"ready":false}'])
    for (const path of ['/ping', '/health']) assert.equal((await ask(gateway.url + path)).status, 503)
  })
})

describe('what a gateway forwards', () => {
  it('is the same bytes in both directions, compressed, and its rows are read for the record', async () => {
    const request = gzipSync('{"instances":[{"s":"x"}]}')
    const answer = gzipSync('{"predictions":[[7]]}')
    await using a = await startServer((_seen, response) => {
      const headers = {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'content-length': answer.length,
      }
      response.writeHead(200, headers).end(answer)
    })
    await using control = await startControl()
    const capture = { prediction: '[0]', series: 's' }
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }], { capture })
    await using gateway = await startTestGateway({ routes, controlUrl: control.url })
    const headers = { 'content-encoding': 'gzip', 'accept-encoding': 'gzip' }
    const reply = await gateway.predict(headers, '/v1/models/m:predict', new Uint8Array(request))
    assert.deepEqual(a.seen[0]?.bytes, request)
    assert.equal(a.seen[0]?.headers['accept-encoding'], 'gzip')
    // fetch inflates.
    assert.deepEqual([reply.headers.get('content-encoding'), reply.text], ['gzip', '{"predictions":[[7]]}'])
    await until(() => control.records.length === 1)
    assert.deepEqual(control.records[0]?.rows, [{ prediction: 7, series: 'x' }])
  })

  it('are tensors behind the JSON of V2, untouched', async () => {
    const json = JSON.stringify({
      outputs: [{ name: 'y', shape: [2, 1], datatype: 'FP32', parameters: { binary_data_size: 8 } }],
    })
    const answer = Buffer.concat([Buffer.from(json), Buffer.from(Float32Array.of(1.5, -2).buffer)])
    await using a = await startServer((_seen, response) => {
      response.writeHead(200, { 'inference-header-content-length': String(json.length) }).end(answer)
    })
    await using control = await startControl()
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes, controlUrl: control.url })
    const body = new Uint8Array([0, 255, 128, 10])
    const response = await fetch(`${gateway.url}/v2/models/m/infer`, {
      method: 'POST',
      headers: { 'inference-header-content-length': '0', 'content-type': 'application/octet-stream' },
      body,
    })
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), answer)
    assert.equal(response.headers.get('inference-header-content-length'), String(json.length))
    assert.deepEqual(a.seen[0]?.bytes, Buffer.from(body))
    assert.equal(a.seen[0]?.headers['inference-header-content-length'], '0')
    await until(() => control.records.length === 1)
    assert.deepEqual(control.records[0]?.rows, [{ prediction: 1.5 }, { prediction: -2 }])
  })

  it('carries the trace there and back', async () => {
    await using a = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url] }])
    await using gateway = await startTestGateway({ routes })
    const reply = await gateway.predict({ traceparent: TRACE, tracestate: 'x=1' })
    assert.equal(reply.headers.get('traceparent'), TRACE)
    assert.deepEqual([a.seen[0]?.headers['traceparent'], a.seen[0]?.headers['tracestate']], [TRACE, 'x=1'])
    assert.equal((await gateway.predict({ traceparent: 'nonsense' })).headers.get('traceparent'), null)
  })

  it('tells replicas what is left of the time that the client waits', async () => {
    await using a = await startServer((_seen, response) => sendJson(response, 503, { error: 'loading' }))
    await using b = await startServer(predicting(1))
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url, b.url] }])
    await using gateway = await startTestGateway({ routes })
    assert.equal((await gateway.predict({ 'x-request-timeout-ms': '9000' })).status, 200)
    const [first, second] = [a, b].map(server => Number(server.seen[0]?.headers['x-request-timeout-ms']))
    assert.ok(first !== undefined && second !== undefined && first <= 9000 && second <= first && second > 0)
    await gateway.predict()
    assert.equal(b.seen[1]?.headers['x-request-timeout-ms'], undefined)
  })

  it('is given up once the client waits no longer, and refused where that cannot be read', async () => {
    await using a = await startServer(() => {})
    await using b = await startServer(() => {})
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url, b.url] }])
    await using gateway = await startTestGateway({ routes })
    const late = await gateway.predict({ 'x-request-timeout-ms': '30' })
    assert.deepEqual([late.status, late.headers.get('x-regatta-error')], [504, 'REPLICA_TIMEOUT'])
    assert.doesNotMatch(await gateway.metrics(), /retries_total\{/)
    const wrong = await gateway.predict({ 'x-request-timeout-ms': 'soon' })
    assert.deepEqual([wrong.status, wrong.headers.get('x-regatta-error')], [400, 'HINT'])
  })
})

import assert from 'node:assert/strict'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startServer, toSingleModel } from './index.ts'
import { toDouble, toFailing, toIdentity, toRowSum, toSequence, toSlow } from './testing/models.ts'
import { openPlace, openServer } from './testing/place.ts'
import { untilTrue } from './testing/until-true.ts'

const PREDICT = '/v1/models/m:predict'
const INFER = '/v2/models/m/infer'
const never = new AbortController().signal

describe('startServer()', () => {
  it('answers probes and metrics', async () => {
    await using server = await openServer(toDouble())
    for (const path of ['/livez', '/healthz', '/readyz', '/ping', '/v2/health/live', '/v2/health/ready'])
      assert.equal((await server.ask(path)).status, 200, path)
    assert.deepEqual([(await server.ask('/readyz', '')).status, (await server.ask('/nothing')).status], [405, 404])
    await server.ask(PREDICT, {
      instances: [
        [1, 2],
        [3, 4],
      ],
    })
    await server.ask(PREDICT, 'nonsense')
    const { text, headers } = await server.ask('/metrics')
    assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    const labels = 'model="m",version="1"'
    for (const line of [
      `regatta_server_requests_total{protocol="tfs",status="200",${labels}} 1`,
      `regatta_server_requests_total{protocol="tfs",status="400",${labels}} 1`,
      `regatta_server_inference_rows_total{${labels}} 2`,
      `regatta_server_inference_seconds_count{${labels}} 1`,
      'regatta_server_ready 1',
    ])
      assert.ok(text.includes(`\n${line}\n`), line)
  })

  it('is not ready while it loads', async () => {
    await using place = await openPlace({ 1: toSlow(5) })
    const stop = new AbortController()
    const listening = Promise.withResolvers<string>()
    const onListening = ({ url }: { url: string }): void => listening.resolve(url)
    const options = { models: [toSingleModel('m', place.basePath)], httpPort: 0, onListening }
    const starting = startServer(options, stop.signal)
    const url = await listening.promise
    const ask = async (path: string, init?: RequestInit): Promise<readonly [number, unknown]> => {
      const response = await fetch(url + path, init)
      return [response.status, await response.text()]
    }
    const post = { method: 'POST', body: '{}' }
    const answers = await Promise.all([
      ask('/livez'),
      ask('/readyz'),
      ask('/v2/health/ready'),
      ask('/v2/models/m/ready'),
      ask('/v1/models/m'),
      ask('/v1/models/m/metadata'),
      ask(PREDICT, post),
      ask(INFER, post),
    ])
    const notLoaded = '{"error":"Model \\"m\\" is not loaded yet"}'
    const status = '{"version":"1","state":"LOADING","status":{"error_code":"OK","error_message":""}}'
    assert.deepEqual(answers, [
      [200, 'live'],
      [503, notLoaded],
      [503, '{"ready":false}'],
      [503, '{"name":"m","ready":false}'],
      [503, `{"model_version_status":[${status}],"name":"m","ready":false}`],
      [503, notLoaded],
      [503, notLoaded],
      [503, notLoaded],
    ])
    const server = await starting
    assert.deepEqual(await ask('/readyz'), [200, 'ready'])
    stop.abort()
    await server.closed
  })

  for (const [size, place] of [
    [16, 'a length that the warm-up finds'],
    [5, 'a length that it does not'],
  ] as const) {
    it(`serves a model whose free dimension takes one length alone, ${place}`, async () => {
      await using server = await openServer(toRowSum(size))
      const answer = await server.ask(PREDICT, { instances: [new Array(size).fill(2)] })
      assert.equal(answer.text, `{"predictions":[[${2 * size}.0]]}`)
      assert.equal((await server.ask(PREDICT, { instances: [[1, 2]] })).status, 400)
    })
  }

  it('refuses bodies that are too long, compressed in unknown ways or not JSON, before it looks at them', async () => {
    await using server = await openServer(toDouble(), { maxBodyBytes: 1000 })
    const tries: readonly [headers: Record<string, string>, body: string, status: number, error: RegExp][] = [
      [{}, `{"instances":[[1,${'2'.repeat(1000)}]]}`, 413, /longer than the limit of 1000 bytes/],
      [
        { 'content-type': 'application/x-protobuf' },
        '{}',
        415,
        /"application\/x-protobuf": expected application\/json/,
      ],
      [{ 'content-type': 'application/json; charset=utf-16' }, '{}', 415, /charset=utf-16: expected utf-8/],
      [{ 'content-encoding': 'br' }, '{}', 415, /"br": expected gzip, deflate or none/],
      [{ 'content-type': 'application/x-www-form-urlencoded' }, '{"instances":[[1,2]]}', 200, /^undefined$/],
      [{ 'content-type': 'application/json; charset=UTF-8' }, '{"instances":[[1,2]]}', 200, /^undefined$/],
    ]
    for (const [headers, body, status, error] of tries) {
      const answer = await server.ask(PREDICT, body, { headers })
      assert.equal(answer.status, status, answer.text)
      assert.match(String(JSON.parse(answer.text).error), error)
    }
  })

  it('answers health while a costly model computes, and refuses what exceeds its bounds', async () => {
    await using server = await openServer(toSlow(10), { maxInFlight: 4, maxWaiting: 1, engineThreads: 1 })
    const asked = Array.from({ length: 6 }, () => server.ask(PREDICT, { instances: [[1]] }))
    let probes = 0
    const answers = await Promise.all(
      asked.map(async answer => {
        const settled = await answer
        if (settled.status === 429) {
          assert.equal((await server.ask('/readyz')).status, 200)
          probes += 1
        }
        return settled
      }),
    )
    const statuses = answers.map(answer => answer.status).sort()
    // Two run, one waits, the fourth finds no place to wait, the others are one and two too many in flight.
    assert.deepEqual(statuses, [200, 200, 200, 429, 429, 429])
    assert.equal(probes, 3)
    for (const { status, headers, text } of answers) {
      assert.equal(headers.get('retry-after'), status === 429 ? '1' : null)
      if (status === 200) assert.equal(text, '{"predictions":[[1.0]]}')
      else assert.match(text, /^{"error":"The server is busy/)
    }
  })

  it('does not run the model for clients that have gone', async () => {
    await using server = await openServer(toSlow(20), { engineThreads: 1 })
    const asked = Array.from({ length: 2 }, () => server.ask(PREDICT, { instances: [[1]] }))
    const client = new AbortController()
    const gone = Array.from({ length: 3 }, () => server.ask(PREDICT, { instances: [[1]] }, { signal: client.signal }))
    await untilTrue(async () => /_waiting{[^}]*} 3\n/.test((await server.ask('/metrics')).text))
    client.abort()
    for (const one of gone) await assert.rejects(one)
    await Promise.all(asked)
    const { text } = await server.ask('/metrics')
    assert.match(text, /inference_seconds_count{[^}]*} 2\n/)
    assert.match(text, /requests_total{protocol="tfs",status="499",[^}]*} 3\n/)
  })

  it('swaps versions under its clients without losing a request', async () => {
    await using server = await openServer(toDouble(), { pollMs: 5 })
    const { basePath } = server
    const versions = new Set<string>()
    let isOver = false
    const ask = async (): Promise<void> => {
      while (!isOver) {
        const body = '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}'
        const response = await fetch(server.url + INFER, { method: 'POST', body })
        const { model_version: version, outputs } = Object(await response.json())
        assert.deepEqual([response.status, outputs?.[0]?.data], [200, [2, 4]])
        versions.add(version)
      }
    }
    const asking = Promise.all([ask(), ask(), ask()])
    for (const version of ['2', '3']) {
      await mkdir(join(basePath, `part-${version}`))
      await writeFile(join(basePath, `part-${version}`, 'model.onnx'), toDouble())
      await rename(join(basePath, `part-${version}`), join(basePath, version))
      await untilTrue(async () => versions.has(version))
    }
    isOver = true
    await asking
    const states = Object(await (await fetch(`${server.url}/v1/models/m`)).json()).model_version_status
    assert.deepEqual(
      states.map(({ version, state }: { version: string; state: string }) => `${version} ${state}`),
      ['1 END', '2 END', '3 AVAILABLE'],
    )
  })

  it('lets pages of other sites ask where it is told to', async () => {
    await using server = await openServer(toDouble(), { cors: true, maxBodyBytes: 100 })
    const preflight = await server.ask(PREDICT, undefined, {
      method: 'OPTIONS',
      headers: { origin: 'https://a.example' },
    })
    assert.deepEqual(
      ['origin', 'methods', 'headers'].map(name => preflight.headers.get(`access-control-allow-${name}`)),
      [
        ...['*', 'POST, GET'],
        'Content-Type, Authorization, Content-Encoding, Inference-Header-Content-Length, x-request-timeout-ms, traceparent',
      ],
    )
    const long = await server.ask(PREDICT, 'x'.repeat(101))
    assert.deepEqual([long.status, long.headers.get('access-control-allow-origin')], [413, '*'])
    assert.match((await server.ask('/metrics')).text, /requests_total\{protocol="other",status="413"\} 1\n/)
    assert.equal((await server.ask('/readyz')).headers.get('access-control-allow-origin'), '*')
    const bare = await server.ask(PREDICT, undefined, { method: 'OPTIONS' })
    assert.deepEqual([bare.status, bare.text], [400, '{"error":"Origin header is missing in CORS preflight"}'])
    await using closed = await openServer(toDouble())
    assert.equal((await closed.ask('/readyz')).headers.get('access-control-allow-origin'), null)
  })

  it('gives up answers that take longer than they may', async () => {
    await using server = await openServer(toSlow(10), { restTimeoutMs: 1 })
    const answer = await server.ask(PREDICT, { instances: [[1]] })
    assert.deepEqual([answer.status, answer.text], [504, '{"error":"The answer took longer than 1 ms"}'])
  })

  it("shows its metrics under TensorFlow Serving's names where it is told to", async () => {
    await using server = await openServer(toDouble(), { tfsMetricsPath: '/prometheus' })
    await server.ask(PREDICT, { instances: [[1, 2]] })
    const counted = ':tensorflow:serving:request_count{model_name="m",status="OK"} 1'
    assert.ok((await server.ask('/prometheus')).text.includes(`\n${counted}\n`))
    assert.equal((await server.ask('/monitoring/prometheus/metrics')).status, 404)
  })

  it('closes within its time even where a client never ends its request', async () => {
    await using server = await openServer(toDouble(), { drainMs: 200 })
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => {})
    await new Promise<void>(resolve =>
      socket.write(`POST ${PREDICT} HTTP/1.1\r\nhost: m\r\ncontent-length: 9\r\n\r\n{`, () => resolve()),
    )
    await untilTrue(async () => /in_flight 1\n/.test((await server.ask('/metrics')).text))
    const startedAt = performance.now()
    server.stop()
    await server.closed
    const tookMs = performance.now() - startedAt
    assert.ok(tookMs >= 150 && tookMs < 30_000, `${tookMs} ms`)
    socket.destroy()
  })

  it('stops at once where the signal came before', async () => {
    await using place = await openPlace({ 1: toDouble() })
    const models = [toSingleModel('m', place.basePath)]
    const server = await startServer({ models, httpPort: 0 }, AbortSignal.abort())
    await server.closed
    await assert.rejects(fetch(`${server.url}/livez`))
  })

  const broken: readonly [name: string, versions: Record<string, Uint8Array>, code: string, message: RegExp][] = [
    ['no version', {}, 'MODEL_MISSING', /no folder is named by a number \(/],
    ['no number', { latest: toDouble(), v1: toDouble() }, 'MODEL_MISSING', /no folder is named by a number \(/],
    ['an empty file', { 1: new Uint8Array() }, 'MODEL_MISSING', /1\/model\.onnx\)$/],
    ['no file in the highest version', { 1: toDouble(), 20: new Uint8Array() }, 'MODEL_MISSING', /20\/model\.onnx\)$/],
    ['a file that is not ONNX', { 1: Buffer.from('pickle\n') }, 'MODEL_LOAD', /Protobuf parsing failed/],
    ['half a file', { 1: toDouble().subarray(0, 60) }, 'MODEL_LOAD', /^Cannot load the model/],
    ['an output that is no tensor', { 1: toSequence() }, 'MODEL_SIGNATURE', /output "y" of the model: it is no tensor/],
    ['a model that cannot be run', { 1: toFailing() }, 'MODEL_WARM_UP', /on zeros: ONNX Runtime says ".*Gather node/],
    ['a type that nobody can send', { 1: toIdentity('bfloat16', [1]) }, 'MODEL_LOAD', /Unsupported data type/],
  ]
  for (const [name, versions, code, message] of broken) {
    it(`does not start with ${name}`, async () => {
      await using place = await openPlace(versions)
      const start = startServer({ models: [toSingleModel('m', place.basePath)], httpPort: 0 }, never)
      await assert.rejects(start, { code, message })
    })
  }

  it('does not start without a folder, on a port in use, or beyond its bounds', async () => {
    await using place = await openPlace({ 1: toDouble() })
    const options = { models: [toSingleModel('m', place.basePath)], httpPort: 0 }
    const nowhere = join(place.basePath, 'nowhere')
    await assert.rejects(startServer({ ...options, models: [toSingleModel('m', nowhere)] }, never), {
      code: 'MODEL_MISSING',
      message: `Cannot read the model's folder: there is no such folder (${nowhere})`,
    })
    const other = createServer()
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    const { port } = Object(other.address())
    await assert.rejects(startServer({ ...options, httpPort: port }, never), { code: 'PORT_IN_USE' })
    other.close()
    await assert.rejects(startServer({ ...options, maxWaiting: 0 }, never), { code: 'LIMITS' })
    const named = [toSingleModel('a/b', place.basePath)]
    await assert.rejects(startServer({ ...options, models: named }, never), { code: 'MODEL_CONFIG' })
    await rm(place.basePath, { recursive: true })
  })
})

describe('warm-up requests', () => {
  const cases = [
    [true, 'MODEL_WARM_UP'],
    [false, undefined],
  ] as const
  for (const [warmUpRequests, code] of cases) {
    it(`${warmUpRequests ? 'are run' : 'are left alone'} where warmUpRequests is ${warmUpRequests}`, async () => {
      await using place = await openPlace({ 1: toDouble() })
      await writeFile(join(place.basePath, '1', 'warmup.json'), '{"inputs":[]}')
      const stop = new AbortController()
      const options = { models: [toSingleModel('m', place.basePath)], httpPort: 0, warmUpRequests }
      const starting = startServer(options, stop.signal)
      if (code !== undefined) return await assert.rejects(starting, { code })
      const server = await starting
      stop.abort()
      await server.closed
    })
  }
})

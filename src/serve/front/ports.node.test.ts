import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { GRPC_CODES } from '../../core/grpc/grpc.ts'
import { FrameClient, toCallHead } from '../../core/http2/testing/frames.ts'
import { GRPCInferenceService, PredictionService } from '../../tensor/messages.ts'
import { startServer, toSingleModel } from '../index.ts'
import { openClient, openGrpcServer } from '../testing/grpc.ts'
import { toDouble, toSlow } from '../testing/models.ts'
import { openPlace } from '../testing/place.ts'
import { untilTrue } from '../testing/until-true.ts'

const { modelInfer, serverLive, serverReady, modelMetadata } = GRPCInferenceService.method
const { predict } = PredictionService.method
const never = new AbortController().signal

const slow = {
  modelName: 'm',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1n, 1n], contents: { fp32Contents: [1] } }],
}
const PREDICT = '/v1/models/m:predict'

/** How many requests are being answered, as the server tells it. */
async function readInFlight(server: { ask(path: string): Promise<{ readonly text: string }> }): Promise<number> {
  const { text } = await server.ask('/metrics')
  return Number(/^regatta_server_in_flight(?:\{.*\})? (\d+)$/m.exec(text)?.[1])
}

describe('the port of gRPC', () => {
  it('is not opened unless it is wanted, and told where it is', async () => {
    await using place = await openPlace({ 1: toDouble() })
    const stop = new AbortController()
    const server = await startServer({ models: [toSingleModel('m', place.basePath)], httpPort: 0 }, stop.signal)
    assert.equal(server.grpc, undefined)
    stop.abort()
    await server.closed
    await using other = await openGrpcServer(toDouble())
    assert.equal(other.grpc?.url, `http://127.0.0.1:${other.grpc?.port}`)
  })

  it('leaves no port open where it cannot be opened', async () => {
    await using server = await openGrpcServer(toDouble())
    await using place = await openPlace({ 1: toDouble() })
    const models = [toSingleModel('m', place.basePath)]
    const options = { models, httpPort: 0, grpcPort: server.port, onListening: () => assert.fail() }
    await assert.rejects(startServer(options, never), { code: 'PORT_IN_USE' })
  })

  it('answers probes while the model loads, and refuses predictions as to be tried again', async () => {
    await using place = await openPlace({ 1: toSlow(5) })
    const stop = new AbortController()
    const listening = Promise.withResolvers<Parameters<typeof openClient>[0]>()
    const options = { models: [toSingleModel('m', place.basePath)], httpPort: 0, grpcPort: 0 }
    const starting = startServer({ ...options, onListening: listening.resolve }, stop.signal)
    using client = openClient(await listening.promise)
    const answers = await Promise.all([
      client.call(serverLive, {}),
      client.call(serverReady, {}),
      client.call(modelInfer, slow),
      client.call(predict, { modelSpec: { name: 'm' } }),
      client.call(modelMetadata, { name: 'm' }),
    ])
    assert.deepEqual([answers[0].message?.live, answers[1].message?.ready], [true, false])
    const notLoaded = { status: 'UNAVAILABLE', text: 'Model "m" is not loaded yet', message: undefined }
    assert.deepEqual(answers.slice(2), [notLoaded, notLoaded, notLoaded])
    const server = await starting
    assert.equal((await client.call(serverReady, {})).message?.ready, true)
    stop.abort()
    await server.closed
  })

  it('answers others while one connection begins more calls than there is room for', async () => {
    await using server = await openGrpcServer(toDouble(), { maxInFlight: 150 })
    using flood = new FrameClient(server.grpc?.port ?? 0)
    const path = `/${GRPCInferenceService.typeName}/ModelInfer`
    flood.write(...Array.from({ length: 190 }, (_, at) => toCallHead(2 * at + 1, { ':path': path })))
    await untilTrue(async () => (await readInFlight(server)) === 100)
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1n, 2n], contents: { fp32Contents: [1, 2] } }]
    assert.equal((await server.call(modelInfer, { modelName: 'm', inputs })).status, 'OK')
    assert.equal((await server.ask(PREDICT, { instances: [[1, 2]] })).status, 200)
  })

  it('shares the bound of requests with the port of HTTP', async () => {
    await using server = await openGrpcServer(toSlow(10), { maxInFlight: 2, drainMs: 20_000 })
    const first = server.ask(PREDICT, { instances: [[1]] })
    const second = server.call(modelInfer, slow)
    await untilTrue(async () => (await readInFlight(server)) === 2)
    const [http, grpc] = [await server.ask(PREDICT, { instances: [[1]] }), await server.call(modelInfer, slow)]
    assert.deepEqual([http.status, grpc.status], [429, 'RESOURCE_EXHAUSTED'])
    assert.equal(grpc.text, 'The server is busy with 2 requests')
    assert.equal((await server.call(serverLive, {})).status, 'OK')
    assert.deepEqual([(await first).status, (await second).status], [200, 'OK'])
    await untilTrue(async () => (await readInFlight(server)) === 0)
  })

  it('bounds messages, and their bytes together', async () => {
    await using server = await openGrpcServer(toDouble(), { maxBodyBytes: 4000, maxInFlightBytes: 2000 })
    const toRequest = (rows: number) => ({
      modelName: 'm',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [BigInt(rows), 2n] }],
      rawInputContents: [new Uint8Array(rows * 8)],
    })
    const statuses = []
    for (const rows of [100, 300, 1000]) statuses.push((await server.call(modelInfer, toRequest(rows))).status)
    assert.deepEqual(statuses, ['OK', 'RESOURCE_EXHAUSTED', 'RESOURCE_EXHAUSTED'])
  })

  it('gives a call up when its time is over or its client goes', async () => {
    await using server = await openGrpcServer(toSlow(10))
    const late = server.call(modelInfer, slow, { deadlineMs: 5 })
    assert.equal((await late).status, 'DEADLINE_EXCEEDED')
    await untilTrue(async () => (await readInFlight(server)) === 0)
    const { text } = await server.ask('/metrics')
    assert.doesNotMatch(text, /protocol="v2-grpc"[^\n]*status="200"/)
  })

  it('counts and times calls beside requests', async () => {
    await using server = await openGrpcServer(toDouble())
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1n, 2n], contents: { fp32Contents: [1, 2] } }]
    await server.call(modelInfer, { modelName: 'm', inputs })
    await server.call(modelInfer, { modelName: 'z', inputs })
    await server.call(predict, { modelSpec: { name: 'm' } })
    const { text } = await server.ask('/metrics')
    for (const line of [
      'regatta_server_requests_total{protocol="v2-grpc",status="200",model="m",version="1"} 1',
      'regatta_server_requests_total{protocol="v2-grpc",status="404"} 1',
      'regatta_server_requests_total{protocol="tfs-grpc",status="400",model="m",version="1"} 1',
      'regatta_server_request_seconds_count{protocol="v2-grpc",model="m",version="1"} 1',
    ])
      assert.ok(text.includes(`\n${line}\n`), `${line} in ${text.slice(0, 3000)}`)
  })

  it('runs calls and requests together, and gives the trace of a call to readers of OpenMetrics', async () => {
    await using server = await openGrpcServer(toDouble(), { batching: { maxRows: 2, maxDelayMs: 5_000 } })
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1n, 2n], contents: { fp32Contents: [1, 2] } }]
    const metadata = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }
    const [call, request] = await Promise.all([
      server.call(modelInfer, { modelName: 'm', inputs }, { metadata }),
      server.ask(PREDICT, { instances: [[3, 4]] }),
    ])
    assert.deepEqual([call.status, request.text], ['OK', '{"predictions":[[6.0,8.0]]}'])
    const headers = { accept: 'application/openmetrics-text' }
    const { text } = await server.ask('/metrics', undefined, { headers })
    assert.match(text, /_batch_requests_sum{model="m",version="1"} 2\n/)
    assert.match(text, /_request_seconds_bucket{protocol="v2-grpc",[^}]*} 1 # {trace_id="a{32}"}/)
  })

  it('finishes calls in flight when the server stops, and takes no new ones', async () => {
    await using server = await openGrpcServer(toSlow(10), { drainMs: 20_000 })
    const call = server.call(modelInfer, slow)
    const request = server.ask(PREDICT, { instances: [[1]] })
    await untilTrue(async () => (await readInFlight(server)) === 2)
    server.stop()
    assert.deepEqual([(await call).status, (await request).status], ['OK', 200])
    const later = await server.client.start('/inference.GRPCInferenceService/ServerLive', new Uint8Array()).seen
    assert.equal(later.code, GRPC_CODES.UNAVAILABLE)
    await server.closed
    await assert.rejects(
      new Promise((resolve, reject) => {
        const socket = connect(server.grpc?.port ?? 0, '127.0.0.1', () => resolve(socket.destroy()))
        socket.once('error', reject)
      }),
      /ECONNREFUSED/,
    )
  })
})

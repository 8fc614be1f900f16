import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GRPC_CODES, type GrpcHandler } from '../../core/grpc/grpc.ts'
import { openGrpcJs } from '../../core/grpc/testing/grpc-js.ts'
import { toField } from '../../core/protobuf.ts'
import { Health, parseMessage, HealthCheckResponse_ServingStatus as ServingStatus } from '../../tensor/messages.ts'
import { startControl } from '../testing/control.ts'
import { ask, startTestGateway, toRoutes, until, untilText } from '../testing/gateway.ts'
import { PREDICT, predictingGrpc, startGrpcServer, toPredictRequest } from '../testing/grpc-upstream.ts'
import { startReplica } from '../testing/process.ts'
import { predicting, startServer } from '../testing/upstream.ts'
import { HEALTH_SERVICES } from './calls.ts'

const V2 = '/inference.GRPCInferenceService'
const HEALTH = '/grpc.health.v1.Health'
const NOTHING = new Uint8Array(0)
const [SERVING, NOT_SERVING, SERVICE_UNKNOWN] = [1, 2, 3].map(status => Buffer.from(toField(1, status)))
const toChampion = (grpcUrl: string, url = 'http://127.0.0.1:9') =>
  toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [url], grpcUrls: [grpcUrl] }])

/** Answers after some time. */
const slowly =
  (ms: number): GrpcHandler =>
  async call => {
    await sleep(ms)
    return await predictingGrpc(1)(call)
  }

describe('the gRPC port of a gateway', () => {
  it('tells how the gateway is: alive at once, serving once there is a champion with a replica', async () => {
    await using control = await startControl({ routes: toRoutes([]) })
    await using gateway = await startTestGateway({ controlUrl: control.url })
    using client = openGrpcJs(gateway.grpcPort)
    const tell = async (path: string, message: Uint8Array = NOTHING): Promise<Buffer | undefined> =>
      (await client.call(path, message)).messages[0]
    const watching = client.start(`${HEALTH}/Watch`, NOTHING)
    assert.deepEqual(await tell(`${V2}/ServerLive`), SERVING)
    assert.deepEqual(await tell(`${V2}/ServerReady`), Buffer.from(NOTHING))
    assert.deepEqual(await tell(`${HEALTH}/Check`), NOT_SERVING)
    const early = await client.call(PREDICT, toPredictRequest())
    assert.equal(early.code, GRPC_CODES.UNAVAILABLE)
    control.publish(toChampion('http://127.0.0.1:9'))
    await untilText(async () => (await ask(`${gateway.url}/readyz`)).text, /"ok"/)
    assert.deepEqual(await tell(`${V2}/ServerReady`), Buffer.from(toField(1, 1)))
    for (const service of [
      '',
      'tensorflow.serving.PredictionService',
      'inference.GRPCInferenceService',
      'grpc.health.v1.Health',
      'ModelService',
    ])
      assert.deepEqual(await tell(`${HEALTH}/Check`, toField(1, service)), SERVING, service)
    assert.equal((await client.call(`${HEALTH}/Check`, toField(1, 'nothing'))).code, GRPC_CODES.NOT_FOUND)
    const { statuses } = parseMessage(Health.method.list.output, (await tell(`${HEALTH}/List`)) ?? NOTHING)
    assert.deepEqual(new Set(Object.keys(statuses)), HEALTH_SERVICES)
    assert.ok(Object.values(statuses).every(({ status }) => status === ServingStatus.SERVING))
    const unknown = await client.call(`${HEALTH}/Watch`, toField(1, 'nothing'), { deadlineMs: 300 })
    assert.deepEqual(unknown.messages, [SERVICE_UNKNOWN])
    await gateway.stop()
    const watched = await watching.seen
    assert.deepEqual(watched.messages, [NOT_SERVING, SERVING, NOT_SERVING])
    assert.deepEqual([watched.code, watched.details], [GRPC_CODES.UNAVAILABLE, 'The gateway is stopping'])
  })

  it('forwards what is about the model, refuses to load or unload it, and knows no other calls', async () => {
    await using a = await startGrpcServer(() => ({ message: toField(1, 'yes') }))
    await using gateway = await startTestGateway({ routes: toChampion(a.url) })
    using client = openGrpcJs(gateway.grpcPort)
    const spec = toPredictRequest()
    const asked: readonly (readonly [string, Uint8Array])[] = [
      ['/tensorflow.serving.PredictionService/GetModelMetadata', spec],
      ['/tensorflow.serving.ModelService/GetModelStatus', spec],
      [`${V2}/ModelMetadata`, toField(1, 'm')],
      [`${V2}/ModelReady`, Buffer.concat([toField(1, 'm'), toField(2, '1')])],
      [`${V2}/ModelStatistics`, NOTHING],
      [`${V2}/ServerMetadata`, NOTHING],
      [`${V2}/RepositoryIndex`, NOTHING],
      // Another model than the deployment's: the champion says that it has none.
      [PREDICT, toPredictRequest({ model: 'other', version: 9 })],
    ]
    for (const [path, message] of asked) {
      const seen = await client.call(path, message)
      assert.deepEqual(seen.messages, [Buffer.from(toField(1, 'yes'))], path)
      assert.equal(seen.metadata['x-regatta-prediction'], undefined, path)
    }
    assert.deepEqual(
      a.seen.map(call => [call.path, Buffer.from(call.message)]),
      asked.map(([path, message]) => [path, Buffer.from(message)]),
    )
    for (const path of [
      '/tensorflow.serving.ModelService/HandleReloadConfigRequest',
      `${V2}/RepositoryModelLoad`,
      `${V2}/RepositoryModelUnload`,
    ]) {
      const closed = await client.call(path, NOTHING)
      assert.deepEqual([closed.code, closed.trailers['x-regatta-error']], [GRPC_CODES.PERMISSION_DENIED, 'CLOSED'])
    }
    assert.equal((await client.call('/a.B/C', NOTHING)).code, GRPC_CODES.UNIMPLEMENTED)
    assert.equal(a.seen.length, asked.length)
  })

  it('asks for the tokens of the HTTP port, and keeps them to itself', async () => {
    await using a = await startGrpcServer(predictingGrpc(1))
    const access = { tokens: ['key'], origins: [] }
    await using gateway = await startTestGateway({ routes: toChampion(a.url), access })
    using client = openGrpcJs(gateway.grpcPort)
    const refused = await client.call(PREDICT, toPredictRequest())
    assert.deepEqual([refused.code, refused.trailers['x-regatta-error']], [GRPC_CODES.UNAUTHENTICATED, 'TOKEN'])
    const metadata = { authorization: 'Bearer key' }
    assert.equal((await client.call(PREDICT, toPredictRequest(), { metadata })).code, GRPC_CODES.OK)
    assert.equal(a.seen[0]?.metadata['authorization'], undefined)
    assert.equal((await client.call(`${HEALTH}/Check`, NOTHING)).code, GRPC_CODES.OK)
  })

  it('has one bound with the HTTP port, and tells how it is beyond it', async () => {
    const released = Promise.withResolvers<void>()
    await using a = await startServer(async (seen, response) => {
      await released.promise
      await predicting(1)(seen, response)
    })
    await using b = await startGrpcServer(predictingGrpc(1))
    await using gateway = await startTestGateway({ routes: toChampion(b.url, a.url), limits: { maxInFlight: 1 } })
    using client = openGrpcJs(gateway.grpcPort)
    const first = gateway.predict()
    await until(() => a.seen.length === 1)
    const refused = await client.call(PREDICT, toPredictRequest())
    assert.deepEqual(
      [refused.code, refused.trailers['x-regatta-error'], refused.trailers['grpc-retry-pushback-ms']],
      [GRPC_CODES.RESOURCE_EXHAUSTED, 'OVERLOADED', '1000'],
    )
    assert.deepEqual((await client.call(`${HEALTH}/Check`, NOTHING)).messages, [SERVING])
    released.resolve()
    assert.equal((await first).status, 200)
    await until(async () => (await client.call(PREDICT, toPredictRequest())).code === GRPC_CODES.OK)
  })

  it('answers what is in flight on both ports before it stops, and hands over the records of both', async () => {
    await using a = await startServer((seen, response) => {
      setTimeout(() => void predicting(1)(seen, response), 300)
    })
    await using b = await startGrpcServer(slowly(300))
    await using control = await startControl()
    await using gateway = await startTestGateway({ routes: toChampion(b.url, a.url), controlUrl: control.url })
    using client = openGrpcJs(gateway.grpcPort)
    const call = client.call(PREDICT, toPredictRequest())
    const request = gateway.predict()
    await until(() => a.seen.length + b.seen.length === 2)
    await gateway.stop()
    const [seen, reply] = await Promise.all([call, request])
    assert.deepEqual([seen.code, reply.status], [GRPC_CODES.OK, 200])
    assert.deepEqual(
      control.records.map(record => record.request).sort(),
      [String(seen.metadata['x-regatta-prediction']), reply.headers.get('x-regatta-prediction')].sort(),
    )
  })

  it('loses no call when a replica is killed in the midst of many', async () => {
    await using a = await startReplica(1, 20)
    await using b = await startReplica(1, 20)
    await using c = await startReplica(1, 20)
    const replicas = [a, b, c]
    const urls = replicas.map(replica => replica.url)
    const grpcUrls = replicas.map(replica => replica.grpcUrl)
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls, grpcUrls }])
    await using gateway = await startTestGateway({ routes })
    using client = openGrpcJs(gateway.grpcPort)
    const codes: number[] = []
    // Twenty clients that call again at each answer: every replica always has calls to answer.
    const calls = Array.from({ length: 20 }, async () => {
      for (let call = 0; call < 10; call += 1) codes.push((await client.call(PREDICT, toPredictRequest())).code)
    })
    await until(() => codes.length >= 40)
    b.child.kill('SIGKILL')
    await Promise.all(calls)
    assert.deepEqual([codes.length, new Set(codes)], [200, new Set([GRPC_CODES.OK])])
    const metrics = await gateway.metrics()
    assert.match(metrics, /retries_total\{variant="a"\} [1-9]/)
    assert.match(metrics, /ejections_total\{replica="a-2"\} 1/)
  })
})

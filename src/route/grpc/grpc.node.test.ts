import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GRPC_CODES, GrpcError, type GrpcHandler } from '../../core/grpc/grpc.ts'
import { openGrpcJs } from '../../core/grpc/testing/grpc-js.ts'
import { callRaw, openRaw, toWire } from '../../core/http2/testing/raw.ts'
import { onceAborted } from '../../core/testing/wait.ts'
import { peekTfsModel } from '../../tensor/index.ts'
import { startControl } from '../testing/control.ts'
import { startTestGateway, toRoutes, until, untilText } from '../testing/gateway.ts'
import {
  hangingGrpc,
  INFER,
  PREDICT,
  predictingGrpc,
  startGrpcServer,
  toInferRequest,
  toPredictRequest,
} from '../testing/grpc-upstream.ts'
import { predicting, startServer } from '../testing/upstream.ts'

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
/** Nobody listens there: these replicas are asked over gRPC alone. */
const NO_HTTP = 'http://127.0.0.1:9'
const failing: GrpcHandler = () => {
  throw new GrpcError('UNAVAILABLE', 'loading')
}

/** One champion with a replica at each of these. */
const toChampion = (...grpcUrls: readonly string[]) =>
  toRoutes([{ id: 1, name: 'a', role: 'champion', urls: grpcUrls.map(() => NO_HTTP), grpcUrls }])

describe('a call to the gateway', () => {
  it('is answered as the champion does, says which prediction it is, and is recorded', async () => {
    await using a = await startGrpcServer(predictingGrpc(7))
    await using control = await startControl()
    await using gateway = await startTestGateway({ routes: toChampion(a.url), controlUrl: control.url })
    using client = openGrpcJs(gateway.grpcPort)
    const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
    const metadata = { 'x-regatta-series': 's', 'x-regatta-at': '5', 'x-regatta-entity': 'e', traceparent, own: 'yes' }
    const message = toPredictRequest()
    const seen = await client.call(PREDICT, message, { metadata })
    assert.equal(seen.code, GRPC_CODES.OK, seen.details)
    const id = String(seen.metadata['x-regatta-prediction'])
    assert.match(id, UUID_V7)
    assert.deepEqual([seen.metadata['x-regatta-variant'], seen.metadata['traceparent']], ['a', traceparent])
    const [asked] = a.seen
    assert.deepEqual([asked?.metadata['own'], asked?.metadata['traceparent']], ['yes', traceparent])
    assert.deepEqual(Buffer.from(asked?.message ?? []), Buffer.from(message))
    await until(() => control.records.length === 1)
    const [record] = control.records
    assert.deepEqual([record?.request, record?.status, record?.replica, record?.entity], [id, 200, 'a-1', 'e'])
    assert.deepEqual(record?.rows, [{ prediction: 7, series: 's', at: 5 }])
    assert.match(await gateway.metrics(), /requests_total\{variant="a",status="OK",protocol="grpc"\} 1/)
  })

  it('has its rows of V2 recorded, each with the series and time that parameters and paths give', async () => {
    await using a = await startGrpcServer(predictingGrpc(3, 4))
    await using control = await startControl()
    const capture = { prediction: '[0]', series: 'where' }
    const routes = { ...toChampion(a.url), capture }
    await using gateway = await startTestGateway({ routes, controlUrl: control.url })
    using client = openGrpcJs(gateway.grpcPort)
    const parameters = { 'x-regatta-at': '2026-01-31', where: '["p", "q"]' }
    const seen = await client.call(INFER, toInferRequest({ rows: 2, parameters }))
    assert.equal(seen.code, GRPC_CODES.OK, seen.details)
    await until(() => control.records.length === 1)
    const at = Date.parse('2026-01-31T00:00:00Z')
    assert.deepEqual(control.records[0]?.rows, [
      { prediction: 3, series: 'p', at },
      { prediction: 4, series: 'q', at },
    ])
  })

  it('has the series and time of each row recorded where parameters hold one for each', async () => {
    await using a = await startGrpcServer(predictingGrpc(3, 4))
    await using control = await startControl()
    await using gateway = await startTestGateway({ routes: toChampion(a.url), controlUrl: control.url })
    using client = openGrpcJs(gateway.grpcPort)
    const parameters = { 'x-regatta-series': '["p","q"]', 'x-regatta-at': '[5,"2026-01-31"]' }
    assert.equal((await client.call(INFER, toInferRequest({ rows: 2, parameters }))).code, GRPC_CODES.OK)
    await until(() => control.records.length === 1)
    assert.deepEqual(control.records[0]?.rows, [
      { prediction: 3, series: 'p', at: 5 },
      { prediction: 4, series: 'q', at: Date.parse('2026-01-31T00:00:00Z') },
    ])
  })

  it('is copied to a shadow over gRPC, and both answers are recorded under one id', async () => {
    await using a = await startGrpcServer(predictingGrpc(1))
    await using b = await startGrpcServer(predictingGrpc(2))
    await using control = await startControl()
    const routes = toRoutes([
      { id: 1, name: 'a', role: 'champion', urls: [NO_HTTP], grpcUrls: [a.url] },
      { id: 2, name: 'b', role: 'shadow', urls: [NO_HTTP], grpcUrls: [b.url] },
    ])
    await using gateway = await startTestGateway({ routes, controlUrl: control.url })
    using client = openGrpcJs(gateway.grpcPort)
    const seen = await client.call(PREDICT, toPredictRequest())
    assert.equal(seen.metadata['x-regatta-variant'], 'a')
    await until(() => control.records.length === 2)
    const [served, shadow] = [...control.records].sort((x, y) => x.variant - y.variant)
    assert.equal(shadow?.request, served?.request)
    assert.deepEqual([served?.served, shadow?.served], [true, false])
    assert.deepEqual([served?.rows, shadow?.rows], [[{ prediction: 1 }], [{ prediction: 2 }]])
  })

  it('goes to the variant whose version or label its message names, in either protocol', async () => {
    await using a = await startGrpcServer(predictingGrpc(1))
    await using b = await startGrpcServer(predictingGrpc(2))
    const routes = toRoutes([
      { id: 1, name: 'a', role: 'champion', urls: [NO_HTTP], grpcUrls: [a.url] },
      { id: 2, name: 'b', role: 'shadow', urls: [NO_HTTP], grpcUrls: [b.url] },
    ])
    await using gateway = await startTestGateway({ routes })
    using client = openGrpcJs(gateway.grpcPort)
    const status = '/tensorflow.serving.ModelService/GetModelStatus'
    const asked: readonly [string, Uint8Array][] = [
      [PREDICT, toPredictRequest({ version: 2 })],
      [PREDICT, toPredictRequest({ label: 'b' })],
      [INFER, toInferRequest({ version: '2' })],
      [status, toPredictRequest({ label: 'b' })],
    ]
    for (const [path, message] of asked) {
      const seen = await client.call(path, message)
      assert.deepEqual([seen.code, seen.metadata['x-regatta-variant']], [0, 'b'], path)
    }
    assert.equal(b.seen.length, asked.length)
    // A replica knows no labels: its version stands there.
    for (const { path, message } of b.seen.filter(call => call.path !== INFER))
      assert.deepEqual([peekTfsModel(message).version, peekTfsModel(message).versionLabel], [2, undefined], path)
    const none = await client.call(PREDICT, toPredictRequest({ version: 3 }))
    assert.equal(none.code, GRPC_CODES.NOT_FOUND)
    assert.equal(none.details, 'Servable not found for request: Specific(m, 3): expected one of 1, 2')
    assert.equal(none.trailers['x-regatta-error'], 'NO_VERSION')
    const unknown = await client.call(PREDICT, toPredictRequest({ label: 'z' }))
    assert.match(unknown.details, /^Unrecognized servable version label: z/)
    const triton = await client.call(INFER, toInferRequest({ version: 'x' }))
    assert.match(triton.details, /^Request for unknown model: "m" version x is not found/)
  })

  it('goes to the replica with the fewest calls in flight, on one connection or many', async () => {
    const released = Promise.withResolvers<void>()
    const answer = predictingGrpc(1)
    await using a = await startGrpcServer(async call => {
      await released.promise
      return await answer(call)
    })
    await using b = await startGrpcServer(answer)
    await using gateway = await startTestGateway({ routes: toChampion(a.url, b.url) })
    using client = openGrpcJs(gateway.grpcPort)
    const burst = [client.call(PREDICT, toPredictRequest()), client.call(PREDICT, toPredictRequest())]
    await until(() => a.seen.length === 1)
    for (let count = 0; count < 10; count++) await client.call(PREDICT, toPredictRequest())
    released.resolve()
    await Promise.all(burst)
    assert.deepEqual([a.seen.length, b.seen.length], [1, 11])
  })

  it('goes to another replica where one is unavailable or refuses the connection', async () => {
    await using a = await startGrpcServer(failing)
    const gone = await startGrpcServer(failing)
    await gone[Symbol.asyncDispose]()
    await using c = await startGrpcServer(predictingGrpc(1))
    // Time stands still, so that nothing is tried again.
    const clock = (): number => 1
    for (const bad of [a.url, gone.url]) {
      await using gateway = await startTestGateway({ routes: toChampion(bad, c.url), clock })
      using client = openGrpcJs(gateway.grpcPort)
      for (let count = 0; count < 10; count++)
        assert.equal((await client.call(PREDICT, toPredictRequest())).code, GRPC_CODES.OK)
    }
    assert.equal(a.seen.length, 3)
  })

  it('is not repeated where the model refuses it, and its error comes as it is', async () => {
    const refusing: GrpcHandler = () => {
      throw new GrpcError('INVALID_ARGUMENT', 'input size does not match', { trailers: { own: 'yes' } })
    }
    await using a = await startGrpcServer(refusing)
    await using b = await startGrpcServer(refusing)
    await using control = await startControl()
    await using gateway = await startTestGateway({ routes: toChampion(a.url, b.url), controlUrl: control.url })
    using client = openGrpcJs(gateway.grpcPort)
    const seen = await client.call(PREDICT, toPredictRequest())
    assert.deepEqual([seen.code, seen.details], [GRPC_CODES.INVALID_ARGUMENT, 'input size does not match'])
    assert.deepEqual([seen.trailers['own'], seen.trailers['x-regatta-variant']], ['yes', 'a'])
    assert.equal(a.seen.length + b.seen.length, 1)
    await until(() => control.records.length === 1)
    assert.deepEqual([control.records[0]?.status, control.records[0]?.error], [400, 'input size does not match'])
  })

  it('is answered by the champion where a challenger cannot, and by nobody where nobody serves gRPC', async () => {
    await using a = await startGrpcServer(predictingGrpc(1))
    await using b = await startServer(predicting(2))
    const variants = [
      { id: 1, name: 'a', role: 'champion', urls: [b.url], grpcUrls: [a.url], weight: 0.5 },
      { id: 2, name: 'b', role: 'split', urls: [b.url], weight: 0.5 },
    ] as const
    await using gateway = await startTestGateway({ routes: toRoutes(variants), random: () => 0.9 })
    using client = openGrpcJs(gateway.grpcPort)
    for (let count = 0; count < 15; count++) {
      const { metadata } = await client.call(PREDICT, toPredictRequest())
      assert.deepEqual([metadata['x-regatta-variant'], metadata['x-regatta-fallback-from']], ['a', 'b'])
    }
    // Over HTTP the challenger goes on answering: that it has no gRPC is no failure of its.
    assert.equal((await gateway.predict()).headers.get('x-regatta-variant'), 'b')
    const named = await client.call(PREDICT, toPredictRequest({ version: 2 }))
    assert.deepEqual([named.code, named.trailers['x-regatta-error']], [GRPC_CODES.UNAVAILABLE, 'NO_REPLICA'])
    assert.match(named.details, /^No replica of variant "b" serves gRPC/)
    assert.equal(named.trailers['grpc-retry-pushback-ms'], '1000')
  })

  it('tells the replica what is left of its deadline, and is cancelled there when its client leaves', async () => {
    const aborted: string[] = []
    await using a = await startGrpcServer(async call => {
      aborted.push('asked')
      await onceAborted(call.signal)
      aborted.push('left')
      return await hangingGrpc(call)
    })
    await using control = await startControl()
    await using gateway = await startTestGateway({ routes: toChampion(a.url), controlUrl: control.url })
    using client = openGrpcJs(gateway.grpcPort)
    const underway = client.start(PREDICT, toPredictRequest())
    await until(() => aborted.length === 1)
    underway.cancel()
    assert.equal((await underway.seen).code, GRPC_CODES.CANCELLED)
    await until(() => aborted.length === 2)
    const sentAt = Date.now()
    // A client that would cancel the call itself might be first.
    using session = openRaw(`http://127.0.0.1:${gateway.grpcPort}`)
    const late = await callRaw(session, toWire(toPredictRequest()), { ':path': PREDICT, 'grpc-timeout': '1500m' })
    assert.equal(late.headers['grpc-status'] ?? late.trailers['grpc-status'], String(GRPC_CODES.DEADLINE_EXCEEDED))
    const deadlineAt = a.seen[1]?.deadlineAt ?? 0
    assert.ok(deadlineAt > sentAt && deadlineAt <= Date.now() + 100, String(deadlineAt - sentAt))
    await untilText(gateway.metrics, /replica_outstanding\{replica="a-1"\} 0/)
    await gateway.stop()
    assert.deepEqual(
      control.records.map(record => record.error),
      ['no answer in time'],
    )
  })

  it('is given up where the replica does not answer in time', async () => {
    await using a = await startGrpcServer(hangingGrpc)
    await using gateway = await startTestGateway({ routes: toChampion(a.url), limits: { tryTimeoutMs: 50 } })
    using client = openGrpcJs(gateway.grpcPort)
    const seen = await client.call(PREDICT, toPredictRequest())
    assert.deepEqual([seen.code, seen.trailers['x-regatta-error']], [GRPC_CODES.DEADLINE_EXCEEDED, 'REPLICA_TIMEOUT'])
  })

  it('is refused in the words of gRPC where it cannot be read', async () => {
    await using a = await startGrpcServer(predictingGrpc(1))
    await using gateway = await startTestGateway({ routes: toChampion(a.url) })
    using client = openGrpcJs(gateway.grpcPort)
    const cut = await client.call(PREDICT, Uint8Array.of(0x0a, 5, 1))
    assert.deepEqual([cut.code, cut.trailers['x-regatta-error']], [GRPC_CODES.INVALID_ARGUMENT, 'MESSAGE'])
    const hint = await client.call(PREDICT, toPredictRequest(), { metadata: { 'x-regatta-at': 'tomorrow' } })
    assert.deepEqual([hint.code, hint.trailers['x-regatta-error']], [GRPC_CODES.INVALID_ARGUMENT, 'HINT'])
    assert.equal(a.seen.length, 0)
  })
})

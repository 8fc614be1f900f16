import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GRPC_CODES } from '../../core/grpc/grpc.ts'
import { openGrpcJs } from '../../core/grpc/testing/grpc-js.ts'
import { GRPCInferenceService, parseMessage } from '../../tensor/messages.ts'
import { startControl } from '../testing/control.ts'
import { startTestGateway, toRoutes, until } from '../testing/gateway.ts'
import { INFER, INFER_STREAM, predictingGrpc, startGrpcServer, toInferRequest } from '../testing/grpc-upstream.ts'

const { output } = GRPCInferenceService.method.modelStreamInfer
/** Nobody listens there: these replicas are asked over gRPC alone. */
const NO_HTTP = 'http://127.0.0.1:9'

const toChampion = (url: string) => toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [NO_HTTP], grpcUrls: [url] }])

const toParameter = (bytes: Uint8Array, name: string): string => {
  const { inferResponse } = parseMessage(output, bytes)
  const value = inferResponse?.parameters[name]?.parameterChoice.value
  return String(value)
}

async function predictOnce(port: number): Promise<void> {
  using client = openGrpcJs(port)
  const chat = client.converse(INFER_STREAM)
  chat.send(toInferRequest())
  chat.end()
  assert.deepEqual([(await chat.seen).code, chat.messages.length], [GRPC_CODES.OK, 1])
}

describe('a stream to the gateway', () => {
  it('has each of its messages predicted, named and recorded by itself, and its errors told', async () => {
    await using a = await startGrpcServer(predictingGrpc(7))
    await using control = await startControl()
    await using gateway = await startTestGateway({ routes: toChampion(a.url), controlUrl: control.url })
    using client = openGrpcJs(gateway.grpcPort)
    const chat = client.converse(INFER_STREAM, { metadata: { 'x-regatta-series': 's' } })
    chat.send(toInferRequest())
    chat.send(toInferRequest({ version: '99' }))
    chat.send(toInferRequest())
    chat.end()
    const { code, messages } = await chat.seen
    assert.equal(code, GRPC_CODES.OK)
    const errors = messages.map(bytes => parseMessage(output, bytes).errorMessage)
    assert.deepEqual([errors[0], errors[2], errors.length], ['', '', 3])
    assert.match(errors[1] ?? '', /99/)
    const [first = Buffer.of(), , third = Buffer.of()] = messages
    assert.equal(toParameter(first, 'x-regatta-variant'), 'a')
    const ids = [first, third].map(bytes => toParameter(bytes, 'x-regatta-prediction'))
    await until(() => control.records.length === 2)
    assert.deepEqual(control.records.map(({ request }) => request).toSorted(), ids.toSorted())
    assert.deepEqual(control.records[0]?.rows, [{ prediction: 7, series: 's' }])
    const paths = a.seen.map(({ path }) => path.slice(path.lastIndexOf('/') + 1))
    // It says that it knows no streams, and is not asked for one again.
    assert.equal(paths.filter(path => path === 'ModelInfer').length, 2)
    await predictOnce(gateway.grpcPort)
    assert.equal(a.seen.at(-1)?.path, INFER)
    assert.equal(a.seen.length, paths.length + 1)
  })

  it('answers with the bytes of the replica, and what is added to them', async () => {
    await using a = await startGrpcServer(predictingGrpc(1, 2))
    await using gateway = await startTestGateway({ routes: toChampion(a.url) })
    using client = openGrpcJs(gateway.grpcPort)
    const chat = client.converse(INFER_STREAM)
    chat.send(toInferRequest({ rows: 2 }))
    chat.end()
    const [answer = Buffer.of()] = (await chat.seen).messages
    const { inferResponse } = parseMessage(output, answer)
    const [raw = Buffer.of()] = inferResponse?.rawOutputContents ?? []
    assert.deepEqual(Buffer.from(raw), Buffer.from(new Float32Array([1, 2]).buffer))
    const names = Object.keys(inferResponse?.parameters ?? {}).toSorted()
    assert.deepEqual(names, ['x-regatta-prediction', 'x-regatta-variant'])
  })

  it('ends when the gateway stops', async () => {
    await using a = await startGrpcServer(predictingGrpc(1))
    await using gateway = await startTestGateway({ routes: toChampion(a.url) })
    using client = openGrpcJs(gateway.grpcPort)
    const chat = client.converse(INFER_STREAM)
    chat.send(toInferRequest())
    await until(() => chat.messages.length === 1)
    gateway.stop()
    const { code, details } = await chat.seen
    assert.deepEqual([code, details], [GRPC_CODES.UNAVAILABLE, 'The gateway is stopping'])
  })

  it('is refused as a whole without a token', async () => {
    await using a = await startGrpcServer(predictingGrpc(1))
    const access = { tokens: ['t'], origins: [] }
    await using gateway = await startTestGateway({ routes: toChampion(a.url), access })
    using client = openGrpcJs(gateway.grpcPort)
    const chat = client.converse(INFER_STREAM)
    chat.send(toInferRequest())
    assert.equal((await chat.seen).code, GRPC_CODES.UNAUTHENTICATED)
  })
})

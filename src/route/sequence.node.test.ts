import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openGrpcJs } from '../core/grpc/testing/grpc-js.ts'
import { peekModelInferRequest } from '../tensor/index.ts'
import { startTestGateway, toRoutes, until } from './testing/gateway.ts'
import { INFER, INFER_STREAM, predictingGrpc, startGrpcServer, toInferRequest } from './testing/grpc-upstream.ts'
import { hanging, predicting, startServer } from './testing/upstream.ts'

const PATH = '/v2/models/m/infer'
const toBody = (id: number): string => JSON.stringify({ id: `${id}`, parameters: { sequence_id: id }, inputs: [] })
const ids = Array.from({ length: 13 }, (_, index) => index + 1)

describe('a sequence', () => {
  it('gets one variant and one replica, of a shadow too', async () => {
    const servers = await Promise.all(Array.from({ length: 6 }, async () => await startServer(predicting(1))))
    await using stack = new AsyncDisposableStack()
    for (const server of servers) stack.use(server)
    const urls = servers.map(({ url }) => url)
    const routes = toRoutes([
      { id: 1, name: 'a', role: 'champion', urls: urls.slice(0, 2), weight: 0.5 },
      { id: 2, name: 'b', role: 'split', urls: urls.slice(2, 4), weight: 0.5 },
      { id: 3, name: 'c', role: 'shadow', urls: urls.slice(4) },
    ])
    await using gateway = await startTestGateway({ routes })
    for (let count = 0; count < 4; count++)
      for (const id of ids) assert.equal((await gateway.predict({}, PATH, toBody(id))).status, 200)
    await until(() => servers.slice(4).reduce((sum, { seen }) => sum + seen.length, 0) === 4 * ids.length)
    for (const part of [servers.slice(0, 4), servers.slice(4)])
      for (const id of ids) {
        const counts = part.map(({ seen }) => seen.filter(({ body }) => body === toBody(id)).length)
        assert.deepEqual(counts.toSorted((x, y) => y - x).slice(0, 2), [4, 0], `sequence ${id}: ${counts}`)
      }
    // Thirteen sequences do not all go one way.
    assert.ok(servers.every(({ seen }) => seen.length < 4 * ids.length))
  })

  it('is never asked for twice: what answers it may have gone on', async () => {
    await using a = await startServer(hanging)
    await using b = await startServer(hanging)
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [a.url, b.url] }])
    await using gateway = await startTestGateway({ routes, limits: { tryTimeoutMs: 50 } })
    assert.equal((await gateway.predict({}, PATH, toBody(1))).status, 504)
    assert.equal(a.seen.length + b.seen.length, 1)
  })

  it('goes to the replica over gRPC that it goes to over HTTP', async () => {
    await using http = await startServer(predicting(1))
    await using other = await startServer(predicting(1))
    await using a = await startGrpcServer(predictingGrpc(1))
    await using b = await startGrpcServer(predictingGrpc(1))
    const urls = [http.url, other.url]
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls, grpcUrls: [a.url, b.url] }])
    await using gateway = await startTestGateway({ routes })
    using client = openGrpcJs(gateway.grpcPort)
    for (const id of ids) {
      await gateway.predict({}, PATH, toBody(id))
      await client.call(INFER, toInferRequest({ parameters: { sequence_id: String(id) } }))
    }
    const called = a.seen.map(({ message }) => String(peekModelInferRequest(message).parameters.get('sequence_id')))
    assert.deepEqual(
      called,
      http.seen.map(({ body }) => String(JSON.parse(body).id)),
    )
    assert.ok(called.length > 0 && called.length < ids.length)
  })

  it('has its messages of a stream asked one after the other, beside those of another', async () => {
    const asked: string[] = []
    const waiting: (() => void)[] = []
    await using a = await startGrpcServer(async call => {
      // It knows no streams: each message is a call.
      if (call.path === INFER_STREAM) return predictingGrpc(1)(call)
      asked.push(String(peekModelInferRequest(call.message).parameters.get('sequence_id')))
      await new Promise<void>(resolve => waiting.push(resolve))
      return predictingGrpc(1)(call)
    })
    const urls = ['http://127.0.0.1:9']
    const routes = toRoutes([{ id: 1, name: 'a', role: 'champion', urls, grpcUrls: [a.url] }])
    await using gateway = await startTestGateway({ routes })
    using client = openGrpcJs(gateway.grpcPort)
    const chat = client.converse(INFER_STREAM)
    for (const id of ['x', 'x', 'y', 'x']) chat.send(toInferRequest({ parameters: { sequence_id: id } }))
    chat.end()
    await until(() => waiting.length === 2)
    assert.deepEqual(asked.toSorted(), ['x', 'y'])
    for (let count = 2; count < 4; count++) {
      waiting.shift()?.()
      waiting.shift()?.()
      await until(() => asked.length === count + 1)
      assert.equal(asked[count], 'x')
    }
    waiting.shift()?.()
    const { code, messages } = await chat.seen
    assert.deepEqual([code, messages.length], [0, 4])
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GRPC_CODES, GrpcError } from '../../core/grpc/grpc.ts'
import { openGrpcJs } from '../../core/grpc/testing/grpc-js.ts'
import { openRaw, startRaw, toWire } from '../../core/http2/testing/raw.ts'
import { toField } from '../../core/protobuf.ts'
import { ENDS_WITH_ERROR, parseModelInferRequest } from '../../tensor/index.ts'
import { GRPCInferenceService, parseMessage } from '../../tensor/messages.ts'
import { startControl } from '../testing/control.ts'
import { startTestGateway, type TestVariant, toRoutes, until, untilText } from '../testing/gateway.ts'
import {
  INFER_STREAM,
  predictingGrpc,
  startGrpcServer,
  streamingGrpc,
  toInferRequest,
  toInferResponse,
} from '../testing/grpc-upstream.ts'
import { AnswerStream } from './answer-stream.node.ts'

const { output } = GRPCInferenceService.method.modelStreamInfer
/** Nobody listens there: these replicas are asked over gRPC alone. */
const NO_HTTP = 'http://127.0.0.1:9'

const toVariant = (name: string, role: TestVariant['role'], ...grpcUrls: readonly string[]): TestVariant => ({
  ...{ id: name === 'a' ? 1 : 2, name, role, grpcUrls },
  urls: grpcUrls.map(() => NO_HTTP),
})
const toChampion = (...urls: readonly string[]) => toRoutes([toVariant('a', 'champion', ...urls)])

/** A message of a stream of answers. */
const toAnswer = (value: number): Uint8Array => toField(2, toInferResponse(value))
const toError = (text: string): Uint8Array => toField(1, text)
/** `parameters["triton_final_response"].bool_param`, on an answer without outputs. */
const FINAL = toField(2, toField(4, Buffer.concat([toField(1, 'triton_final_response'), toField(2, toField(1, 1))])))

/** A replica of a model that answers one request as often as it wants. */
const startStreaming = (answer: (request: Uint8Array) => AsyncIterable<Uint8Array>) =>
  startGrpcServer(streamingGrpc(answer), [INFER_STREAM])

const toRows = (request: Uint8Array): number => parseModelInferRequest(request).inputs[0]?.tensor.shape[0] ?? 0

/** What a stream answered: of each answer its value, its error, or that it is the last. */
function read(messages: readonly Buffer[]): readonly unknown[] {
  return messages.map(bytes => {
    const { errorMessage, inferResponse } = parseMessage(output, bytes)
    if (errorMessage !== '') return errorMessage
    const [raw] = inferResponse?.rawOutputContents ?? []
    const isLast = inferResponse?.parameters['triton_final_response']?.parameterChoice.value === true
    return raw === undefined ? (isLast ? 'final' : 'nothing') : Buffer.from(raw).readFloatLE()
  })
}

async function converse(port: number, requests: readonly Uint8Array[], metadata: Record<string, string> = {}) {
  using client = openGrpcJs(port)
  // Longer than anything here is waited for.
  const chat = client.converse(INFER_STREAM, { metadata, deadlineMs: 60_000 })
  for (const request of requests) chat.send(request)
  chat.end()
  const { code, details } = await chat.seen
  return { code, details, messages: chat.messages, answers: read(chat.messages) }
}

describe('a replica that answers a message several times', () => {
  it('has all its answers passed on, none and the last among them, and one record of their rows', async () => {
    await using a = await startStreaming(async function* (request) {
      for (let at = 0; at < toRows(request) - 1; at++) yield toAnswer(at)
      if (toRows(request) > 1) yield FINAL
    })
    await using control = await startControl()
    await using gateway = await startTestGateway({ routes: toChampion(a.url), controlUrl: control.url })
    const requests = [toInferRequest({ rows: 4 }), toInferRequest({ rows: 1 })]
    const { code, answers, messages } = await converse(gateway.grpcPort, requests)
    assert.deepEqual([code, answers], [GRPC_CODES.OK, [0, 1, 2, 'final']])
    const ids = messages.map(bytes => {
      const { inferResponse } = parseMessage(output, bytes)
      return String(inferResponse?.parameters['x-regatta-prediction']?.parameterChoice.value)
    })
    assert.equal(new Set(ids).size, 1)
    await until(() => control.records.length === 2)
    const record = control.records.find(({ request }) => request === ids[0])
    assert.deepEqual([record?.status, record?.rows.map(({ prediction }) => prediction)], [200, [0, 1, 2]])
    await untilText(gateway.metrics, /replica_outstanding\{replica="a-1"\} 0/)
  })

  it('is asked for each message as a stream of its own, which tells a failure by its status', async () => {
    await using a = await startStreaming(async function* (request) {
      if (toRows(request) === 2) throw new GrpcError('INVALID_ARGUMENT', 'two rows')
      yield toAnswer(1)
    })
    await using control = await startControl()
    await using gateway = await startTestGateway({ routes: toChampion(a.url), controlUrl: control.url })
    const requests = [1, 2, 1].map(rows => toInferRequest({ rows }))
    const { code, answers } = await converse(gateway.grpcPort, requests)
    assert.deepEqual([code, answers], [GRPC_CODES.OK, [1, 'two rows', 1]])
    assert.deepEqual(
      a.seen.map(({ path, metadata }) => [path, metadata[ENDS_WITH_ERROR]]),
      requests.map(() => [INFER_STREAM, 'true']),
    )
    await until(() => control.records.length === 3)
    assert.deepEqual(control.records.map(({ status }) => status).toSorted(), [200, 200, 400])
  })

  it('may tell an error among its answers', async () => {
    await using a = await startStreaming(async function* () {
      yield toError('at first')
      yield toAnswer(1)
      yield FINAL
    })
    await using control = await startControl()
    await using gateway = await startTestGateway({ routes: toChampion(a.url), controlUrl: control.url })
    const { code, answers } = await converse(gateway.grpcPort, [toInferRequest()])
    assert.deepEqual([code, answers], [GRPC_CODES.OK, ['at first', 1, 'final']])
    await until(() => control.records.length === 1)
    assert.equal(control.records[0]?.status, 500)
  })

  it('ends the stream with the status of the first error for a client that wants it so', async () => {
    await using a = await startStreaming(async function* () {
      yield toAnswer(1)
      throw new GrpcError('FAILED_PRECONDITION', 'no more')
    })
    await using gateway = await startTestGateway({ routes: toChampion(a.url) })
    const { code, details, answers } = await converse(gateway.grpcPort, [toInferRequest()], {
      [ENDS_WITH_ERROR]: 'true',
    })
    assert.deepEqual([code, answers], [GRPC_CODES.FAILED_PRECONDITION, [1]])
    assert.equal(details, 'The replica ended the stream after 1 answers: no more')
  })

  it('is told of where it is lost amid its answers, and other messages go on', async () => {
    const lost = Promise.withResolvers<void>()
    await using stays = await startStreaming(async function* () {
      yield toAnswer(2)
    })
    await using a = await startStreaming(async function* () {
      yield toAnswer(1)
      await lost.promise
    })
    await using control = await startControl()
    await using gateway = await startTestGateway({ routes: toChampion(a.url), controlUrl: control.url })
    using client = openGrpcJs(gateway.grpcPort)
    const chat = client.converse(INFER_STREAM)
    chat.send(toInferRequest())
    await until(() => chat.messages.length === 1)
    await a[Symbol.asyncDispose]()
    await until(() => chat.messages.length === 2)
    assert.match(String(read(chat.messages)[1]), /^The replica ended the stream after 1 answers: /)
    control.publish(toChampion(stays.url))
    await until(async () => {
      chat.send(toInferRequest())
      const seen = chat.messages.length
      await until(() => chat.messages.length > seen)
      return read(chat.messages).at(-1) === 2
    })
    chat.end()
    assert.equal((await chat.seen).code, GRPC_CODES.OK)
    await until(() => control.records.some(({ error }) => error?.startsWith('the connection broke: ') === true))
    lost.resolve()
  })

  it('is given up where it is silent amid its answers, but not where its client is', async () => {
    const never = new Promise<void>(() => {})
    await using a = await startStreaming(async function* () {
      yield toAnswer(1)
      await never
    })
    await using gateway = await startTestGateway({ routes: toChampion(a.url), limits: { tryTimeoutMs: 100 } })
    const { answers } = await converse(gateway.grpcPort, [toInferRequest()])
    assert.deepEqual(answers, [1, 'The replica sent no answer within 100 ms'])
    await until(() => a.seen.every(({ signal }) => signal.aborted))
  })

  it('is asked again elsewhere before its first answer', async () => {
    await using busy = await startStreaming(() => {
      throw new GrpcError('UNAVAILABLE', 'not now')
    })
    await using a = await startStreaming(async function* () {
      yield toAnswer(1)
    })
    await using gateway = await startTestGateway({ routes: toChampion(busy.url, a.url) })
    const { answers } = await converse(
      gateway.grpcPort,
      Array.from({ length: 8 }, () => toInferRequest()),
    )
    assert.deepEqual(
      answers,
      Array.from({ length: 8 }, () => 1),
    )
    assert.ok(busy.seen.length > 0)
  })

  it('is read no faster than its client reads, and left when its client goes', async () => {
    let given = 0
    await using a = await startStreaming(async function* () {
      for (; ; given++) yield toField(2, toInferResponse(...new Array(1024).fill(given)))
    })
    await using gateway = await startTestGateway({ routes: toChampion(a.url) })
    using session = openRaw(`http://127.0.0.1:${gateway.grpcPort}`)
    const stream = startRaw(session, { ':path': INFER_STREAM })
    stream.write(toWire(toInferRequest()))
    let before = -1
    await until(async () => {
      const isStill = given > 0 && given === before
      before = given
      await sleep(300)
      return isStill
    })
    // Windows of 1 MiB and what is written ahead: 4 KiB each.
    assert.ok(given < 1000, String(given))
    stream.close(8)
    await until(() => a.seen.every(({ signal }) => signal.aborted))
    await untilText(gateway.metrics, /replica_outstanding\{replica="a-1"\} 0/)
  })

  it('takes no room among the requests once it is done, though nobody reads its answers', async () => {
    await using a = await startStreaming(async function* () {
      yield toAnswer(1)
    })
    const limits = { maxInFlight: 8, maxOutstanding: 8 }
    await using gateway = await startTestGateway({ routes: toChampion(a.url), limits })
    using unread = openRaw(`http://127.0.0.1:${gateway.grpcPort}`, { settings: { initialWindowSize: 0 } })
    for (let count = 1; count <= 20; count++) {
      startRaw(unread, { ':path': INFER_STREAM }).write(toWire(toInferRequest()))
      await until(() => a.seen.length === count)
      await untilText(gateway.metrics, /replica_outstanding\{replica="a-1"\} 0/)
    }
    assert.deepEqual((await converse(gateway.grpcPort, [toInferRequest()])).answers, [1])
  })

  it('as a shadow gets a copy, all of whose answers are recorded', async () => {
    await using a = await startGrpcServer(predictingGrpc(7))
    await using b = await startStreaming(async function* () {
      yield toAnswer(1)
      yield toAnswer(2)
    })
    await using control = await startControl()
    const routes = toRoutes([toVariant('a', 'champion', a.url), toVariant('b', 'shadow', b.url)])
    await using gateway = await startTestGateway({ routes, controlUrl: control.url })
    const { answers } = await converse(gateway.grpcPort, [toInferRequest()])
    assert.deepEqual(answers, [7])
    await until(() => control.records.length === 2)
    const copy = control.records.find(({ variant }) => variant === 2)
    assert.deepEqual(
      copy?.rows.map(({ prediction }) => prediction),
      [1, 2],
    )
  })

  it('as a shadow is left after the time of a request, where its answers never end', async () => {
    await using a = await startGrpcServer(predictingGrpc(7))
    await using b = await startStreaming(async function* () {
      while (true) {
        yield toAnswer(1)
        await sleep(10)
      }
    })
    const routes = toRoutes([toVariant('a', 'champion', a.url), toVariant('b', 'shadow', b.url)])
    await using gateway = await startTestGateway({ routes, limits: { deadlineMs: 300 } })
    assert.deepEqual((await converse(gateway.grpcPort, [toInferRequest()])).answers, [7])
    await until(() => b.seen.length === 1 && b.seen.every(({ signal }) => signal.aborted))
  })

  it('is left where an error ended the stream that asked it', async () => {
    const asked = Promise.withResolvers<void>()
    await using a = await startStreaming(async function* (request) {
      if (toRows(request) === 1) {
        await asked.promise
        throw new GrpcError('INTERNAL', 'no')
      }
      asked.resolve()
      yield* [] as Uint8Array[]
      await new Promise<void>(() => {})
    })
    await using gateway = await startTestGateway({ routes: toChampion(a.url) })
    const requests = [1, 2].map(rows => toInferRequest({ rows }))
    const { code } = await converse(gateway.grpcPort, requests, { [ENDS_WITH_ERROR]: 'true' })
    assert.equal(code, GRPC_CODES.INTERNAL)
    await untilText(gateway.metrics, /replica_outstanding\{replica="a-1"\} 0/)
  })

  it('keeps of many answers no more for the record than shows that they are too long', async () => {
    const message = toAnswer(2)
    const many = (async function* () {
      for (let count = 0; count < 100; count++) yield message
    })()
    const stream = new AnswerStream(many, () => {}, { silenceMs: 20_000, maxKeptBytes: 200, signal: undefined })
    let count = 0
    for await (const _ of stream) count += 1
    const result = await stream.over
    const keptBytes = result.kind === 'answer' ? result.body.byteLength : 0
    assert.ok(count === 100 && keptBytes > 200 && keptBytes <= 200 + message.byteLength, `${keptBytes} bytes`)
  })

  it('has answers refused that take more room than all requests may, and none recorded beyond their bound', async () => {
    await using a = await startStreaming(async function* (request) {
      yield toField(2, toInferResponse(...new Array(toRows(request)).fill(1)))
      for (let count = 0; count < 9; count++) yield toAnswer(2)
    })
    await using control = await startControl()
    const limits = { maxInFlightBytes: 20_000, maxTapBytes: 200 }
    await using gateway = await startTestGateway({ routes: toChampion(a.url), controlUrl: control.url, limits })
    // One answer is too long, or all of them together are.
    for (const [index, rows] of [100, 1].entries()) {
      const { answers } = await converse(gateway.grpcPort, [toInferRequest({ rows })])
      assert.deepEqual(answers, [1, ...new Array(9).fill(2)])
      await until(() => control.records.length === index + 1)
      assert.match(control.records[index]?.error ?? '', /^Cannot record the answer: it is longer than 200 bytes/)
    }
    const wide = toField(2, toInferResponse(...new Array(10_000).fill(1)))
    await using b = await startStreaming(async function* () {
      yield wide
    })
    control.publish(toChampion(b.url))
    await until(() => gateway.log.filter(line => line.startsWith('Routes')).length === 2)
    const refused = await converse(gateway.grpcPort, [toInferRequest()])
    assert.deepEqual(refused.answers, ['Too many requests are in flight: try again'])
  })
})

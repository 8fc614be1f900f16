import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { openRaw, seeRaw, startRaw, toWire } from '../http2/testing/raw.ts'
import { onceAborted, until } from '../testing/wait.ts'
import { GRPC_CODES, GrpcError, type GrpcHandler, type GrpcRequest } from './grpc.ts'
import { openGrpcJs } from './testing/grpc-js.ts'
import { type ServeOptions, serveGrpc } from './testing/serve.ts'

const CHAT = '/s/Chat'
const text = (messages: readonly Uint8Array[]): string => messages.map(message => Buffer.from(message)).join()

/** Answers each message as it comes. */
const echo: GrpcHandler = ({ messages = none() }) => ({ message: messages, trailers: { end: 'yes' } })
async function* none(): AsyncGenerator<Uint8Array> {}

async function openEcho(options: Partial<ServeOptions> = {}, handler = echo) {
  const server = await serveGrpc(handler, { port: 0, streams: path => path === CHAT, ...options })
  const client = openGrpcJs(server.port)
  return {
    ...server,
    client,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

describe('listenGrpc(), calls of many messages', () => {
  it('answers while the client sends, and ends after it', async () => {
    await using server = await openEcho()
    const chat = server.client.converse(CHAT)
    for (const word of ['a', 'b', '', 'c']) {
      const before = chat.messages.length
      chat.send(Buffer.from(word))
      await until(() => chat.messages.length > before)
    }
    chat.end()
    const { code, messages, trailers } = await chat.seen
    assert.deepEqual([code, text(messages), trailers['end']], [GRPC_CODES.OK, 'a,b,,c', 'yes'])
  })

  it('gives the handler no single message, and a call of one message no many', async () => {
    const seen: GrpcRequest[] = []
    await using server = await openEcho({}, call => {
      seen.push(call)
      return { message: call.messages ?? call.message }
    })
    const chat = server.client.converse(CHAT)
    chat.end()
    assert.equal((await chat.seen).messages.length, 0)
    assert.equal(text((await server.client.call('/s/One', Buffer.from('x'))).messages), 'x')
    assert.deepEqual(
      seen.map(({ message, messages }) => [Buffer.from(message).toString(), messages !== undefined]),
      [
        ['', true],
        ['x', false],
      ],
    )
  })

  it('takes messages as they are cut, many in one piece, and compressed', async () => {
    await using server = await openEcho()
    using session = openRaw(server.url)
    const stream = startRaw(session, { ':path': CHAT, 'grpc-encoding': 'gzip' })
    const wire = Buffer.concat([toWire('one'), toWire(gzipSync('two'), true), toWire('three')])
    for (let at = 0; at < wire.length; at += 4) stream.write(wire.subarray(at, at + 4))
    stream.end(Buffer.concat([toWire('four'), toWire('five')]))
    const { body, trailers } = await seeRaw(stream)
    assert.equal(trailers['grpc-status'], '0')
    assert.deepEqual(body, Buffer.concat(['one', 'two', 'three', 'four', 'five'].map(word => toWire(word))))
  })

  it('leaves what the handler does not ask for with the client', async () => {
    const size = 256 * 1024
    let asked = 0
    const door = Promise.withResolvers<void>()
    await using server = await openEcho({ maxBufferedBytes: 4 * size }, ({ message, messages }) => ({
      message: (async function* () {
        if (messages === undefined) yield message
        for await (const message of messages ?? none()) {
          asked += 1
          await door.promise
          yield message.subarray(0, 1)
        }
      })(),
    }))
    using session = openRaw(server.url)
    const stream = startRaw(session, { ':path': CHAT })
    // A server that took them all would hold more than it may.
    for (let n = 0; n < 30; n += 1) stream.write(toWire(Buffer.alloc(size)))
    await until(() => asked === 1)
    assert.equal((await server.client.call('/s/One', Buffer.of(1))).code, GRPC_CODES.OK)
    assert.equal(asked, 1)
    door.resolve()
    stream.end()
    const { body, trailers } = await seeRaw(stream)
    assert.deepEqual([trailers['grpc-status'], body.length], ['0', 180])
  })

  it('ends with what the handler throws, although the client sends on', async () => {
    await using server = await openEcho({}, ({ messages = none() }) => ({
      message: (async function* () {
        for await (const message of messages) {
          yield message
          throw new GrpcError('ABORTED', 'enough')
        }
      })(),
    }))
    const chat = server.client.converse(CHAT)
    chat.send(Buffer.from('a'))
    const { code, details, messages } = await chat.seen
    assert.deepEqual([code, details, text(messages)], [GRPC_CODES.ABORTED, 'enough', 'a'])
  })

  it('ends with OK where the handler has heard enough', async () => {
    await using server = await openEcho({}, ({ messages = none() }) => ({
      message: (async function* () {
        for await (const message of messages) return void (yield message)
      })(),
    }))
    const chat = server.client.converse(CHAT)
    chat.send(Buffer.from('a'))
    assert.deepEqual([(await chat.seen).code, text(chat.messages)], [GRPC_CODES.OK, 'a'])
  })

  const wrong: readonly [name: string, body: Uint8Array, status: string, text: RegExp][] = [
    ['an end within a message', toWire('abc').subarray(0, 6), '13', /before it was whole/],
    ['a first byte of 2', Buffer.of(2, 0, 0, 0, 0), '13', /first byte is 2/],
    ['a message beyond the limit', toWire(Buffer.alloc(101)), '8', /longer than the limit of 100/],
    ['what inflates beyond it', toWire(gzipSync(Buffer.alloc(5000)), true), '8', /more than the limit of 100/],
  ]
  for (const [name, body, status, words] of wrong)
    it(`answers ${name} with status ${status}, after the answers before it`, async () => {
      await using server = await openEcho({ maxMessageBytes: 100 })
      using session = openRaw(server.url)
      const stream = startRaw(session, { ':path': CHAT, 'grpc-encoding': 'gzip' })
      stream.end(Buffer.concat([toWire('good'), body]))
      const seen = await seeRaw(stream)
      assert.equal(seen.trailers['grpc-status'], status)
      assert.match(String(seen.trailers['grpc-message']), words)
    })

  it('ends a call whose client is silent: soon within a message, later between two', async () => {
    await using server = await openEcho({ requestTimeoutMs: 100, idleTimeoutMs: 400 })
    using session = openRaw(server.url)
    const within = startRaw(session, { ':path': CHAT })
    within.write(toWire('abc').subarray(0, 6))
    const between = startRaw(session, { ':path': CHAT })
    between.write(toWire('abc'))
    const [cut, left] = await Promise.all([seeRaw(within), seeRaw(between)])
    assert.deepEqual([cut.headers['grpc-status'] ?? cut.trailers['grpc-status']], ['4'])
    assert.deepEqual([left.trailers['grpc-status'], left.body.length], ['14', 8])
  })

  it('ends at the deadline of the client', async () => {
    await using server = await openEcho()
    const chat = server.client.converse(CHAT, { deadlineMs: 200 })
    chat.send(Buffer.from('a'))
    assert.equal((await chat.seen).code, GRPC_CODES.DEADLINE_EXCEEDED)
  })

  it('tells the handler that the client has left', async () => {
    const gone = Promise.withResolvers<void>()
    await using server = await openEcho({}, ({ messages = none(), signal }) => ({
      message: (async function* () {
        yield* messages
        // Its end may come before the word that it does not wait.
        await onceAborted(signal)
        gone.resolve()
      })(),
    }))
    const chat = server.client.converse(CHAT)
    chat.send(Buffer.from('a'))
    await until(() => chat.messages.length === 1)
    chat.cancel()
    await gone.promise
  })

  it('counts what it holds of all calls, and gives it back', async () => {
    await using server = await openEcho({ maxBufferedBytes: 1000 })
    for (let n = 0; n < 20; n += 1) {
      const chat = server.client.converse(CHAT)
      chat.send(Buffer.alloc(400))
      chat.send(Buffer.alloc(400))
      chat.end()
      assert.deepEqual([(await chat.seen).code, chat.messages.length], [GRPC_CODES.OK, 2])
    }
  })
})

import assert from 'node:assert/strict'
import { constants } from 'node:http2'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { FRAME, FrameClient, toCallHead, toData, toFrame, toWord } from '../http2/testing/frames.ts'
import { callRaw, openRaw, seeRaw, startRaw, toWire } from '../http2/testing/raw.ts'
import { onceAborted, until } from '../testing/wait.ts'
import { openGrpcChannel } from './client.node.ts'
import { GRPC_CODES, GrpcError, type GrpcHandler, type GrpcReply, type GrpcRequest } from './grpc.ts'
import { listenGrpc } from './server.node.ts'
import { openGrpcJs } from './testing/grpc-js.ts'
import { type ServeOptions, serveGrpc } from './testing/serve.ts'

const PATH = '/test.Echo/Say'
const listen = (handler: GrpcHandler, options: Partial<ServeOptions> = {}) =>
  serveGrpc(handler, { port: 0, ...options })

/** Something to wait for. */
function makeGate(): { open: () => void; opened: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { open: resolve, opened: promise }
}

describe('listenGrpc()', () => {
  it('carries path, message, metadata and deadline in, and message, metadata and trailers out', async () => {
    let seen: GrpcRequest | undefined
    await using server = await listen(request => {
      seen = request
      return {
        message: Buffer.from(`${Buffer.from(request.message)}!`),
        metadata: { 'x-head': 'h', 'x-bin': 'AQI' },
        trailers: { 'x-trail': 't' },
      }
    })
    using client = openGrpcJs(server.port)
    const before = Date.now()
    const sending = { metadata: { 'x-key': 'value', 'y-bin': 'AQIDBA==' }, deadlineMs: 5000 }
    const answer = await client.call(PATH, Buffer.from('hello'), sending)
    assert.equal(answer.code, GRPC_CODES.OK)
    assert.deepEqual(answer.messages.map(String), ['hello!'])
    assert.equal(answer.metadata['x-head'], 'h')
    assert.deepEqual(answer.metadata['x-bin'], Buffer.from([1, 2]))
    assert.deepEqual(answer.trailers, { 'x-trail': 't' })
    assert.equal(seen?.path, PATH)
    const { 'user-agent': agent, ...metadata } = seen?.metadata ?? {}
    assert.match(agent ?? '', /^grpc-node/)
    assert.deepEqual(
      { ...metadata, 'accept-encoding': undefined },
      { 'x-key': 'value', 'y-bin': 'AQIDBA==', 'accept-encoding': undefined },
    )
    assert.ok(Math.abs((seen?.deadlineAt ?? 0) - before - 5000) < 2000)
  })

  it('knows no deadline where the client tells none', async () => {
    let seen: GrpcRequest | undefined
    await using server = await listen(request => {
      seen = request
      return request
    })
    using session = openRaw(server.url)
    assert.equal((await callRaw(session, toWire('x'))).trailers['grpc-status'], '0')
    assert.equal(seen?.deadlineAt, undefined)
  })

  for (const bytes of [0, 1, 16_379, 16_384, 16_385, 70_000, 5_000_000])
    it(`echoes ${bytes} bytes`, async () => {
      await using server = await listen(({ message }) => ({ message }))
      using client = openGrpcJs(server.port)
      const message = Buffer.alloc(bytes, 'regatta')
      const answer = await client.call(PATH, message)
      assert.equal(answer.code, GRPC_CODES.OK)
      assert.ok(answer.messages[0]?.equals(message))
    })

  it('answers many calls at once, each with its own', async () => {
    await using server = await listen(async ({ message }) => {
      await sleep(message[0] ?? 0)
      return { message }
    })
    using client = openGrpcJs(server.port)
    const messages = Array.from({ length: 300 }, (_, i) => Buffer.from([i % 7, i >> 8, i & 255]))
    const answers = await Promise.all(messages.map(message => client.call(PATH, message)))
    assert.deepEqual(
      answers.map(answer => answer.messages[0]),
      messages,
    )
  })

  it('answers with the status, text and trailers of a GrpcError', async () => {
    await using server = await listen(() => {
      throw new GrpcError('NOT_FOUND', 'no “größe”: 100%\n', { trailers: { 'x-why': 'because' } })
    })
    using client = openGrpcJs(server.port)
    const { code, details, trailers } = await client.call(PATH, Buffer.from('x'))
    assert.deepEqual(
      { code, details, why: trailers['x-why'] },
      { code: 5, details: 'no “größe”: 100%\n', why: 'because' },
    )
    using session = openRaw(server.url)
    const raw = await callRaw(session, toWire('x'))
    assert.equal(raw.headers['grpc-status'], '5', 'in one block of headers, without a message')
    assert.deepEqual(raw.trailers, {})
  })

  const BUGS: readonly [string, GrpcHandler][] = [
    [
      'throws',
      () => {
        throw new Error('a secret')
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('a secret')
      },
    ],
    ['gives metadata that HTTP cannot carry', () => ({ message: Buffer.of(), metadata: { 'x y': '1' } })],
    ['gives trailers that HTTP cannot carry', () => ({ message: Buffer.of(), trailers: { x: '\n' } })],
    [
      'throws trailers that HTTP cannot carry',
      () => {
        throw new GrpcError('ABORTED', 'a secret', { trailers: { x: '\n' } })
      },
    ],
  ]
  for (const [name, handler] of BUGS)
    it(`answers UNKNOWN without a word where a handler ${name}, and tells onError`, async () => {
      const errors: unknown[] = []
      await using server = await listen(handler, { onError: error => errors.push(error) })
      using client = openGrpcJs(server.port)
      const { code, details } = await client.call(PATH, Buffer.from('x'))
      assert.deepEqual({ code, details }, { code: 2, details: 'Internal error; the server log has the details' })
      assert.equal(errors.length, 1)
    })

  it('aborts the signal of a call that is cancelled, and of no other', async () => {
    const signals: AbortSignal[] = []
    await using server = await listen(async ({ path, message, signal }) => {
      signals.push(signal)
      if (path === '/slow') await onceAborted(signal)
      return { message }
    })
    using client = openGrpcJs(server.port)
    await client.call(PATH, Buffer.from('x'))
    const slow = client.start('/slow', Buffer.from('x'))
    await until(() => signals.length === 2)
    slow.cancel()
    await until(() => signals[1]?.aborted === true)
    assert.equal(signals[0]?.aborted, false)
    assert.equal(signals[1]?.reason.status, 'CANCELLED')
    assert.equal((await slow.seen).code, GRPC_CODES.CANCELLED)
  })

  it('gives an aborted signal to a handler that asks for it too late', async () => {
    const gone = makeGate()
    let late: AbortSignal | undefined
    let entered = false
    await using server = await listen(async request => {
      if (request.path === '/other') return request
      entered = true
      await gone.opened
      late = request.signal
      return request
    })
    using session = openRaw(server.url)
    const stream = startRaw(session)
    stream.end(toWire('x'))
    await until(() => entered)
    stream.close(constants.NGHTTP2_CANCEL)
    // What comes after it on the same connection is read after it.
    await callRaw(session, toWire('y'), { ':path': '/other' })
    gone.open()
    await until(() => late !== undefined)
    assert.equal(late?.aborted, true)
  })

  it('does not run the handler for a client that leaves before the end of its request', async () => {
    let runs = 0
    await using server = await listen(request => {
      runs += 1
      return request
    })
    for (const code of [constants.NGHTTP2_CANCEL, constants.NGHTTP2_NO_ERROR]) {
      using client = new FrameClient(server.port)
      client.write(toCallHead(1), toData(1, toWire('x')))
      await sleep(50)
      client.write(toFrame(FRAME.reset, 1, toWord(code)), toCallHead(3), toData(3, toWire('y'), true))
      await until(() => client.frames.some(({ stream, type }) => stream === 3 && type === FRAME.data))
    }
    assert.equal(runs, 2)
  })

  it('does not run the handler for a client that leaves while its message is inflated', async () => {
    let runs = 0
    await using server = await listen(request => {
      runs += 1
      return request
    })
    using client = new FrameClient(server.port)
    const message = toWire(gzipSync(Buffer.alloc(10_000_000)), true)
    const toCall = (id: number): Buffer[] => [toCallHead(id, { 'grpc-encoding': 'gzip' }), toData(id, message, true)]
    // All of it comes at once: the first is left before anything can be inflated.
    client.write(...toCall(1), toFrame(FRAME.reset, 1, toWord(constants.NGHTTP2_CANCEL)), ...toCall(3))
    await until(() => client.frames.some(({ stream, type }) => stream === 3 && type === FRAME.headers))
    assert.equal(runs, 1)
  })

  it('answers DEADLINE_EXCEEDED when the deadline passes, and aborts the signal with it', async () => {
    let reason: unknown
    await using server = await listen(async ({ signal, message }) => {
      await onceAborted(signal)
      reason = signal.reason
      return { message }
    })
    using session = openRaw(server.url)
    const answer = await callRaw(session, toWire('x'), { 'grpc-timeout': '60m' })
    assert.equal(answer.headers['grpc-status'], '4')
    assert.equal((reason as GrpcError).status, 'DEADLINE_EXCEEDED')
  })

  it('takes the longest deadline there is', async () => {
    await using server = await listen(request => sleep(30, request))
    using session = openRaw(server.url)
    const answer = await callRaw(session, toWire('x'), { 'grpc-timeout': '99999999H' })
    assert.equal(answer.trailers['grpc-status'], '0')
  })

  for (const [name, algorithm] of [
    ['deflate', 1],
    ['gzip', 2],
  ] as const)
    it(`reads requests compressed with ${name}`, async () => {
      await using server = await listen(({ message }) => ({ message }))
      using client = openGrpcJs(server.port, { 'grpc.default_compression_algorithm': algorithm })
      const message = Buffer.alloc(200_000, 'regatta')
      const answer = await client.call(PATH, message)
      assert.ok(answer.messages[0]?.equals(message))
    })

  it('compresses long answers where told to, for clients that accept it', async () => {
    const message = Buffer.alloc(10_000, 'regatta')
    const handler: GrpcHandler = request => ({ message: request.message.byteLength === 1 ? message : Buffer.of(1) })
    await using server = await listen(handler, { compressFromBytes: 10_000 })
    await using plain = await listen(handler)
    using client = openGrpcJs(server.port)
    assert.ok((await client.call(PATH, Buffer.from('x'))).messages[0]?.equals(message))
    using session = openRaw(server.url)
    const accepting = { 'grpc-accept-encoding': 'identity, gzip' }
    const packed = await callRaw(session, toWire('x'), accepting)
    assert.equal(packed.headers['grpc-encoding'], 'gzip')
    assert.equal(packed.body[0], 1)
    assert.ok(gunzipSync(packed.body.subarray(5)).equals(message))
    assert.equal((await callRaw(session, toWire('xy'), accepting)).body[0], 0, 'a short answer')
    assert.equal((await callRaw(session, toWire('x'))).body[0], 0, 'a client that does not accept it')
    using other = openRaw(plain.url)
    assert.equal((await callRaw(other, toWire('x'), accepting)).body[0], 0, 'a server that was not told to')
  })

  it('asks admit() before the message is read, and tells it when the call is over', async () => {
    const events: string[] = []
    await using server = await listen(({ message }) => ({ message }), {
      admit: ({ path, metadata, deadlineAt }) => {
        events.push(`${path} ${metadata['x-key']} ${deadlineAt !== undefined}`)
        if (path === '/no') return new GrpcError('UNAVAILABLE', 'busy')
        return () => events.push('over')
      },
    })
    using client = openGrpcJs(server.port)
    await client.call('/yes', Buffer.from('x'), { metadata: { 'x-key': '1' } })
    await until(() => events.length === 2)
    const refused = await client.call('/no', Buffer.from('x'), { metadata: { 'x-key': '2' } })
    assert.deepEqual([refused.code, refused.details], [GRPC_CODES.UNAVAILABLE, 'busy'])
    using session = openRaw(server.url)
    // Without a message, and without an end.
    assert.equal((await seeRaw(startRaw(session, { ':path': '/no' }))).headers['grpc-status'], '14')
    assert.deepEqual(events, ['/yes 1 true', 'over', '/no 2 true', '/no undefined false'])
  })

  it('answers pings', async () => {
    await using server = await listen(request => request)
    using session = openRaw(server.url)
    const error = await new Promise(resolve => session.once('connect', () => session.ping(resolve)))
    assert.equal(error, null)
  })

  it('tells of a port in use', async () => {
    await using server = await listen(request => request)
    await assert.rejects(
      listen(request => request, { port: server.port }),
      { code: 'PORT_IN_USE' },
    )
  })

  for (const limits of [{ maxMessageBytes: 0 }, { requestTimeoutMs: 1.5 }, { maxSessions: -1 }])
    it(`refuses ${JSON.stringify(limits)}`, async () => {
      await assert.rejects(
        listen(request => request, limits),
        { code: 'GRPC_LIMITS' },
      )
    })
})

describe('listenGrpc(), an answer of many messages', () => {
  const toReply = (message: AsyncIterable<Uint8Array>, more: Partial<GrpcReply> = {}): GrpcReply => ({
    message,
    ...more,
  })

  it('sends them in order, then the trailers of then', async () => {
    let sent = 0
    await using server = await listen(() => {
      async function* count() {
        for (; sent < 500; sent++) yield Buffer.from(String(sent))
      }
      return toReply(count(), { metadata: { 'x-head': 'h' }, trailers: () => ({ 'x-sent': String(sent) }) })
    })
    using client = openGrpcJs(server.port)
    const answer = await client.call(PATH, Buffer.from('x'))
    assert.equal(answer.code, GRPC_CODES.OK)
    assert.deepEqual(
      answer.messages.map(String),
      Array.from({ length: 500 }, (_, i) => String(i)),
    )
    assert.equal(answer.metadata['x-head'], 'h')
    assert.equal(answer.trailers['x-sent'], '500')
  })

  it('sends each as soon as it is there', async () => {
    const gate = makeGate()
    await using server = await listen(() => {
      async function* two() {
        yield Buffer.from('first')
        await gate.opened
        yield Buffer.from('second')
      }
      return toReply(two())
    })
    using session = openRaw(server.url)
    const stream = startRaw(session)
    stream.end(toWire('x'))
    const first = await new Promise(resolve => stream.once('data', chunk => resolve(String(chunk.subarray(5)))))
    assert.equal(first, 'first')
    gate.open()
    assert.equal((await seeRaw(stream)).trailers['grpc-status'], '0')
  })

  const ENDS: readonly [string, unknown, string][] = [
    ['a GrpcError', new GrpcError('DATA_LOSS', 'gone', { trailers: { 'x-why': 'w' } }), '15'],
    ['a bug', new Error('a secret'), '2'],
  ]
  for (const [name, error, status] of ENDS)
    it(`ends with the status of ${name} after the messages before it`, async () => {
      await using server = await listen(() => {
        async function* fail() {
          yield Buffer.from('one')
          throw error
        }
        return toReply(fail())
      })
      using client = openGrpcJs(server.port)
      const answer = await client.call(PATH, Buffer.from('x'))
      assert.deepEqual([answer.messages.map(String), String(answer.code)], [['one'], status])
      assert.doesNotMatch(answer.details, /secret/)
    })

  it('waits for a client that does not read', async () => {
    let made = 0
    await using server = await listen(() => {
      async function* chunks() {
        for (; made < 100; ) {
          made += 1
          yield Buffer.alloc(100_000)
        }
      }
      return toReply(chunks())
    })
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    using session = openRaw(server.url)
    const stream = startRaw(session)
    stream.pause()
    stream.end(toWire('x'))
    await until(() => made > 0)
    await sleep(200)
    assert.ok(made < 10, `${made} were made`)
    const answer = await seeRaw(stream.resume())
    assert.equal(answer.body.byteLength, 100 * 100_005)
    assert.equal(answer.trailers['grpc-status'], '0')
    process.off('warning', onWarning)
    assert.deepEqual(warnings, [], 'no listener is left behind')
  })

  it('ends the iterable when the client leaves, while it is read and while it waits', async () => {
    for (const isWaiting of [false, true]) {
      let ended = false
      await using server = await listen(({ signal }) => {
        async function* forever() {
          try {
            for (;;) {
              yield Buffer.alloc(10)
              await (isWaiting ? onceAborted(signal) : sleep(1))
            }
          } finally {
            ended = true
          }
        }
        return toReply(forever())
      })
      using session = openRaw(server.url)
      const stream = startRaw(session)
      stream.end(toWire('x'))
      await new Promise(resolve => stream.once('data', resolve))
      stream.close(constants.NGHTTP2_CANCEL)
      await until(() => ended)
    }
  })

  it('ends an iterable that waits for something else, when the client leaves', async () => {
    let returned = 0
    const stuck: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: async () => {
          returned += 1
          return { done: true, value: undefined }
        },
      }),
    }
    await using server = await listen(() => toReply(stuck))
    using session = openRaw(server.url)
    const stream = startRaw(session)
    stream.end(toWire('x'))
    await new Promise(resolve => stream.once('response', resolve))
    stream.close(constants.NGHTTP2_CANCEL)
    await until(() => returned === 1)
  })

  it('ends with DEADLINE_EXCEEDED when the deadline passes between two messages', async () => {
    await using server = await listen(({ signal }) => {
      async function* one() {
        yield Buffer.from('one')
        await onceAborted(signal)
        yield Buffer.from('two')
      }
      return toReply(one())
    })
    using session = openRaw(server.url)
    const answer = await callRaw(session, toWire('x'), { 'grpc-timeout': '60m' })
    assert.equal(String(answer.body.subarray(5)), 'one')
    assert.equal(answer.trailers['grpc-status'], '4')
  })
})

describe('listenGrpc(), drain()', () => {
  it('answers what is in flight and refuses what comes later, without waiting for idle connections', async () => {
    const gate = makeGate()
    let entered = 0
    await using server = await listen(async ({ message }) => {
      entered += 1
      await gate.opened
      return { message }
    })
    using idle = openRaw(server.url)
    await new Promise(resolve => idle.once('connect', resolve))
    using client = openGrpcJs(server.port)
    const inFlight = client.call(PATH, Buffer.from('late'))
    await until(() => entered === 1)
    const started = Date.now()
    const drained = server.drain(10_000)
    await sleep(50)
    assert.equal((await client.call(PATH, Buffer.from('x'), { deadlineMs: 1000 })).code, GRPC_CODES.UNAVAILABLE)
    gate.open()
    assert.deepEqual((await inFlight).messages.map(String), ['late'])
    await drained
    assert.ok(Date.now() - started < 5000)
  })

  it('refuses a call that crosses its GOAWAY as never begun', async () => {
    let runs = 0
    await using server = await listen(({ message }) => {
      runs += 1
      return { message }
    })
    using session = openRaw(server.url)
    await callRaw(session, toWire('x'))
    const crossing = callRaw(session, toWire('y'))
    await server.drain(5000)
    assert.equal((await crossing).rstCode, constants.NGHTTP2_REFUSED_STREAM)
    assert.equal(runs, 1)
  })

  it('ends within its time where a call hangs', async () => {
    let signal: AbortSignal | undefined
    await using server = await listen(async request => {
      signal = request.signal
      return await new Promise<never>(() => {})
    })
    using client = openGrpcJs(server.port)
    const hanging = client.call(PATH, Buffer.from('x'))
    await until(() => signal !== undefined)
    const started = Date.now()
    await server.drain(100)
    assert.ok(Date.now() - started < 5000)
    assert.equal((await hanging).code, GRPC_CODES.UNAVAILABLE)
    await until(() => signal?.aborted === true)
  })
})

describe('listenGrpc(), what is loaded late', () => {
  const service = { handler: (request: GrpcRequest): GrpcReply => request }
  const ask = async (port: number): Promise<string> => {
    await using channel = openGrpcChannel(`127.0.0.1:${port}`)
    return (await channel.call('/s/m', {}, Buffer.from('x'))).status
  }

  it('is loaded once, for the first connections', async () => {
    let loads = 0
    const gate = makeGate()
    const load = async () => {
      loads += 1
      await gate.opened
      return service
    }
    await using server = await listenGrpc(load, { port: 0 })
    assert.equal(loads, 0)
    const asked = [ask(server.port), ask(server.port)]
    await until(() => loads > 0)
    gate.open()
    assert.deepEqual([...(await Promise.all(asked)), await ask(server.port), loads], ['OK', 'OK', 'OK', 1])
  })

  it('is loaded though nobody calls', async () => {
    let loads = 0
    const load = () => {
      loads += 1
      return service
    }
    await using _server = await listenGrpc(load, { port: 0 })
    await until(() => loads === 1)
  })

  it('is loaded again where it could not be, and the connection is closed', async () => {
    const errors: unknown[] = []
    let loads = 0
    const load = () => {
      loads += 1
      if (loads === 1) throw new Error('no such file')
      return service
    }
    await using server = await listenGrpc(load, { port: 0, onError: error => errors.push(error) })
    assert.equal(await ask(server.port), 'UNAVAILABLE')
    assert.match(String(errors), /no such file/)
    assert.equal(await ask(server.port), 'OK')
  })
})

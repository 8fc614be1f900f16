import assert from 'node:assert/strict'
import {
  constants,
  createServer as createHttp2,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Server as GrpcJsServer,
  Metadata,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { acceptFrames, FRAME, type FrameSocket, toData, toFrame, toHead, toWord } from '../http2/testing/frames.ts'
import { toWire } from '../http2/testing/raw.ts'
import { onceAborted, until } from '../testing/wait.ts'
import { type GrpcChannelOptions, openGrpcChannel } from './client.node.ts'
import { GrpcError, type GrpcHandler, type GrpcRequest } from './grpc.ts'
import type { GrpcResult, GrpcStreaming } from './result.ts'
import { type ServeOptions, serveGrpc } from './testing/serve.ts'

const PATH = '/test.Echo/Say'
const X = Buffer.from('x')
const listen = (handler: GrpcHandler, options: Partial<ServeOptions> = {}) =>
  serveGrpc(handler, { port: 0, ...options })
const open = ({ port }: { port: number }, options: GrpcChannelOptions = {}) =>
  openGrpcChannel(`127.0.0.1:${port}`, options)

/** A server of raw HTTP/2 streams, which may do what a gRPC server does not. */
async function listenRaw(onStream: (stream: ServerHttp2Stream, session: ServerHttp2Session) => void, settings = {}) {
  const server = createHttp2({ settings })
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', session => sessions.add(session))
  server.on('stream', stream => {
    stream.on('error', () => {})
    stream.resume()
    if (stream.session !== undefined) onStream(stream, stream.session as ServerHttp2Session)
  })
  const port = await listenTcp(server)
  return {
    port,
    sessions,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

async function listenTcp(server: Server | Http2Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const brief = ({ status, wasSent, isAnswer }: GrpcResult) => ({ status, wasSent, isAnswer })
const isResult = (from: GrpcStreaming | GrpcResult): from is GrpcResult => 'wasSent' in from

async function collect(from: GrpcStreaming | GrpcResult): Promise<string[]> {
  assert.ok(!isResult(from), 'an answer of many messages')
  const texts: string[] = []
  for await (const message of from.messages) texts.push(Buffer.from(message).toString())
  return texts
}

describe('GrpcChannel.call()', () => {
  it('carries path, metadata, deadline and message there, and message, metadata and trailers back', async () => {
    let seen: GrpcRequest | undefined
    await using server = await listen(request => {
      seen = request
      return { message: Buffer.from('back'), metadata: { 'x-head': 'h' }, trailers: { 'x-trail': 't' } }
    })
    await using channel = open(server)
    const metadata = { 'x-key': 'v', ':path': '/no', 'content-type': 'text/plain', 'grpc-timeout': '1n' }
    const result = await channel.call(PATH, metadata, Buffer.from('there'), { deadlineMs: 5000 })
    assert.deepEqual(
      { ...result, message: Buffer.from(result.message).toString() },
      {
        status: 'OK',
        statusText: '',
        message: 'back',
        metadata: { 'x-head': 'h' },
        trailers: { 'x-trail': 't' },
        wasSent: true,
        isAnswer: true,
      },
    )
    assert.equal(seen?.path, PATH)
    assert.deepEqual(seen?.metadata, { 'x-key': 'v' })
    assert.equal(Buffer.from(seen?.message ?? X).toString(), 'there')
    assert.ok(Math.abs((seen?.deadlineAt ?? 0) - Date.now() - 5000) < 2000)
  })

  it('gives the status, text and trailers of an error', async () => {
    await using server = await listen(() => {
      throw new GrpcError('NOT_FOUND', 'no “größe”', { trailers: { 'x-why': 'w' } })
    })
    await using channel = open(server)
    const result = await channel.call(PATH, {}, X)
    assert.deepEqual(brief(result), { status: 'NOT_FOUND', wasSent: true, isAnswer: true })
    assert.equal(result.statusText, 'no “größe”')
    assert.equal(result.trailers['x-why'], 'w')
  })

  for (const bytes of [0, 16_384, 3_000_000])
    it(`carries ${bytes} bytes each way`, async () => {
      await using server = await listen(({ message }) => ({ message }))
      await using channel = open(server)
      const message = Buffer.alloc(bytes, 'regatta')
      const result = await channel.call(PATH, {}, message)
      assert.ok(message.equals(result.message))
    })

  it('works with the server of another project', async () => {
    const identity = (bytes: Buffer): Buffer => bytes
    const server = new GrpcJsServer()
    const codec = {
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    }
    const service = {
      Say: { path: PATH, requestStream: false, responseStream: false, ...codec },
      Count: { path: '/test.Echo/Count', requestStream: false, responseStream: true, ...codec },
    }
    server.addService(service, {
      Say: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        const trailers = new Metadata()
        trailers.set('x-trail', 't')
        if (String(call.request) === 'fail') answer({ code: status.ABORTED, details: 'so be it', metadata: trailers })
        else answer(null, call.request, trailers)
      },
      Count: (call: ServerWritableStream<Buffer, Buffer>) => {
        for (const text of ['1', '2', '3']) call.write(Buffer.from(text))
        call.end()
      },
    })
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    )
    try {
      await using channel = open({ port })
      const result = await channel.call(PATH, {}, Buffer.from('hello'))
      assert.deepEqual([result.status, String(result.message), result.trailers['x-trail']], ['OK', 'hello', 't'])
      const failed = await channel.call(PATH, {}, Buffer.from('fail'))
      assert.deepEqual([failed.status, failed.statusText, failed.trailers['x-trail']], ['ABORTED', 'so be it', 't'])
      assert.deepEqual(await collect(await channel.stream('/test.Echo/Count', {}, X)), ['1', '2', '3'])
      assert.equal((await channel.call('/test.Echo/None', {}, X)).status, 'UNIMPLEMENTED')
    } finally {
      server.forceShutdown()
    }
  })

  it('gives up at its deadline and tells the server', async () => {
    let signal: AbortSignal | undefined
    await using server = await listen(async request => {
      if (request.path !== PATH) return request
      signal = request.signal
      await onceAborted(signal)
      return request
    })
    await using channel = open(server)
    // The deadline is not over before there is a connection.
    assert.equal((await channel.call('/test.Echo/First', {}, X)).status, 'OK')
    const result = await channel.call(PATH, {}, X, { deadlineMs: 100 })
    assert.equal(result.status, 'DEADLINE_EXCEEDED')
    assert.equal(result.wasSent, true)
    await until(() => signal?.aborted === true)
    assert.equal(channel.outstanding, 0)
  })

  it('takes the longest deadline there is', async () => {
    await using server = await listen(request => sleep(20, request))
    await using channel = open(server)
    assert.equal((await channel.call(PATH, {}, X, { deadlineMs: 1e13 })).status, 'OK')
  })

  it('is cancelled by its signal: before, in the queue and in flight', async () => {
    let signal: AbortSignal | undefined
    await using server = await listen(async request => {
      signal = request.signal
      await onceAborted(signal)
      return request
    })
    await using channel = open(server, { maxConcurrentStreams: 1 })
    assert.deepEqual(brief(await channel.call(PATH, {}, X, { signal: AbortSignal.abort() })), {
      status: 'CANCELLED',
      wasSent: false,
      isAnswer: false,
    })
    const leave = new AbortController()
    const flying = channel.call(PATH, {}, X, { signal: leave.signal })
    await until(() => signal !== undefined)
    const leaveQueue = new AbortController()
    const queued = channel.call(PATH, {}, X, { signal: leaveQueue.signal })
    assert.equal(channel.outstanding, 2)
    leaveQueue.abort()
    assert.deepEqual(brief(await queued), { status: 'CANCELLED', wasSent: false, isAnswer: false })
    leave.abort()
    assert.deepEqual(brief(await flying), { status: 'CANCELLED', wasSent: true, isAnswer: false })
    await until(() => signal?.aborted === true)
    assert.equal(channel.outstanding, 0)
  })

  it('gives up an answer beyond its limit at its prefix', async () => {
    await using server = await listen(() => ({ message: Buffer.alloc(1001) }))
    await using channel = open(server, { maxMessageBytes: 1000 })
    const result = await channel.call(PATH, {}, X)
    assert.equal(result.status, 'RESOURCE_EXHAUSTED')
    assert.match(result.statusText, /1001 bytes is longer than the limit of 1000/)
  })

  for (const [path, metadata] of [
    [PATH, { 'x y': '1' }],
    ['/a\n', {}],
  ] as const)
    it(`does not send ${JSON.stringify([path, metadata])}`, async () => {
      await using server = await listen(request => request)
      await using channel = open(server)
      const result = await channel.call(path, metadata, X)
      assert.equal(result.status, 'INTERNAL')
      assert.equal(result.wasSent, path !== PATH)
      assert.equal(channel.outstanding, 0)
    })
})

describe('GrpcChannel.call(), what the server does wrong', () => {
  const OK_HEAD = { ':status': 200, 'content-type': 'application/grpc' }
  const answer = (stream: ServerHttp2Stream, body: Buffer, trailers = {}): void => {
    stream.respond(OK_HEAD, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', ...trailers }))
    stream.end(body)
  }
  const page = (stream: ServerHttp2Stream, status: number): void => {
    stream.respond({ ':status': status, 'content-type': 'text/html' })
    stream.end('<html>')
  }
  const noTrailers = (stream: ServerHttp2Stream): void => {
    stream.respond(OK_HEAD)
    stream.end(toWire('a'))
  }
  const CASES: readonly [string, (stream: ServerHttp2Stream, session: ServerHttp2Session) => void, string, RegExp][] = [
    ['HTTP 503', stream => stream.respond({ ':status': 503 }, { endStream: true }), 'UNAVAILABLE', /HTTP 503/],
    ['HTTP 404 with a page', stream => page(stream, 404), 'UNIMPLEMENTED', /HTTP 404/],
    ['HTTP 418', stream => stream.respond({ ':status': 418 }, { endStream: true }), 'UNKNOWN', /HTTP 418/],
    ['a page', stream => page(stream, 200), 'UNKNOWN', /text\/html/],
    ['no message', stream => answer(stream, Buffer.of()), 'INTERNAL', /without a message/],
    ['two messages', stream => answer(stream, Buffer.concat([toWire('a'), toWire('b')])), 'INTERNAL', /more than one/],
    ['a message that is cut', stream => answer(stream, toWire('abc').subarray(0, 7)), 'INTERNAL', /within a message/],
    ['a compressed message', stream => answer(stream, toWire('abc', true)), 'INTERNAL', /without being asked/],
    ['an unknown status', stream => answer(stream, toWire('a'), { 'grpc-status': '99' }), 'UNKNOWN', /^$/],
    ['no trailers', noTrailers, 'INTERNAL', /code 0/],
    ['a reset with CANCEL', stream => stream.close(constants.NGHTTP2_CANCEL), 'CANCELLED', /code 8/],
    ['a reset with ENHANCE_YOUR_CALM', stream => stream.close(11), 'RESOURCE_EXHAUSTED', /code 11/],
    ['a reset with INTERNAL_ERROR', stream => stream.close(2), 'INTERNAL', /code 2/],
    ['the end of the connection', (_stream, session) => session.destroy(), 'UNAVAILABLE', /closed/],
    ['a GOAWAY with an error', (_stream, session) => session.goaway(11, 1), 'UNAVAILABLE', /code 11/],
  ]
  for (const [name, onStream, wanted, text] of CASES)
    it(`takes ${name} as ${wanted}, possibly begun`, async () => {
      await using server = await listenRaw(onStream)
      await using channel = open(server)
      const result = await channel.call(PATH, {}, X, { deadlineMs: 5000 })
      assert.equal(result.status, wanted)
      assert.match(result.statusText, text)
      assert.equal(result.wasSent, true)
      assert.equal(channel.outstanding, 0)
    })

  it('takes a refused stream as never begun', async () => {
    await using server = await listenRaw(stream => stream.close(constants.NGHTTP2_REFUSED_STREAM))
    await using channel = open(server)
    const result = await channel.call(PATH, {}, X, { deadlineMs: 5000 })
    assert.deepEqual(brief(result), { status: 'UNAVAILABLE', wasSent: false, isAnswer: false })
  })

  it('takes calls above the last stream of a GOAWAY as never begun, and answers those below', async () => {
    const streams: ServerHttp2Stream[] = []
    await using server = await listenRaw((stream, session) => {
      streams.push(stream)
      if (streams.length === 2) session.goaway(constants.NGHTTP2_NO_ERROR, 1)
    })
    await using channel = open(server)
    const [first, second] = [channel.call(PATH, {}, X), channel.call(PATH, {}, X)]
    assert.deepEqual(brief(await second), { status: 'UNAVAILABLE', wasSent: false, isAnswer: false })
    if (streams[0] !== undefined) answer(streams[0], toWire('a'))
    assert.equal((await first).status, 'OK')
  })

  it('takes a GOAWAY with an error the same way', async () => {
    let count = 0
    await using server = await listenRaw((_stream, session) => {
      count += 1
      if (count === 2) session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 1)
    })
    await using channel = open(server)
    const results = await Promise.all([channel.call(PATH, {}, X), channel.call(PATH, {}, X)])
    assert.deepEqual(
      results.map(result => [result.status, result.wasSent]),
      [
        ['UNAVAILABLE', true],
        ['UNAVAILABLE', false],
      ],
    )
    assert.match(results[0]?.statusText ?? '', /code 11/)
  })

  it('ends with a server that announces its end: what it has is answered, what it has not is never begun', async () => {
    const connections: FrameSocket[] = []
    const server = createServer(socket => connections.push(acceptFrames(socket)))
    const port = await listenTcp(server)
    try {
      await using channel = open({ port })
      const first = channel.call(PATH, {}, X)
      await until(() => connections[0]?.has(FRAME.data, 1) === true)
      // In the phase of timers: what is called now is sent after what has come is read.
      await sleep(10)
      // As grpc-go and grpc-core do it: a last stream of 2^31-1 refuses none that is on its way.
      connections[0]?.write(toFrame(FRAME.goaway, 0, Buffer.concat([toWord(2 ** 31 - 1), toWord(0)])))
      const crossing = await channel.call(PATH, {}, X, { deadlineMs: 5000 })
      assert.deepEqual(brief(crossing), { status: 'UNAVAILABLE', wasSent: false, isAnswer: false })
      assert.equal(connections[0]?.has(FRAME.headers, 3), false)
      const next = channel.call(PATH, {}, X, { deadlineMs: 100 })
      await until(() => connections.length === 2)
      assert.equal((await next).status, 'DEADLINE_EXCEEDED')
      const head = toHead(1, { ':status': '200', 'content-type': 'application/grpc' })
      connections[0]?.write(head, toData(1, toWire('a')), toHead(1, { 'grpc-status': '0' }, true))
      assert.equal((await first).status, 'OK')
    } finally {
      for (const connection of connections) connection[Symbol.dispose]()
      server.close()
    }
  })
})

/** A server of frames, which may break HTTP/2. */
async function listenFrames() {
  const connections: FrameSocket[] = []
  const server = createServer(socket => connections.push(acceptFrames(socket)))
  return {
    port: await listenTcp(server),
    connections,
    /** Waits for the call of a stream. */
    async take(at: number, stream: number): Promise<FrameSocket> {
      await until(() => connections[at]?.has(FRAME.data, stream) === true)
      return connections[at] ?? assert.fail()
    },
    [Symbol.dispose]() {
      for (const connection of connections) connection[Symbol.dispose]()
      server.close()
    },
  }
}

describe('GrpcChannel, a server that breaks HTTP/2', () => {
  const NOT_FOUND = { ':status': '200', 'content-type': 'application/grpc', 'grpc-status': '5' }

  it('loses the call whose answer is malformed, and no other of the connection', async () => {
    using server = await listenFrames()
    await using channel = open(server)
    const calls = [channel.call(PATH, {}, X), channel.call(PATH, {}, X)]
    const connection = await server.take(0, 3)
    connection.write(toHead(1, { 'content-type': 'application/grpc' }), toHead(3, NOT_FOUND, true))
    const [malformed, good] = await Promise.all(calls)
    assert.deepEqual([malformed?.status, malformed?.wasSent], ['INTERNAL', true])
    assert.match(malformed?.statusText ?? '', /no HTTP\/2: it was refused with HTTP\/2 code 1/)
    assert.equal(good?.status, 'NOT_FOUND')
    await until(() => connection.has(FRAME.reset, 1))
    assert.equal(server.connections.length, 1)
  })

  it('ends a connection on which the server pushes, and asks on another', async () => {
    using server = await listenFrames()
    await using channel = open(server)
    const call = channel.call(PATH, {}, X)
    const first = await server.take(0, 1)
    first.write(toFrame(5, 1, Buffer.concat([toWord(2), Buffer.of(0x83)]), 4))
    const lost = await call
    assert.deepEqual(brief(lost), { status: 'UNAVAILABLE', wasSent: true, isAnswer: false })
    assert.match(lost.statusText, /The server broke HTTP\/2: A push came/)
    const next = channel.call(PATH, {}, X)
    const second = await server.take(1, 1)
    second.write(toHead(1, NOT_FOUND, true))
    assert.equal((await next).status, 'NOT_FOUND')
    await until(() => first.isClosed)
    assert.equal(first.frames.find(({ type }) => type === FRAME.goaway)?.payload.readUInt32BE(4), 1)
  })

  it('says at the end of its messages that an answer is cut within one', async () => {
    using server = await listenFrames()
    await using channel = open(server)
    const call = channel.stream(PATH, {}, X)
    const connection = await server.take(0, 1)
    const head = toHead(1, { ':status': '200', 'content-type': 'application/grpc' })
    const body = Buffer.concat([toWire('a'), toWire('bcd').subarray(0, 6)])
    connection.write(head, toData(1, body), toHead(1, { 'grpc-status': '0' }, true))
    const streaming = await call
    assert.ok(!isResult(streaming))
    await until(() => channel.outstanding === 0)
    const seen: string[] = []
    await assert.rejects(
      async () => {
        for await (const message of streaming.messages) seen.push(String(message))
      },
      { status: 'INTERNAL', message: /ended within a message/ },
    )
    assert.deepEqual(seen, ['a'])
  })
})

describe('GrpcChannel, connections', () => {
  it('fails at once where nobody listens, as never sent, and works as soon as somebody does', async () => {
    const server = await listen(request => request)
    const { port } = server
    await server[Symbol.asyncDispose]()
    await using channel = openGrpcChannel(`127.0.0.1:${port}`)
    const results = await Promise.all(Array.from({ length: 5 }, () => channel.call(PATH, {}, X)))
    for (const result of results) {
      assert.deepEqual(brief(result), { status: 'UNAVAILABLE', wasSent: false, isAnswer: false })
      assert.match(result.statusText, /Cannot connect to 127\.0\.0\.1:\d+: .*ECONNREFUSED/)
    }
    await using _again = await serveGrpc(request => request, { port })
    assert.equal((await channel.call(PATH, {}, X)).status, 'OK')
  })

  it('fails where no HTTP/2 server answers in time, as never sent', async () => {
    const server = createServer(socket => socket.resume())
    const port = await listenTcp(server)
    try {
      await using channel = open({ port }, { connectTimeoutMs: 100 })
      const result = await channel.call(PATH, {}, X)
      assert.deepEqual(brief(result), { status: 'UNAVAILABLE', wasSent: false, isAnswer: false })
      assert.match(result.statusText, /within 100 ms/)
    } finally {
      server.close()
    }
  })

  it('fails at a server of HTTP/1, as never sent', async () => {
    const server = createServer(socket => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const port = await listenTcp(server)
    try {
      await using channel = open({ port })
      assert.deepEqual(brief(await channel.call(PATH, {}, X)), {
        status: 'UNAVAILABLE',
        wasSent: false,
        isAnswer: false,
      })
    } finally {
      server.close()
    }
  })

  it('loses no call where its server drains and another takes its place', async () => {
    const runs: string[] = []
    const serve = async (port = 0) =>
      await serveGrpc(
        async ({ message }) => {
          runs.push(Buffer.from(message).toString())
          await sleep(1)
          return { message }
        },
        { port },
      )
    let server = await serve()
    await using channel = open(server)
    let isOver = false
    const caller = async (name: string): Promise<number> => {
      let calls = 0
      for (; !isOver; calls++) {
        const message = Buffer.from(`${name}-${calls}`)
        let result = await channel.call(PATH, {}, message)
        while (result.status !== 'OK') {
          assert.equal(result.wasSent, false, `${result.status} ${result.statusText}`)
          await sleep(1)
          result = await channel.call(PATH, {}, message)
        }
      }
      return calls
    }
    const callers = Array.from({ length: 8 }, (_, i) => caller(String(i)))
    for (let i = 1; i <= 5; i++) {
      await until(() => runs.length >= 20 * i)
      await server.drain(5000)
      server = await serve(server.port)
    }
    isOver = true
    const total = (await Promise.all(callers)).reduce((sum, calls) => sum + calls, 0)
    await server[Symbol.asyncDispose]()
    assert.equal(runs.length, total, 'each ran once')
    assert.equal(new Set(runs).size, total)
  })

  it('keeps to the limit of the server, and queues the rest in order', async () => {
    let [running, most] = [0, 0]
    const seen: string[] = []
    await using server = await listen(
      async ({ message }) => {
        running += 1
        most = Math.max(most, running)
        seen.push(Buffer.from(message).toString())
        await sleep(5)
        running -= 1
        return { message }
      },
      { maxConcurrentStreams: 3 },
    )
    await using channel = open(server)
    const texts = Array.from({ length: 20 }, (_, i) => String(i))
    const results = await Promise.all(texts.map(text => channel.call(PATH, {}, Buffer.from(text))))
    assert.ok(results.every(result => result.status === 'OK'))
    assert.equal(most, 3)
    assert.deepEqual(seen, texts)
  })

  it('keeps to its own limit, over as many connections as it may', async () => {
    let [running, most] = [0, 0]
    let sessions = 0
    await using server = await listenRaw(stream => {
      running += 1
      most = Math.max(most, running)
      setTimeout(() => {
        running -= 1
        stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' }, { endStream: true })
      }, 20)
    })
    await using channel = open(server, { maxConcurrentStreams: 2, maxSessions: 3 })
    await Promise.all(Array.from({ length: 30 }, () => channel.call(PATH, {}, X)))
    sessions = server.sessions.size
    assert.deepEqual({ most, sessions }, { most: 6, sessions: 3 })
  })

  it('refuses calls beyond its queue, as never sent', async () => {
    await using server = await listen(request => sleep(100, request))
    await using channel = open(server, { maxConcurrentStreams: 1, maxQueued: 2 })
    await channel.call(PATH, {}, X)
    const calls = Array.from({ length: 4 }, () => channel.call(PATH, {}, X))
    assert.equal(channel.outstanding, 3)
    assert.deepEqual(brief((await calls[3]) as GrpcResult), {
      status: 'RESOURCE_EXHAUSTED',
      wasSent: false,
      isAnswer: false,
    })
    assert.deepEqual(
      (await Promise.all(calls)).map(({ status }) => status),
      ['OK', 'OK', 'OK', 'RESOURCE_EXHAUSTED'],
    )
  })

  it('sends what waits over a new connection where the old one breaks', async () => {
    const connections: FrameSocket[] = []
    const server = createServer(socket => connections.push(acceptFrames(socket)))
    const port = await listenTcp(server)
    try {
      await using channel = open({ port }, { maxConcurrentStreams: 1 })
      const [first, second] = [channel.call(PATH, {}, X), channel.call(PATH, {}, X)]
      await until(() => connections[0]?.has(FRAME.data, 1) === true)
      connections[0]?.socket.resetAndDestroy()
      assert.deepEqual(brief(await first), { status: 'UNAVAILABLE', wasSent: true, isAnswer: false })
      await until(() => connections[1]?.has(FRAME.data, 1) === true)
      const head = { ':status': '200', 'content-type': 'application/grpc', 'grpc-status': '5' }
      connections[1]?.write(toHead(1, head, true))
      assert.deepEqual(brief(await second), { status: 'NOT_FOUND', wasSent: true, isAnswer: true })
    } finally {
      for (const connection of connections) connection[Symbol.dispose]()
      server.close()
    }
  })

  it('lets a deadline run while a call waits', async () => {
    await using server = await listen(request => sleep(300, request), { maxConcurrentStreams: 1 })
    await using channel = open(server)
    const first = channel.call(PATH, {}, X)
    const second = await channel.call(PATH, {}, X, { deadlineMs: 50 })
    assert.deepEqual(brief(second), { status: 'DEADLINE_EXCEEDED', wasSent: false, isAnswer: false })
    assert.equal((await first).status, 'OK')
  })

  it('opens another connection where a server has gone silent', async () => {
    let isSilent = false
    await using server = await listenRaw(stream => {
      if (!isSilent)
        stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true })
    })
    await using channel = open(server)
    assert.equal((await channel.call(PATH, {}, X)).status, 'NOT_FOUND')
    isSilent = true
    assert.equal((await channel.call(PATH, {}, X, { deadlineMs: 100 })).status, 'DEADLINE_EXCEEDED')
    isSilent = false
    assert.equal((await channel.call(PATH, {}, X)).status, 'NOT_FOUND')
    assert.equal(server.sessions.size, 2)
    const [first] = server.sessions
    await until(() => first?.destroyed === true)
  })

  it('keeps a connection on which others are answered', async () => {
    await using server = await listenRaw(stream => {
      if (stream.id === 1) return
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true })
    })
    await using channel = open(server)
    const slow = channel.call(PATH, {}, X, { deadlineMs: 150 })
    await sleep(50)
    assert.equal((await channel.call(PATH, {}, X)).status, 'NOT_FOUND')
    assert.equal((await slow).status, 'DEADLINE_EXCEEDED')
    assert.equal((await channel.call(PATH, {}, X)).status, 'NOT_FOUND')
    assert.equal(server.sessions.size, 1)
  })

  it('closes when its calls are over, and takes no more', async () => {
    await using server = await listen(request => sleep(100, request))
    const channel = open(server)
    const flying = channel.call(PATH, {}, X)
    const closed = channel.close(5000)
    const late = await channel.call(PATH, {}, X)
    assert.deepEqual(brief(late), { status: 'UNAVAILABLE', wasSent: false, isAnswer: false })
    assert.equal((await flying).status, 'OK')
    await closed
    assert.equal(channel.outstanding, 0)
  })

  it('breaks calls that do not end in time when it closes', async () => {
    let entered = 0
    await using server = await listen(async () => {
      entered += 1
      return await new Promise<never>(() => {})
    })
    const channel = open(server, { maxConcurrentStreams: 1 })
    const calls = [channel.call(PATH, {}, X), channel.call(PATH, {}, X)]
    await until(() => entered === 1)
    await channel.close(50)
    const [flying, queued] = await Promise.all(calls)
    assert.deepEqual([flying?.status, flying?.wasSent], ['UNAVAILABLE', true])
    assert.deepEqual([queued?.status, queued?.wasSent], ['UNAVAILABLE', false])
    assert.equal(channel.outstanding, 0)
  })
})

describe('GrpcChannel.stream()', () => {
  it('gives metadata, then messages, then trailers', async () => {
    await using server = await listen(() => {
      async function* three() {
        for (const text of ['a', 'b', 'c']) yield Buffer.from(text)
      }
      return { message: three(), metadata: { 'x-head': 'h' }, trailers: { 'x-trail': 't' } }
    })
    await using channel = open(server)
    const streaming = await channel.stream(PATH, {}, X)
    assert.ok(!isResult(streaming))
    assert.deepEqual(streaming.metadata, { 'x-head': 'h' })
    assert.deepEqual(await collect(streaming), ['a', 'b', 'c'])
    assert.equal(streaming.trailers()['x-trail'], 't')
    assert.equal(channel.outstanding, 0)
  })

  it('gives a result where no message comes', async () => {
    await using server = await listen(() => {
      throw new GrpcError('PERMISSION_DENIED', 'no')
    })
    await using channel = open(server)
    const result = await channel.stream(PATH, {}, X)
    assert.ok(isResult(result))
    assert.deepEqual(brief(result), { status: 'PERMISSION_DENIED', wasSent: true, isAnswer: true })
  })

  it('ends with the error of the server after the messages before it', async () => {
    await using server = await listen(() => {
      async function* fail() {
        yield Buffer.from('a')
        throw new GrpcError('DATA_LOSS', 'gone', { trailers: { 'x-why': 'w' } })
      }
      return { message: fail() }
    })
    await using channel = open(server)
    const streaming = await channel.stream(PATH, {}, X)
    assert.ok(!isResult(streaming))
    const seen: string[] = []
    const reading = async () => {
      for await (const message of streaming.messages) seen.push(Buffer.from(message).toString())
    }
    await assert.rejects(reading(), { status: 'DATA_LOSS', message: 'gone', trailers: { 'x-why': 'w' } })
    assert.deepEqual(seen, ['a'])
  })

  it('waits for a reader that is slow', async () => {
    let made = 0
    await using server = await listen(() => {
      async function* chunks() {
        while (made < 100) {
          made += 1
          yield Buffer.alloc(100_000)
        }
      }
      return { message: chunks() }
    })
    await using channel = open(server)
    const streaming = await channel.stream(PATH, {}, X)
    await sleep(300)
    assert.ok(made < 40, `${made} were made`)
    assert.equal((await collect(streaming)).length, 100)
  })

  it('cancels the call when its reader leaves, is cancelled or is too late', async () => {
    for (const how of ['leave', 'abort', 'deadline', 'too-long'] as const) {
      let ended = false
      await using server = await listen(() => {
        async function* forever() {
          try {
            for (let i = 0; ; i++) {
              yield Buffer.alloc(how === 'too-long' && i > 3 ? 2000 : 10)
              await sleep(1)
            }
          } finally {
            ended = true
          }
        }
        return { message: forever() }
      })
      await using channel = open(server, { maxMessageBytes: 1000 })
      const leave = new AbortController()
      const bounds = how === 'deadline' ? { deadlineMs: 100 } : { signal: leave.signal }
      const streaming = await channel.stream(PATH, {}, X, bounds)
      assert.ok(!isResult(streaming))
      let count = 0
      const reading = async () => {
        for await (const _ of streaming.messages) {
          count += 1
          if (count === 3 && how === 'leave') break
          if (count === 3 && how === 'abort') leave.abort()
        }
      }
      const STATUSES = { abort: 'CANCELLED', deadline: 'DEADLINE_EXCEEDED', 'too-long': 'RESOURCE_EXHAUSTED' }
      if (how === 'leave') await reading()
      else await assert.rejects(reading(), { status: STATUSES[how] })
      await until(() => ended)
      assert.equal(channel.outstanding, 0)
    }
  })

  it('ends with UNAVAILABLE where the connection breaks', async () => {
    await using server = await listenRaw((stream, session) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.write(toWire('a'))
      setTimeout(() => session.destroy(), 50)
    })
    await using channel = open(server)
    const streaming = await channel.stream(PATH, {}, X)
    await assert.rejects(collect(streaming), { status: 'UNAVAILABLE' })
  })

  it('passes a stream through a gateway, status and trailers included', async () => {
    await using server = await listen(({ message }) => {
      async function* echo() {
        for (let i = 0; i < 3; i++) yield message
        if (message.byteLength > 1) throw new GrpcError('ABORTED', 'half', { trailers: { 'x-trail': 'error' } })
      }
      return { message: echo(), trailers: { 'x-trail': 'fine' } }
    })
    await using inner = open(server)
    await using gateway = await listen(async ({ path, metadata, message, signal }) => {
      const streaming = await inner.stream(path, metadata, message, { signal })
      if (isResult(streaming)) throw new GrpcError('UNKNOWN', 'no stream')
      return { message: streaming.messages, metadata: streaming.metadata, trailers: streaming.trailers }
    })
    await using channel = open(gateway)
    const fine = await channel.stream(PATH, {}, X)
    assert.deepEqual(await collect(fine), ['x', 'x', 'x'])
    assert.ok(!isResult(fine))
    assert.equal(fine.trailers()['x-trail'], 'fine')
    const half = await channel.stream(PATH, {}, Buffer.from('xy'))
    await assert.rejects(collect(half), { status: 'ABORTED', message: 'half', trailers: { 'x-trail': 'error' } })
  })
})

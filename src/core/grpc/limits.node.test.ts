import assert from 'node:assert/strict'
import { constants, type OutgoingHttpHeaders } from 'node:http2'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { FRAME, FrameClient, toCallHead, toData, toFrame, toWord } from '../http2/testing/frames.ts'
import { callRaw, openRaw, seeRaw, startRaw, toWire } from '../http2/testing/raw.ts'
import { until } from '../testing/wait.ts'
import { GrpcError, type GrpcHandler } from './grpc.ts'
import { type ServeOptions, serveGrpc } from './testing/serve.ts'

const echo: GrpcHandler = ({ message }) => ({ message })
const listen = (options: Partial<ServeOptions> = {}, handler = echo) => serveGrpc(handler, { port: 0, ...options })

/** A handler whose calls wait until they are let go. */
function makeHeld() {
  const { promise, resolve } = Promise.withResolvers<void>()
  let held = 0
  const handler: GrpcHandler = async ({ message }) => {
    held += 1
    await promise
    return { message }
  }
  return { handler, letGo: resolve, count: () => held }
}

describe('listenGrpc(), what is not a call with one message', () => {
  const x = toWire('x')
  const CASES: readonly [string, OutgoingHttpHeaders, Uint8Array | undefined, string, RegExp?][] = [
    ['no message', {}, undefined, '13', /takes one message, but none came/],
    ['two messages', {}, Buffer.concat([x, x]), '13', /takes one message, but more came/],
    ['a message without its end', {}, toWire('abc').subarray(0, 7), '13', /before it was whole/],
    ['a prefix without its end', {}, x.subarray(0, 3), '13', /before it was whole/],
    ['a message and a bit of another', {}, Buffer.concat([x, x.subarray(0, 2)]), '13', /before it was whole/],
    ['a first byte of 2', {}, Buffer.of(2, 0, 0, 0, 0), '13', /first byte is 2/],
    ['a compressed message of no encoding', {}, toWire('x', true), '13', /without a grpc-encoding/],
    [
      'a compressed message of identity',
      { 'grpc-encoding': 'identity' },
      toWire('x', true),
      '13',
      /without a grpc-enc/,
    ],
    ['gzip that is none', { 'grpc-encoding': 'gzip' }, toWire('x', true), '13', /Cannot inflate/],
    [
      'gzip that is cut',
      { 'grpc-encoding': 'gzip' },
      toWire(gzipSync('abc').subarray(0, 15), true),
      '13',
      /Cannot inflate/,
    ],
    ['an unknown encoding', { 'grpc-encoding': 'snappy' }, x, '12', /"snappy": expected identity,gzip,deflate/],
    ['an encoding named like a method', { 'grpc-encoding': 'toString' }, x, '12', /"toString"/],
    ['a timeout that is none', { 'grpc-timeout': '5' }, x, '13', /grpc-timeout "5"/],
    ['an encoding that is not used', { 'grpc-encoding': 'gzip' }, x, '0'],
    ['content-type application/grpc+proto', { 'content-type': 'application/grpc+proto' }, x, '0'],
    ['content-type application/grpc;x', { 'content-type': 'application/grpc;x' }, x, '0'],
    ['te: trailers', { te: 'trailers' }, x, '0'],
  ]
  for (const [name, headers, body, status, text] of CASES)
    it(`answers ${name} with status ${status}`, async () => {
      await using server = await listen()
      using session = openRaw(server.url)
      const answer = await callRaw(session, body, headers)
      const ends = { ...answer.headers, ...answer.trailers }
      assert.equal(ends['grpc-status'], status)
      assert.match(decodeURIComponent(String(ends['grpc-message'] ?? '')), text ?? /^$/)
      if (status === '12') assert.equal(ends['grpc-accept-encoding'], 'identity,gzip,deflate')
      assert.equal((await callRaw(session, x)).trailers['grpc-status'], '0', 'the connection is still good')
    })

  const HTTP: readonly [string, OutgoingHttpHeaders, number][] = [
    ['GET', { ':method': 'GET' }, 405],
    ['HEAD', { ':method': 'HEAD' }, 405],
    ['content-type application/json', { 'content-type': 'application/json' }, 415],
    ['content-type application/grpc-web', { 'content-type': 'application/grpc-web' }, 415],
    ['no content-type', { 'content-type': undefined }, 415],
  ]
  for (const [name, headers, status] of HTTP)
    it(`answers ${name} with HTTP ${status}`, async () => {
      await using server = await listen()
      using session = openRaw(server.url)
      // Without an end: the answer does not wait for it.
      const answer = await seeRaw(startRaw(session, headers))
      assert.equal(answer.status, status)
      assert.equal(answer.headers['grpc-status'], undefined)
    })
})

describe('listenGrpc(), the size of messages', () => {
  it('refuses a message beyond the limit at its prefix, and takes one at the limit', async () => {
    let runs = 0
    await using server = await listen({ maxMessageBytes: 1000 }, request => {
      runs += 1
      return request
    })
    using session = openRaw(server.url)
    assert.equal((await callRaw(session, toWire(Buffer.alloc(1000)))).trailers['grpc-status'], '0')
    const stream = startRaw(session)
    stream.write(toWire(Buffer.alloc(1001)).subarray(0, 5))
    const answer = await seeRaw(stream)
    assert.equal(answer.headers['grpc-status'], '8')
    assert.match(String(answer.headers['grpc-message']), /1001 bytes is longer than the limit of 1000 bytes/)
    assert.equal(answer.rstCode, constants.NGHTTP2_NO_ERROR)
    assert.equal(runs, 1)
  })

  it('does not run the handler for a message that was refused, whatever comes after it', async () => {
    let runs = 0
    await using server = await listen({ maxMessageBytes: 10 }, request => {
      runs += 1
      return request
    })
    using client = new FrameClient(server.port)
    client.write(toCallHead(1), toData(1, toWire(Buffer.alloc(11))), toData(1, toWire('x'), true), toCallHead(3))
    client.write(toData(3, toWire('y'), true))
    await until(() => client.has(FRAME.data, 3))
    assert.equal(runs, 1)
  })

  it('refuses a message that inflates beyond the limit, and takes one at the limit', async () => {
    await using server = await listen({ maxMessageBytes: 1_000_000 })
    using session = openRaw(server.url)
    const call = async (bytes: number) =>
      await callRaw(session, toWire(gzipSync(Buffer.alloc(bytes)), true), { 'grpc-encoding': 'gzip' })
    assert.equal((await call(1_000_000)).trailers['grpc-status'], '0')
    const refused = await call(1_000_001)
    assert.equal(refused.headers['grpc-status'], '8')
    assert.match(String(refused.headers['grpc-message']), /inflates to more than the limit of 1000000 bytes/)
  })

  it('refuses calls while others hold as many bytes as it keeps, sent or inflated, and takes them afterwards', async () => {
    const held = makeHeld()
    await using server = await listen({ maxBufferedBytes: 300_000 }, held.handler)
    using session = openRaw(server.url)
    const first = callRaw(session, toWire(Buffer.alloc(100_000)))
    await until(() => held.count() === 1)
    const long = await callRaw(session, toWire(Buffer.alloc(250_000)))
    assert.equal(long.headers['grpc-status'], '8')
    assert.match(String(long.headers['grpc-message']), /more than the limit of 300000 bytes/)
    const bomb = toWire(gzipSync(Buffer.alloc(250_000)), true)
    assert.equal((await callRaw(session, bomb, { 'grpc-encoding': 'gzip' })).headers['grpc-status'], '8')
    const second = callRaw(session, toWire(Buffer.alloc(150_000)))
    await until(() => held.count() === 2)
    held.letGo()
    for (const answer of await Promise.all([first, second])) assert.equal(answer.trailers['grpc-status'], '0')
    // Nothing is held any more.
    assert.equal((await callRaw(session, toWire(Buffer.alloc(140_000)))).trailers['grpc-status'], '0')
  })

  it('counts an answer until the client has taken it', async () => {
    const reply = { message: Buffer.alloc(200_000) }
    await using server = await listen({ maxBufferedBytes: 100_000 }, ({ path, message }) =>
      path === '/big' ? reply : { message },
    )
    using client = new FrameClient(server.port)
    client.write(toCallHead(1, { ':path': '/big' }), toData(1, toWire('x'), true))
    await until(() => client.frames.some(({ type }) => type === FRAME.data))
    using session = openRaw(server.url)
    // Without a message: a call is refused before it is read.
    assert.equal((await seeRaw(startRaw(session))).headers['grpc-status'], '8')
    // Windows for the rest, of the stream and of the connection.
    client.write(toFrame(FRAME.windowUpdate, 1, toWord(500_000)), toFrame(FRAME.windowUpdate, 0, toWord(500_000)))
    await until(() => client.frames.filter(({ type }) => type === FRAME.headers).length === 2)
    await sleep(20)
    assert.equal((await callRaw(session, toWire('x'))).trailers['grpc-status'], '0')
  })
})

describe('listenGrpc(), one connection', () => {
  it('takes calls while another waits for its client to take a long answer', async () => {
    const long = Buffer.alloc(30_000_000)
    await using server = await listen({}, ({ path, message }) => ({ message: path === '/long' ? long : message }))
    using session = openRaw(server.url)
    const stream = startRaw(session, { ':path': '/long' })
    stream.end(toWire('x'))
    await new Promise(resolve => stream.once('response', resolve))
    for (let i = 0; i < 3; i++) assert.equal((await callRaw(session, toWire('x'))).trailers['grpc-status'], '0')
    assert.equal((await seeRaw(stream)).body.byteLength, 30_000_005)
  })
})

describe('listenGrpc(), time', () => {
  it('answers DEADLINE_EXCEEDED where a message does not arrive in time, and only then', async () => {
    await using server = await listen({ requestTimeoutMs: 150 })
    using session = openRaw(server.url)
    const slow = startRaw(session)
    slow.write(toWire('abc').subarray(0, 6))
    const answer = await seeRaw(slow)
    assert.equal(answer.headers['grpc-status'], '4')
    assert.match(String(answer.headers['grpc-message']), /did not arrive within 150 ms/)
    await using patient = await listen({ requestTimeoutMs: 20_000 })
    using other = openRaw(patient.url)
    const quick = startRaw(other)
    quick.write(toWire('abc').subarray(0, 6))
    await sleep(75)
    quick.end(toWire('abc').subarray(6))
    assert.equal((await seeRaw(quick)).trailers['grpc-status'], '0')
  })

  it('lets a handler work longer than that', async () => {
    await using server = await listen({ requestTimeoutMs: 100 }, request => sleep(400, request))
    using session = openRaw(server.url)
    assert.equal((await callRaw(session, toWire('x'))).trailers['grpc-status'], '0')
  })

  it('lets an iterable wait longer than that', async () => {
    async function* slow() {
      // More than fits into a window: the client takes it, in a while.
      yield Buffer.alloc(100_000)
      await sleep(1200)
      yield Buffer.from('two')
    }
    await using server = await listen({ requestTimeoutMs: 1000 }, () => ({ message: slow() }))
    using session = openRaw(server.url)
    assert.equal((await callRaw(session, toWire('x'))).trailers['grpc-status'], '0')
  })

  const ANSWERS: readonly [string, () => Uint8Array | AsyncIterable<Uint8Array>][] = [
    ['an answer', () => Buffer.alloc(1_000_000)],
    [
      'one of many messages',
      async function* () {
        for (;;) yield Buffer.alloc(1_000_000)
      },
    ],
  ]
  for (const [name, toMessage] of ANSWERS)
    it(`gives up a call whose client does not take ${name} in time`, async () => {
      let over = 0
      let signal: AbortSignal | undefined
      const options = { requestTimeoutMs: 150, admit: () => () => void over++ }
      await using server = await listen(options, async request => {
        signal = request.signal
        await sleep(200)
        return { message: toMessage() }
      })
      using client = new FrameClient(server.port)
      client.write(toCallHead(1), toData(1, toWire('x'), true))
      await until(() => client.frames.some(({ type }) => type === FRAME.reset))
      const reset = client.frames.find(({ type }) => type === FRAME.reset)
      assert.equal(reset?.payload.readUInt32BE(), constants.NGHTTP2_CANCEL)
      await until(() => over === 1)
      if (name !== 'an answer') assert.equal(signal?.aborted, true)
    })

  it('gives up a call whose client reads nothing at all', async () => {
    let over = 0
    const options = { requestTimeoutMs: 150, admit: () => () => void over++ }
    await using server = await listen(options, () => ({ message: Buffer.alloc(30_000_000) }))
    // A window of 2^31-1 bytes (SETTINGS_INITIAL_WINDOW_SIZE) that is not read.
    using client = new FrameClient(server.port, Buffer.of(0, 4, 0x7f, 0xff, 0xff, 0xff))
    client.write(toFrame(FRAME.windowUpdate, 0, toWord(2 ** 31 - 1 - 65_535)))
    client.socket.pause()
    client.write(toCallHead(1), toData(1, toWire('x'), true))
    await until(() => over === 1)
  })

  it('ends a connection without a call sooner than one between two calls, and none with a call', async () => {
    const held = makeHeld()
    await using server = await listen({ requestTimeoutMs: 500, idleTimeoutMs: 1000 }, held.handler)
    using silent = new FrameClient(server.port)
    using used = openRaw(server.url)
    using busy = openRaw(server.url)
    const startedAt = Date.now()
    const endedAt = new Map<string, number>()
    silent.socket.once('close', () => endedAt.set('silent', Date.now() - startedAt))
    used.once('close', () => endedAt.set('used', Date.now() - startedAt))
    const stream = startRaw(used)
    stream.once('ready', () => stream.close(constants.NGHTTP2_CANCEL))
    const lasting = callRaw(busy, toWire('x'))
    await until(() => endedAt.size === 2)
    const [first = 0, second = 0] = [endedAt.get('silent'), endedAt.get('used')]
    assert.ok(first >= 490 && second >= 990, `${first} ms and ${second} ms`)
    await sleep(500)
    held.letGo()
    assert.equal((await lasting).trailers['grpc-status'], '0')
    await until(() => busy.destroyed)
  })

  it('ends a connection that says nothing at all', async () => {
    await using server = await listen({ requestTimeoutMs: 100 })
    const socket = connect(server.port)
    socket.resume()
    await new Promise(resolve => socket.once('close', resolve))
  })

  it('ends a connection whose client takes no answers', async () => {
    await using server = await listen({ requestTimeoutMs: 100, idleTimeoutMs: 300 })
    // No window at all: SETTINGS_INITIAL_WINDOW_SIZE (4) of 0.
    using client = new FrameClient(server.port, Buffer.of(0, 4, 0, 0, 0, 0))
    client.write(toCallHead(1), toData(1, toWire('x'), true))
    await until(() => client.isClosed)
  })
})

describe('listenGrpc(), floods', () => {
  it('refuses calls beyond the limit of a connection as never begun', async () => {
    const held = makeHeld()
    await using server = await listen({ maxConcurrentStreams: 3 }, held.handler)
    using client = new FrameClient(server.port)
    for (const id of [1, 3, 5, 7]) client.write(toCallHead(id), toData(id, toWire('x'), true))
    await until(() => client.frames.some(({ type }) => type === FRAME.reset))
    const resets = client.frames.filter(({ type }) => type === FRAME.reset)
    assert.deepEqual(
      resets.map(({ stream, payload }) => [stream, payload.readUInt32BE()]),
      [[7, constants.NGHTTP2_REFUSED_STREAM]],
    )
    assert.equal(held.count(), 3)
    held.letGo()
  })

  it('closes connections beyond the limit, and takes another when one has gone', async () => {
    await using server = await listen({ maxSessions: 2 })
    const open = (): FrameClient => new FrameClient(server.port)
    using first = open()
    using second = open()
    await until(() => first.frames.length > 0 && second.frames.length > 0)
    using third = open()
    await until(() => third.isClosed)
    first[Symbol.dispose]()
    await sleep(50)
    using fourth = open()
    await until(() => fourth.frames.length > 0)
    assert.equal(second.isClosed, false)
  })

  it('refuses metadata beyond the limit, and takes it below', async () => {
    await using server = await listen({ maxHeaderListBytes: 2000 })
    using session = openRaw(server.url)
    const call = async (bytes: number) => await callRaw(session, toWire('x'), { 'x-key': 'v'.repeat(bytes) })
    assert.equal((await call(1000)).trailers['grpc-status'], '0')
    const refused = await call(2000)
    assert.equal(refused.status, undefined)
    assert.equal(refused.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM)
    assert.equal((await call(1000)).trailers['grpc-status'], '0')
  })

  it('ends a connection that resets its calls faster than allowed', async () => {
    let begun = 0
    const admit = () => {
      begun += 1
      return () => {}
    }
    await using server = await listen({ maxResetsPerSecond: 10, admit })
    using client = new FrameClient(server.port)
    for (let id = 1; id < 20_000; id += 2) client.write(toCallHead(id), toFrame(FRAME.reset, id, toWord(8)))
    await until(() => client.isClosed)
    // Those that came with one read of the socket (64 KiB, 600 calls) are begun before the connection ends.
    assert.ok(begun < 900, `${begun} calls were begun`)
  })

  it('lets a connection reset a call now and then', async () => {
    await using server = await listen({ maxResetsPerSecond: 10 })
    using client = new FrameClient(server.port)
    for (let id = 1; id < 21; id += 2) client.write(toCallHead(id), toFrame(FRAME.reset, id, toWord(8)))
    client.write(toCallHead(101), toData(101, toWire('x'), true))
    await until(() => client.has(FRAME.data, 101))
  })

  const FLOODS: readonly [string, Buffer][] = [
    ['settings', toFrame(FRAME.settings, 0)],
    ['pings', toFrame(FRAME.ping, 0, Buffer.alloc(8))],
  ]
  for (const [name, frame] of FLOODS)
    it(`ends a connection that floods it with ${name} and reads no answer`, async () => {
      await using server = await listen()
      using client = new FrameClient(server.port)
      client.socket.pause()
      const flood = Buffer.concat(Array.from({ length: 10_000 }, () => frame))
      let broken = false
      client.socket.once('error', () => {
        broken = true
      })
      for (let sent = 0; sent < 1000 && !broken; sent++)
        await new Promise(resolve => client.socket.write(flood, resolve))
      assert.equal(broken, true)
    })

  it('ends a connection that keeps sending what is not HTTP/2', async () => {
    await using server = await listen()
    using client = new FrameClient(server.port)
    // Names in capitals are malformed (RFC 9113, section 8.2.1).
    for (let id = 1; id < 4000; id += 2) client.write(toCallHead(id, { 'X-Capital': '1' }))
    await until(() => client.isClosed)
  })

  it('lives on after calls that are refused and reset at once', async () => {
    await using server = await listen({ admit: () => new GrpcError('UNAVAILABLE', 'no') })
    using client = new FrameClient(server.port)
    const heads = [{}, { ':method': 'GET' }, { 'grpc-timeout': 'x' }].map((headers, i) =>
      toCallHead(1 + 2 * i, headers),
    )
    client.write(...heads.flatMap((head, i) => [head, toFrame(FRAME.reset, 1 + 2 * i, toWord(8))]), toCallHead(7))
    await until(() => client.has(FRAME.headers, 7))
  })

  it('answers others meanwhile', async () => {
    await using server = await listen({ maxSessions: 3 })
    using bad = new FrameClient(server.port)
    bad.write(Buffer.alloc(100_000, 0xff))
    using session = openRaw(server.url)
    assert.equal((await callRaw(session, toWire('x'))).trailers['grpc-status'], '0')
    await until(() => bad.isClosed)
  })
})

describe('listenGrpc(), admit()', () => {
  it('is told once that a call is over, however it ends', async () => {
    let open = 0
    const admit = () => {
      open += 1
      return () => {
        open -= 1
      }
    }
    await using server = await listen({ maxMessageBytes: 10, requestTimeoutMs: 100, admit }, ({ message }) => {
      if (message.byteLength === 2) throw new GrpcError('ABORTED', '')
      return { message }
    })
    using session = openRaw(server.url)
    const calls = [toWire('a'), toWire('ab'), toWire('x'.repeat(11)), undefined].map(body => callRaw(session, body))
    const late = seeRaw(startRaw(session))
    const left = startRaw(session)
    left.once('ready', () => left.close(constants.NGHTTP2_CANCEL))
    await Promise.all([...calls, late, seeRaw(left)])
    await until(() => open === 0)
    await sleep(20)
    assert.equal(open, 0)
  })
})

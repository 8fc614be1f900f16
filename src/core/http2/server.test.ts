import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { H2_CODES } from './errors.ts'
import { FLAG, FRAME, type H2Frame, PREFACE, toFrameBytes, toWordFrame } from './frames.ts'
import { HpackDecoder } from './hpack-decoder.ts'
import { encodeHpack } from './hpack-encoder.ts'
import { type H2Limits, H2Server } from './server.ts'
import type { H2Stream } from './stream.ts'
import {
  NOTHING,
  REQUEST,
  readFrames,
  repeat,
  toBodyBytes,
  toCall,
  toData,
  toHeaders,
  toNames,
  toSetting,
} from './testing/wire.ts'

const LIMITS: H2Limits = { maxConcurrentStreams: 3, maxHeaderListBytes: 4000, maxResetsPerSecond: 10 }

/** A connection whose peer has said hello. */
function open(limits: Partial<H2Limits> = {}, isHeld = false) {
  const streams = new Map<number, H2Stream>()
  const events: string[] = []
  const server = new H2Server({
    limits: { ...LIMITS, ...limits },
    onOutput() {},
    onRequest(stream) {
      streams.set(stream.id, stream)
      stream.listen({
        onHead() {},
        onData(bytes) {
          events.push(`${stream.id} ${bytes.length}`)
          if (!isHeld) stream.giveBack(bytes.length)
        },
        onTrailers: fields => events.push(`${stream.id} ${Object.keys(fields)}`),
        onEnd: () => events.push(`${stream.id} end`),
        onDrain: () => events.push(`${stream.id} drain`),
        onClose: () => events.push(`${stream.id} close`),
      })
    },
  })
  const { connection } = server
  /** What has become ready. */
  const take = (): readonly H2Frame[] => {
    const frames = readFrames(Buffer.concat(connection.outbox.take()))
    connection.outbox.setFlowing(true)
    return frames
  }
  server.start()
  connection.receive(Buffer.concat([PREFACE, toFrameBytes(FRAME.settings, 0, 0, NOTHING)]), 0)
  const hello = take()
  return {
    connection,
    events,
    hello,
    take,
    /** Takes all that becomes ready until nothing more does. */
    takeAll(): readonly H2Frame[] {
      const all: H2Frame[] = []
      for (let frames = take(); frames.length > 0; frames = take()) all.push(...frames)
      return all
    },
    receive: (bytes: Buffer, nowMs = 0) => connection.receive(bytes, nowMs),
    answer(id: number, bytes: number, fields: Readonly<Record<string, string>> = { ':status': '200' }): boolean {
      const parts = [
        { kind: 'block', bytes: encodeHpack(fields) },
        { kind: 'data', bytes: Buffer.alloc(bytes) },
        { kind: 'block', bytes: encodeHpack({ end: '1' }) },
      ] as const
      return streams.get(id)?.send(parts, true) ?? assert.fail()
    },
    stream: (id: number): H2Stream => streams.get(id) ?? assert.fail(),
  }
}

describe('H2Server', () => {
  it('says what it allows, and acknowledges what its peer allows', () => {
    const { hello } = open()
    assert.deepEqual(toNames(hello), ['settings 0', 'windowUpdate 0', 'settings 0'])
    assert.equal(hello[0]?.payload.toString('hex'), '000300000003000400100000000600000fa0')
    assert.equal(hello[2]?.flags, FLAG.ack)
  })

  it('tells of a request, sends its answer, and forgets it', () => {
    const { connection, receive, events, answer, takeAll } = open()
    receive(toCall(1))
    assert.equal(connection.streams, 1)
    assert.equal(answer(1, 5), true)
    assert.deepEqual(events, ['1 10', '1 end', '1 close'])
    assert.deepEqual(toNames(takeAll()), ['headers 1', 'data 1', 'headers 1'])
    assert.equal(connection.streams, 0)
  })

  it('resets no request that has no body', () => {
    const { receive, answer, takeAll } = open()
    receive(toHeaders(1, FLAG.endHeaders | FLAG.endStream))
    answer(1, 5)
    assert.deepEqual(toNames(takeAll()), ['headers 1', 'data 1', 'headers 1'])
  })

  it('resets what still comes of a request that is answered, and takes what was on its way', () => {
    const { connection, receive, answer, takeAll } = open()
    receive(Buffer.concat([toHeaders(1), toData(1, 10)]))
    answer(1, 5)
    assert.deepEqual(toNames(takeAll()), ['headers 1', 'data 1', 'headers 1', 'reset 1 0'])
    receive(Buffer.concat([toData(1, 10), toHeaders(1, FLAG.endHeaders | FLAG.endStream, { x: 'y' })]))
    assert.throws(() => receive(toData(1, 10)), { code: 'STREAM_CLOSED' })
    assert.equal(connection.streams, 0)
  })

  const END: readonly [name: string, bytes: Buffer, code: keyof typeof H2_CODES][] = [
    ['DATA of a request that has ended', Buffer.concat([toCall(1), toData(1, 1)]), 'STREAM_CLOSED'],
    ['DATA of no request', toData(5, 1), 'PROTOCOL_ERROR'],
    ['HEADERS of a request that has ended', Buffer.concat([toCall(1), toHeaders(1)]), 'STREAM_CLOSED'],
    ['a reset of no request', toWordFrame(FRAME.reset, 1, 8), 'PROTOCOL_ERROR'],
    ['a window of no request', toWordFrame(FRAME.windowUpdate, 1, 8), 'PROTOCOL_ERROR'],
    [
      'a reset of what a server would begin',
      Buffer.concat([toCall(3), toWordFrame(FRAME.reset, 2, 8)]),
      'PROTOCOL_ERROR',
    ],
    ['a short goaway', toFrameBytes(FRAME.goaway, 0, 0, Buffer.alloc(7)), 'FRAME_SIZE_ERROR'],
    ['an even stream', toHeaders(2), 'PROTOCOL_ERROR'],
    ['a continuation of nothing', toFrameBytes(FRAME.continuation, 4, 1, NOTHING), 'PROTOCOL_ERROR'],
    ['a ping within a block', Buffer.concat([toHeaders(1, 0), toWordFrame(FRAME.ping, 0, 0)]), 'PROTOCOL_ERROR'],
    ['a push', toFrameBytes(FRAME.pushPromise, 4, 1, Buffer.alloc(4)), 'PROTOCOL_ERROR'],
    ['a block that is no HPACK', toFrameBytes(FRAME.headers, 4, 1, Buffer.of(0x80)), 'COMPRESSION_ERROR'],
    ['more padding than frame', toFrameBytes(FRAME.data, FLAG.padded, 1, Buffer.of(5, 1)), 'PROTOCOL_ERROR'],
    ['a window beyond its range', toWordFrame(FRAME.windowUpdate, 0, 0x7fffffff), 'FLOW_CONTROL_ERROR'],
    ['a short ping', toFrameBytes(FRAME.ping, 0, 0, Buffer.alloc(7)), 'FRAME_SIZE_ERROR'],
  ]
  for (const [name, bytes, code] of END)
    it(`ends with ${code} at ${name}`, () => assert.throws(() => open().receive(bytes), { name: 'H2Error', code }))

  it('ends where the first frame is an answer to settings', () => {
    const ack = toFrameBytes(FRAME.settings, FLAG.ack, 0, NOTHING)
    const { connection } = new H2Server({ limits: LIMITS, onOutput() {}, onRequest() {} })
    assert.throws(() => connection.receive(Buffer.concat([PREFACE, ack]), 0), { code: 'PROTOCOL_ERROR' })
  })

  it('ends where the first frame is not of settings', () => {
    const { connection } = new H2Server({ limits: LIMITS, onOutput() {}, onRequest() {} })
    assert.throws(() => connection.receive(Buffer.concat([PREFACE, toCall(1)]), 0), { code: 'PROTOCOL_ERROR' })
  })

  const RESET: readonly [name: string, bytes: Buffer, code: keyof typeof H2_CODES][] = [
    ['malformed head', toHeaders(1, FLAG.endHeaders, { ...REQUEST, 'X-Big': '1' }), 'PROTOCOL_ERROR'],
    ['head beyond the limit', toHeaders(1, FLAG.endHeaders, { ...REQUEST, x: 'y'.repeat(4000) }), 'ENHANCE_YOUR_CALM'],
    [
      'body longer than was said',
      Buffer.concat([toHeaders(1, FLAG.endHeaders, { ...REQUEST, 'content-length': '3' }), toData(1, 4)]),
      'PROTOCOL_ERROR',
    ],
    [
      'body shorter than was said',
      Buffer.concat([
        toHeaders(1, FLAG.endHeaders, { ...REQUEST, 'content-length': '3' }),
        toData(1, 2, FLAG.endStream),
      ]),
      'PROTOCOL_ERROR',
    ],
    ['second head', Buffer.concat([toHeaders(1), toHeaders(1, FLAG.endHeaders, { x: 'y' })]), 'PROTOCOL_ERROR'],
    [
      'window that grows by nothing',
      Buffer.concat([toHeaders(1), toWordFrame(FRAME.windowUpdate, 1, 0)]),
      'PROTOCOL_ERROR',
    ],
  ]
  for (const [name, bytes, code] of RESET)
    it(`resets a request with ${code} at a ${name}, and takes others`, () => {
      const { receive, take, connection } = open()
      receive(Buffer.concat([bytes, toCall(3)]))
      assert.deepEqual(toNames(take()), [`reset 1 ${H2_CODES[code]}`])
      assert.equal(connection.streams, 1)
    })

  it('refuses requests beyond the limit, and after it has said that it goes', () => {
    const { receive, takeAll, connection, answer } = open()
    receive(repeat(4, at => toCall(2 * at + 1)))
    assert.deepEqual(toNames(takeAll()), ['reset 7 7'])
    connection.goAway('NO_ERROR')
    const [goaway] = takeAll()
    assert.equal(goaway?.payload.readUInt32BE(), 7)
    receive(toCall(9))
    assert.deepEqual([connection.streams, connection.isOver], [3, false])
    for (const id of [1, 3, 5]) answer(id, 1)
    assert.equal(connection.isOver, true)
  })
})

describe('H2Server, windows', () => {
  it('sends no more than the windows of stream and connection hold, and goes on when they grow', () => {
    const { receive, answer, takeAll, connection } = open()
    receive(Buffer.concat([toCall(1), toCall(3)]))
    assert.equal(answer(1, 100_000), false)
    assert.equal(answer(3, 10), false)
    const first = takeAll()
    assert.deepEqual([toBodyBytes(first, 1), toBodyBytes(first, 3)], [65_535, 0])
    assert.ok(first.every(({ payload }) => payload.length <= 16_384))
    receive(toWordFrame(FRAME.windowUpdate, 0, 1000))
    const second = takeAll()
    assert.deepEqual([toBodyBytes(second, 1), toBodyBytes(second, 3)], [0, 10], 'the window of 1 is used up')
    receive(Buffer.concat([toWordFrame(FRAME.windowUpdate, 1, 100_000), toWordFrame(FRAME.windowUpdate, 0, 100_000)]))
    assert.equal(toBodyBytes(takeAll(), 1), 100_000 - 65_535)
    assert.equal(connection.streams, 0)
  })

  it('follows the initial window of its peer, also below nothing', () => {
    const { receive, answer, takeAll } = open()
    receive(Buffer.concat([toSetting(4, 100), toCall(1)]))
    answer(1, 250)
    assert.equal(toBodyBytes(takeAll(), 1), 100)
    receive(toSetting(4, 10))
    assert.equal(toBodyBytes(takeAll(), 1), 0)
    receive(toSetting(4, 150))
    assert.equal(toBodyBytes(takeAll(), 1), 50)
    receive(toWordFrame(FRAME.windowUpdate, 1, 1000))
    assert.equal(toBodyBytes(takeAll(), 1), 100)
  })

  it('shares what there is among those that send', () => {
    const { receive, answer, takeAll } = open()
    receive(Buffer.concat([toCall(1), toCall(3), toSetting(4, 1_000_000)]))
    answer(1, 100_000)
    answer(3, 100_000)
    takeAll()
    receive(toWordFrame(FRAME.windowUpdate, 0, 4 * 16_384))
    const frames = takeAll()
    assert.deepEqual([toBodyBytes(frames, 1), toBodyBytes(frames, 3)], [2 * 16_384, 2 * 16_384])
  })

  it('lets a short answer pass many long ones', () => {
    const { receive, answer, take } = open({ maxConcurrentStreams: 50 })
    receive(Buffer.concat([toSetting(4, 0x7fffffff), toWordFrame(FRAME.windowUpdate, 0, 0x7fff0000)]))
    receive(repeat(41, at => toCall(2 * at + 1)))
    take()
    for (let at = 0; at < 40; at += 1) answer(2 * at + 1, 1_000_000)
    assert.equal(answer(81, 10), false)
    let turns = 0
    while (toBodyBytes(take(), 81) === 0) turns += 1
    assert.ok(turns < 6, `${turns} turns`)
  })

  it('sends no frame so long that others wait, whatever its peer takes', () => {
    const { receive, answer, takeAll } = open()
    receive(Buffer.concat([toSetting(4, 0x7fffffff), toSetting(5, 2 ** 24 - 1), toCall(1)]))
    receive(toWordFrame(FRAME.windowUpdate, 0, 0x7fff0000))
    answer(1, 1_000_000)
    assert.equal(Math.max(...takeAll().map(({ payload }) => payload.length)), 64 * 1024)
  })

  it('gives the windows back as bytes are used, and takes no more than they hold', () => {
    const { receive, take, stream } = open({}, true)
    receive(toHeaders(1))
    receive(repeat(64, () => toData(1, 16_384)))
    assert.deepEqual(take(), [])
    stream(1).giveBack(600_000)
    assert.deepEqual(toNames(take()), ['windowUpdate 1'])
    receive(repeat(36, () => toData(1, 16_384)))
    receive(toData(1, 16_384))
    assert.deepEqual(toNames(take()), ['reset 1 3'])
  })

  it('takes bodies of other requests while one is not read', () => {
    const { receive, take, events } = open({}, true)
    receive(Buffer.concat([toHeaders(1), toHeaders(3)]))
    receive(repeat(60, () => toData(1, 16_384)))
    receive(Buffer.concat([toData(3, 10, FLAG.endStream)]))
    assert.deepEqual(events.slice(-2), ['3 10', '3 end'])
    assert.deepEqual(take(), [])
  })

  it('counts what nobody reads of all requests together, and goes on when it is read or its request ends', () => {
    const { receive, take, stream } = open({ maxConcurrentStreams: 50 }, true)
    const full = 2 ** 20
    receive(repeat(32, at => toHeaders(2 * at + 1)))
    for (let at = 0; at < 32; at += 1) receive(repeat(64, () => toData(2 * at + 1, 16_384)))
    assert.deepEqual(take(), [])
    for (let at = 0; at < 15; at += 1) stream(2 * at + 1).giveBack(full)
    take()
    receive(toWordFrame(FRAME.reset, 31, 8))
    const [given] = take()
    assert.deepEqual([given?.stream, given?.payload.readUInt32BE()], [0, 16 * full])
    receive(Buffer.concat([toHeaders(65), repeat(64, () => toData(65, 16_384))]))
    for (let at = 0; at < 15; at += 1) receive(repeat(64, () => toData(2 * at + 1, 16_384)))
    receive(toHeaders(67))
    assert.throws(() => receive(toData(67, 1)), { code: 'FLOW_CONTROL_ERROR' })
  })

  it('sends a head that is longer than a frame in several', () => {
    const { receive, answer, takeAll } = open()
    receive(toCall(1))
    answer(1, 1, { ':status': '200', x: 'y'.repeat(40_000) })
    const frames = takeAll()
    assert.deepEqual(toNames(frames).slice(0, 4), ['headers 1', 'continuation 1', 'continuation 1', 'data 1'])
    assert.deepEqual(
      frames.slice(0, 3).map(({ flags }) => flags & FLAG.endHeaders),
      [0, 0, FLAG.endHeaders],
    )
    const block = Buffer.concat(frames.slice(0, 3).map(({ payload }) => payload))
    assert.equal(new HpackDecoder(50_000).decode(block).fields[1]?.value.length, 40_000)
  })

  it('makes no more ready than is taken, and tells who waits when it is', () => {
    const { receive, answer, take, connection, events } = open()
    receive(Buffer.concat([toSetting(4, 0x7fffffff), toWordFrame(FRAME.windowUpdate, 0, 0x7fff0000), toCall(1)]))
    take()
    answer(1, 10_000_000)
    assert.ok(toBodyBytes(take(), 1) < 300_000)
    connection.outbox.take()
    connection.outbox.setFlowing(false)
    receive(toCall(3))
    assert.equal(answer(3, 10), false)
    connection.outbox.setFlowing(true)
    assert.equal(toBodyBytes(take(), 3), 10)
    assert.equal(events.at(-1), '3 close')
  })
})

describe('H2Server, floods', () => {
  const FLOODS: readonly [name: string, bytes: Buffer][] = [
    ['pings', repeat(10_010, () => toFrameBytes(FRAME.ping, 0, 0, Buffer.alloc(8)))],
    ['answers to no ping', repeat(10_010, () => toFrameBytes(FRAME.ping, FLAG.ack, 0, Buffer.alloc(8)))],
    ['settings', repeat(10_010, () => toFrameBytes(FRAME.settings, 0, 0, NOTHING))],
    ['priorities', repeat(10_010, () => toFrameBytes(FRAME.priority, 0, 1, Buffer.alloc(5)))],
    ['unknown frames', repeat(10_010, () => toFrameBytes(99, 0, 0, NOTHING))],
    ['bodies of nothing', Buffer.concat([toHeaders(1), repeat(10_010, () => toData(1, 0))])],
    [
      'padding alone',
      Buffer.concat([toHeaders(1), repeat(10_010, () => toFrameBytes(FRAME.data, FLAG.padded, 1, Buffer.of(1, 0)))]),
    ],
    [
      'continuations',
      Buffer.concat([toHeaders(1, 0), repeat(10, () => toFrameBytes(FRAME.continuation, 0, 1, NOTHING))]),
    ],
    ['resets', repeat(21, at => Buffer.concat([toHeaders(2 * at + 1), toWordFrame(FRAME.reset, 2 * at + 1, 8)]))],
    ['malformed heads', repeat(1001, at => toHeaders(2 * at + 1, FLAG.endHeaders, { x: 'y' }))],
  ]
  for (const [name, bytes] of FLOODS)
    it(`ends a connection that sends too many ${name}`, () =>
      assert.throws(() => open().receive(bytes), { code: 'ENHANCE_YOUR_CALM' }))

  it('lets as many come in time', () => {
    const { receive } = open()
    for (let second = 0; second < 30; second += 1)
      receive(
        repeat(10, at => {
          const id = 20 * second + 2 * at + 1
          return Buffer.concat([toHeaders(id), toWordFrame(FRAME.reset, id, 8)])
        }),
        1000 * second,
      )
  })

  it('lets a ping come with each request', () => {
    const { receive, answer, take } = open()
    for (let at = 0; at < 20_000; at += 1) {
      receive(Buffer.concat([toCall(2 * at + 1), toFrameBytes(FRAME.ping, 0, 0, Buffer.alloc(8))]))
      answer(2 * at + 1, 1)
      take()
    }
  })

  it('ends a connection that takes no answer to its pings', () => {
    const { receive, connection } = open()
    connection.outbox.setFlowing(false)
    const bytes = repeat(1001, () => toFrameBytes(FRAME.ping, 0, 0, Buffer.alloc(8)))
    assert.throws(() => receive(bytes), { code: 'ENHANCE_YOUR_CALM' })
  })

  it('keeps its table right through heads that it does not take', () => {
    const { receive, take, connection } = open({ maxHeaderListBytes: 200 })
    const entering = Buffer.from('40017a7f21', 'hex')
    const first = Buffer.concat([encodeHpack(REQUEST), entering, Buffer.alloc(160, 'a')])
    receive(toFrameBytes(FRAME.headers, FLAG.endHeaders, 1, first))
    // 0xbe is the field that entered: 9 KB of them.
    receive(toFrameBytes(FRAME.headers, FLAG.endHeaders, 3, Buffer.alloc(9000, 0xbe)))
    receive(toCall(5))
    assert.deepEqual(toNames(take()), ['reset 1 11', 'reset 3 11'])
    assert.equal(connection.streams, 1)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { H2Client } from './client.ts'
import type { H2_CODES } from './errors.ts'
import { FLAG, FRAME, type H2Frame, PREFACE, toFrameBytes, toWordFrame } from './frames.ts'
import { encodeHpack } from './hpack-encoder.ts'
import type { H2Part, H2Reset, H2Stream } from './stream.ts'
import {
  NOTHING,
  REQUEST,
  readFrames,
  repeat,
  toBodyBytes,
  toData,
  toHeaders,
  toNames,
  toSetting,
} from './testing/wire.ts'

const OK = { ':status': '200', 'content-type': 'x' }
const END = { 'grpc-status': '0' }
const ENDING = FLAG.endHeaders | FLAG.endStream
const SETTINGS = toFrameBytes(FRAME.settings, 0, 0, NOTHING)
const toGoAway = (lastId: number, code = 0): Buffer =>
  toFrameBytes(FRAME.goaway, 0, 0, Buffer.concat([toWord(lastId), toWord(code)]))
const toWord = (value: number): Buffer => {
  const word = Buffer.alloc(4)
  word.writeUInt32BE(value)
  return word
}
const toHead = (id: number, fields: Readonly<Record<string, string>> = OK, flags: number = FLAG.endHeaders) =>
  toHeaders(id, flags, fields)
const toAnswer = (id: number, bytes = 5): Buffer =>
  Buffer.concat([toHead(id), toData(id, bytes), toHead(id, END, ENDING)])

interface OpenOptions {
  readonly requests?: number
  readonly bodyBytes?: number
  readonly isHeld?: boolean
  readonly firstId?: number
}

/** A connection whose server has said hello, and which has asked. */
function open({ requests = 1, bodyBytes = 10, isHeld = false, firstId = 1 }: OpenOptions = {}) {
  const events: string[] = []
  const streams = new Map<number, H2Stream>()
  const client = new H2Client(
    {
      maxHeaderListBytes: 4000,
      onOutput() {},
      onSettings: () => events.push(`room ${client.room}`),
      onGoAway: code => events.push(`goaway ${code}`),
    },
    firstId,
  )
  const { connection } = client
  const take = (): readonly H2Frame[] => {
    const frames = readFrames(Buffer.concat(connection.outbox.take()))
    connection.outbox.setFlowing(true)
    return frames
  }
  const ask = (): H2Stream => {
    const parts: readonly H2Part[] = [
      { kind: 'block', bytes: encodeHpack(REQUEST) },
      { kind: 'data', bytes: Buffer.alloc(bodyBytes) },
    ]
    const stream: H2Stream = client.request({
      onHead: headers => events.push(`${stream.id} head ${headers[':status']}`),
      onData(bytes) {
        events.push(`${stream.id} ${bytes.length}`)
        if (!isHeld) stream.giveBack(bytes.length)
      },
      onTrailers: headers => events.push(`${stream.id} trailers ${Object.keys(headers)}`),
      onEnd: () => events.push(`${stream.id} end`),
      onDrain: () => events.push(`${stream.id} drain`),
      onClose: (reset?: H2Reset) => events.push(`${stream.id} close${reset ? ` ${reset.by} ${reset.code}` : ''}`),
    })
    streams.set(stream.id, stream)
    stream.send(parts, true)
    return stream
  }
  client.start()
  const hello = Buffer.concat(connection.outbox.take())
  connection.receive(SETTINGS, 0)
  take()
  for (let at = 0; at < requests; at += 1) ask()
  const asked = take()
  events.length = 0
  return {
    ...{ client, connection, events, hello, asked, take, ask },
    receive: (...bytes: readonly Buffer[]) => connection.receive(Buffer.concat(bytes), 0),
    stream: (id: number): H2Stream => streams.get(id) ?? assert.fail(),
    /** Takes all that becomes ready until nothing more does. */
    takeAll(): readonly H2Frame[] {
      const all: H2Frame[] = []
      for (let frames = take(); frames.length > 0; frames = take()) all.push(...frames)
      return all
    },
  }
}

describe('H2Client', () => {
  it('says hello: no pushes, its windows and its limit', () => {
    const { hello } = open()
    assert.deepEqual(hello.subarray(0, PREFACE.length), PREFACE)
    const frames = readFrames(hello.subarray(PREFACE.length))
    assert.deepEqual(toNames(frames), ['settings 0', 'windowUpdate 0'])
    assert.equal(frames[0]?.payload.toString('hex'), '000200000000000400100000000600000fa0')
  })

  it('asks, tells the answer and forgets it', () => {
    const { asked, receive, events, connection, take } = open({ requests: 2 })
    assert.deepEqual(toNames(asked), ['headers 1', 'headers 3', 'data 1', 'data 3'])
    receive(toAnswer(3), toAnswer(1))
    const wanted = [3, 1].flatMap(id => [`${id} head 200`, `${id} 5`, `${id} trailers grpc-status`, `${id} end`])
    assert.deepEqual(
      events.filter(event => !event.endsWith('close')),
      wanted,
    )
    assert.equal(events.at(-1), '1 close')
    assert.equal(connection.streams, 0)
    assert.deepEqual(take(), [])
  })

  it('takes an answer of a head alone, and one without trailers', () => {
    const { receive, events } = open({ requests: 2 })
    receive(toHead(1, OK, ENDING), toHead(3), toData(3, 1, FLAG.endStream))
    assert.deepEqual(events, ['1 head 200', '1 end', '1 close', '3 head 200', '3 1', '3 end', '3 close'])
  })

  it('waits for the answer behind interim heads', () => {
    const { receive, events } = open()
    receive(toHead(1, { ':status': '103' }), toHead(1, { ':status': '100' }), toAnswer(1))
    assert.deepEqual(events, ['1 head 200', '1 5', '1 trailers grpc-status', '1 end', '1 close'])
  })

  it('sends nothing of a request that is left before its turn', () => {
    const { ask, takeAll, events, connection } = open({ requests: 0 })
    const [first, second] = [ask(), ask()]
    first.reset('CANCEL')
    assert.deepEqual([first.isKnown, events], [false, ['1 close own 8']])
    assert.deepEqual(toNames(takeAll()), ['headers 3', 'data 3'])
    assert.deepEqual([second.isKnown, connection.streams], [true, 1])
  })

  it('begins requests in the order of their numbers, whatever waits, and sends each as it is', () => {
    const acts = fc.constantFrom('ask', 'ask', 'take', 'hold', 'flow', 'widen', 'leave')
    fc.assert(
      fc.property(fc.array(acts, { maxLength: 60 }), sequence => {
        const { ask, connection, receive } = open({ requests: 0, bodyBytes: 30_000 })
        const asked: H2Stream[] = []
        const sent: H2Frame[] = []
        const take = (): void => void sent.push(...readFrames(Buffer.concat(connection.outbox.take())))
        const perform = {
          ask: () => asked.push(ask()),
          take,
          hold: () => connection.outbox.setFlowing(false),
          flow: () => connection.outbox.setFlowing(true),
          widen: () => receive(toWordFrame(FRAME.windowUpdate, 0, 20_000)),
          leave: () => asked.findLast(stream => !stream.isClosed)?.reset('CANCEL'),
        }
        for (const act of sequence) perform[act]()
        connection.outbox.setFlowing(true)
        take()
        const begun = sent.filter(({ type }) => type === FRAME.headers).map(({ stream }) => stream)
        assert.deepEqual(
          begun,
          begun.toSorted((a, b) => a - b),
        )
        for (const { type, stream } of sent)
          assert.ok(type !== FRAME.data || begun.includes(stream), `DATA of ${stream}, which has not begun`)
        for (const { type, stream } of sent)
          assert.ok(type !== FRAME.reset || begun.includes(stream), `a reset of ${stream}, which has not begun`)
      }),
    )
  })

  it('resets a request that is left, and takes what was on its way', () => {
    const { stream, take, receive, events } = open({ requests: 2 })
    stream(1).reset('CANCEL')
    assert.deepEqual(toNames(take()), ['reset 1 8'])
    receive(toAnswer(1), toAnswer(3))
    assert.equal(events.filter(event => event.startsWith('1')).join(), '1 close own 8')
    assert.throws(() => receive(toData(1, 1)), { code: 'STREAM_CLOSED' })
  })

  it('takes less of a request than all where its answer is whole, and says so', () => {
    const { asked, receive, takeAll, events, connection } = open({ bodyBytes: 100_000 })
    assert.equal(toBodyBytes(asked, 1), 65_535)
    receive(toAnswer(1))
    assert.deepEqual(toNames(takeAll()), ['reset 1 8'])
    assert.deepEqual([events.at(-1), connection.streams], ['1 close', 0])
    receive(toWordFrame(FRAME.reset, 1, 0))
  })

  it('reads alike what is said with an entry of the table and again by it', () => {
    const { receive, events } = open({ requests: 3 })
    const entering = Buffer.concat([Buffer.of(0x88, 0x40, 1), Buffer.from('z'), Buffer.of(1), Buffer.from('1')])
    const again = Buffer.of(0x88, 0xbe)
    receive(toFrameBytes(FRAME.headers, ENDING, 1, entering))
    for (const id of [3, 5]) {
      receive(toFrameBytes(FRAME.headers, FLAG.endHeaders, id, again))
      receive(toFrameBytes(FRAME.headers, ENDING, id, Buffer.of(0xbe)))
    }
    assert.equal(events.filter(event => event.endsWith('trailers z')).length, 2)
  })

  it('keeps its table right through answers that nobody waits for', () => {
    const { receive, events, stream } = open({ requests: 2 })
    stream(1).reset('CANCEL')
    const entering = Buffer.concat([Buffer.of(0x88, 0x40, 1), Buffer.from('z'), Buffer.of(1), Buffer.from('1')])
    receive(toFrameBytes(FRAME.headers, ENDING, 1, entering))
    receive(toHead(3), toFrameBytes(FRAME.headers, ENDING, 3, Buffer.of(0xbe)))
    assert.equal(events.at(-3), '3 trailers z')
  })

  const CASES: readonly [name: string, bytes: Buffer, code: keyof typeof H2_CODES][] = [
    [
      'a push',
      toFrameBytes(FRAME.pushPromise, 4, 1, Buffer.concat([toWord(2), encodeHpack(REQUEST)])),
      'PROTOCOL_ERROR',
    ],
    ['a server that would take pushes', toSetting(2, 1), 'PROTOCOL_ERROR'],
    ['an answer on a stream of the server', toHead(2), 'PROTOCOL_ERROR'],
    ['an answer to no request', toHead(5), 'PROTOCOL_ERROR'],
    ['an answer on no stream', toHead(0), 'PROTOCOL_ERROR'],
    ['DATA of no request', toData(5, 1), 'PROTOCOL_ERROR'],
    ['DATA on a stream of the server', toData(2, 1), 'PROTOCOL_ERROR'],
    ['DATA of an answer that has ended', Buffer.concat([toAnswer(1), toData(1, 1)]), 'STREAM_CLOSED'],
    ['a second answer', Buffer.concat([toAnswer(1), toHead(1)]), 'STREAM_CLOSED'],
    ['DATA of what it has reset', Buffer.concat([toWordFrame(FRAME.reset, 1, 8), toData(1, 1)]), 'STREAM_CLOSED'],
    ['a reset of no request', toWordFrame(FRAME.reset, 5, 8), 'PROTOCOL_ERROR'],
    ['a window of no request', toWordFrame(FRAME.windowUpdate, 2, 8), 'PROTOCOL_ERROR'],
    ['a window beyond its range', toWordFrame(FRAME.windowUpdate, 0, 0x7fffffff), 'FLOW_CONTROL_ERROR'],
    ['an initial window beyond its range', toSetting(4, 2 ** 31), 'FLOW_CONTROL_ERROR'],
    ['frames shorter than any', toSetting(5, 100), 'PROTOCOL_ERROR'],
    ['a frame longer than it takes', toData(1, 16_385), 'FRAME_SIZE_ERROR'],
    ['a block that is no HPACK', toFrameBytes(FRAME.headers, 4, 1, Buffer.of(0x80)), 'COMPRESSION_ERROR'],
    ['a block that is cut off', toFrameBytes(FRAME.headers, 4, 1, Buffer.of(0x40, 9, 0x78)), 'COMPRESSION_ERROR'],
    [
      'a table larger than it allows',
      toFrameBytes(FRAME.headers, 4, 1, Buffer.of(0x3f, 0xe2, 0x1f)),
      'COMPRESSION_ERROR',
    ],
    ['a continuation of nothing', toFrameBytes(FRAME.continuation, 4, 1, NOTHING), 'PROTOCOL_ERROR'],
    [
      'a ping within a block',
      Buffer.concat([toHead(1, OK, 0), toFrameBytes(FRAME.ping, 0, 0, Buffer.alloc(8))]),
      'PROTOCOL_ERROR',
    ],
    ['more padding than frame', toFrameBytes(FRAME.data, FLAG.padded, 1, Buffer.of(5, 1)), 'PROTOCOL_ERROR'],
    ['a short goaway', toFrameBytes(FRAME.goaway, 0, 0, Buffer.alloc(7)), 'FRAME_SIZE_ERROR'],
    ['a goaway of a stream', toFrameBytes(FRAME.goaway, 0, 1, Buffer.alloc(8)), 'PROTOCOL_ERROR'],
    ['HTTP/1.1', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'FRAME_SIZE_ERROR'],
  ]
  for (const [name, bytes, code] of CASES)
    it(`ends with ${code} at ${name}`, () => assert.throws(() => open().receive(bytes), { name: 'H2Error', code }))

  it('ends at an answer to what has not been sent', () => {
    const { ask, receive } = open({ requests: 0 })
    ask()
    assert.throws(() => receive(toAnswer(1)), { code: 'PROTOCOL_ERROR' })
  })

  it('ends where the first frame is an answer to settings', () => {
    const ack = toFrameBytes(FRAME.settings, FLAG.ack, 0, NOTHING)
    const { connection } = new H2Client({ maxHeaderListBytes: 4000, onOutput() {}, onSettings() {}, onGoAway() {} })
    assert.throws(() => connection.receive(ack, 0), { code: 'PROTOCOL_ERROR' })
  })

  it('ends where the first frame is not of settings', () => {
    const { connection } = new H2Client({ maxHeaderListBytes: 4000, onOutput() {}, onSettings() {}, onGoAway() {} })
    assert.throws(() => connection.receive(toFrameBytes(FRAME.ping, 0, 0, Buffer.alloc(8)), 0), {
      code: 'PROTOCOL_ERROR',
    })
  })

  const RESETS: readonly [name: string, bytes: Buffer, code: number][] = [
    ['head without a status', toHead(1, { 'content-type': 'x' }), 1],
    ['status that is none', toHead(1, { ':status': '20' }), 1],
    ['switch of protocols', toHead(1, { ':status': '101' }), 1],
    ['path in an answer', toHead(1, { ...OK, ':path': '/' }), 1],
    ['status behind a field', toHead(1, { x: 'y', ...OK }), 1],
    ['name in capitals', toHead(1, { ...OK, 'X-Big': '1' }), 1],
    ['field of HTTP/1.1', toHead(1, { ...OK, connection: 'close' }), 1],
    ['value of two lines', toHead(1, { ...OK, x: 'a\r\nb' }), 1],
    ['interim head that ends it', toHead(1, { ':status': '100' }, ENDING), 1],
    ['body before the head', toData(1, 1), 1],
    ['body behind an interim head', Buffer.concat([toHead(1, { ':status': '100' }), toData(1, 1)]), 1],
    ['second head that does not end it', Buffer.concat([toHead(1), toHead(1, { x: 'y' })]), 1],
    ['status behind the body', Buffer.concat([toHead(1), toHead(1, OK, ENDING)]), 1],
    ['head beyond the limit', toHead(1, { ...OK, x: 'y'.repeat(4000) }), 11],
    ['trailers beyond the limit', Buffer.concat([toHead(1), toHead(1, { x: 'y'.repeat(4000) }, ENDING)]), 11],
    ['length behind the body', Buffer.concat([toHead(1), toHead(1, { 'content-length': '0' }, ENDING)]), 1],
    ['length that is none', toHead(1, { ...OK, 'content-length': '-1' }), 1],
    ['body longer than was said', Buffer.concat([toHead(1, { ...OK, 'content-length': '3' }), toData(1, 4)]), 1],
    ['body shorter than was said', Buffer.concat([toHead(1, { ...OK, 'content-length': '3' }), toData(1, 2, 1)]), 1],
    ['no body where one was said', toHead(1, { ...OK, 'content-length': '3' }, ENDING), 1],
    ['body of what has none', Buffer.concat([toHead(1, { ':status': '204' }), toData(1, 1)]), 1],
    ['window that grows by nothing', toWordFrame(FRAME.windowUpdate, 1, 0), 1],
    ['window beyond its range', toWordFrame(FRAME.windowUpdate, 1, 0x7fffffff), 3],
    ['body beyond the window', Buffer.concat([toHead(1), repeat(65, () => toData(1, 16_384))]), 3],
  ]
  for (const [name, bytes, code] of RESETS)
    it(`resets an answer at a ${name}, and takes others`, () => {
      const { receive, take, events, connection } = open({ requests: 2, isHeld: true })
      receive(bytes, toAnswer(3))
      assert.deepEqual(
        toNames(take()).filter(frame => frame.startsWith('reset')),
        [`reset 1 ${code}`],
      )
      assert.ok(events.includes(`1 close own ${code}`), events.join())
      assert.deepEqual([events.at(-1), connection.streams], ['3 close', 0])
    })

  it('takes blanks around a value for nothing', () => {
    const { receive, events } = open()
    receive(toHead(1, { ...OK, x: ' a b\t' }), toHead(1, { ' ': '1' }, ENDING))
    assert.deepEqual(events, ['1 head 200', '1 close own 1'], 'but none in a name')
    const other = open()
    other.receive(toHead(1, { ':status': ' 200 ' }), toHead(1, { 'grpc-message': 'no model ', x: ' ' }, ENDING))
    assert.deepEqual(other.events, ['1 head 200', '1 trailers grpc-message,x', '1 end', '1 close'])
  })

  it('takes a 304 that tells a length', () => {
    const { receive, events } = open()
    receive(toHead(1, { ':status': '304', 'content-length': '9' }, ENDING))
    assert.equal(events.at(-1), '1 close')
  })

  it('tells of a reset with its code, and takes nothing more of it', () => {
    const { receive, events, take } = open({ requests: 2 })
    receive(toHead(1), toWordFrame(FRAME.reset, 1, 7), toWordFrame(FRAME.windowUpdate, 1, 7), toAnswer(3))
    assert.deepEqual(events.slice(0, 2), ['1 head 200', '1 close peer 7'])
    assert.deepEqual(take(), [])
  })
})

describe('H2Client, what the server takes', () => {
  it('has room for as many as the server says, perhaps anew', () => {
    const { client, receive, events } = open({ requests: 3 })
    receive(toSetting(3, 5))
    assert.deepEqual(events, ['room 2'])
    receive(toSetting(4, 100))
    assert.equal(client.room, 2, 'it is not said anew')
    receive(toSetting(3, 1))
    assert.ok(client.room < 0)
    receive(toAnswer(1), toAnswer(3), toAnswer(5))
    assert.equal(client.room, 1)
  })

  it('asks for nothing more when the server goes: what is not begun is told, what is begun is answered', () => {
    const { client, receive, events, ask, takeAll, connection } = open({ requests: 3 })
    ask()
    receive(toGoAway(2 ** 31 - 1))
    assert.deepEqual(events, ['7 close goaway 7', 'goaway 0'])
    receive(toGoAway(3))
    assert.deepEqual(events.slice(2), ['5 close goaway 7', 'goaway 0'])
    assert.deepEqual(takeAll(), [], 'nothing of the fourth')
    assert.deepEqual([client.room, client.isSpent], [0, true])
    receive(toAnswer(1), toAnswer(3))
    assert.deepEqual([connection.streams, connection.isOver], [0, false])
    connection.goAway('NO_ERROR')
    assert.equal(connection.isOver, true)
    assert.deepEqual(takeAll()[0]?.payload, Buffer.alloc(8), 'no stream of the server, no error')
  })

  it('asks for nothing more when all numbers are used', () => {
    const { client, receive, ask } = open({ requests: 1, firstId: 2 ** 31 - 3 })
    assert.equal(client.isSpent, false)
    const last = ask()
    assert.deepEqual([last.id, client.room, client.isSpent], [2 ** 31 - 1, 0, true])
    receive(toAnswer(2 ** 31 - 3))
    assert.equal(client.room, 0)
  })

  it('sends no more of its requests than the windows of stream and connection hold', () => {
    const { asked, receive, takeAll } = open({ requests: 2, bodyBytes: 50_000 })
    assert.equal(toBodyBytes(asked, 1) + toBodyBytes(asked, 3), 65_535)
    receive(toWordFrame(FRAME.windowUpdate, 0, 100_000))
    const rest = takeAll()
    assert.deepEqual(
      [1, 3].map(id => toBodyBytes(asked, id) + toBodyBytes(rest, id)),
      [50_000, 50_000],
    )
    assert.deepEqual(
      rest.filter(({ flags }) => flags === FLAG.endStream).map(({ stream }) => stream),
      [1, 3],
    )
  })

  it('counts answers that nobody reads together, and those of requests that end no more', () => {
    const { receive, take, stream } = open({ requests: 34, isHeld: true })
    for (let at = 0; at < 32; at += 1)
      receive(
        toHead(2 * at + 1),
        repeat(64, () => toData(2 * at + 1, 16_384)),
      )
    assert.deepEqual(take(), [])
    for (let at = 0; at < 16; at += 1) stream(2 * at + 1).reset('CANCEL')
    const given = take().find(({ type }) => type === FRAME.windowUpdate)
    assert.deepEqual([given?.stream, given?.payload.readUInt32BE()], [0, 16 * 2 ** 20])
    // What comes of those that have been reset is not held.
    for (let at = 0; at < 16; at += 1) receive(repeat(64, () => toData(2 * at + 1, 16_384)))
    assert.deepEqual(toNames(take()), ['windowUpdate 0'])
    receive(
      toHead(65),
      repeat(64, () => toData(65, 16_384)),
    )
  })
})

describe('H2Client, floods', () => {
  const FLOODS: readonly [name: string, bytes: Buffer][] = [
    ['pings', repeat(10_010, () => toFrameBytes(FRAME.ping, 0, 0, Buffer.alloc(8)))],
    ['settings', repeat(10_010, () => SETTINGS)],
    ['goaways', repeat(10_010, () => toGoAway(1))],
    ['unknown frames', repeat(10_010, () => toFrameBytes(99, 0, 0, NOTHING))],
    ['interim heads', repeat(10_010, () => toHead(1, { ':status': '100' }))],
    ['bodies of nothing', Buffer.concat([toHead(1), repeat(10_010, () => toData(1, 0))])],
    ['resets of what is over', repeat(10_010, () => toWordFrame(FRAME.reset, 1, 0))],
    [
      'continuations',
      Buffer.concat([toHead(1, OK, 0), repeat(10, () => toFrameBytes(FRAME.continuation, 0, 1, NOTHING))]),
    ],
  ]
  for (const [name, bytes] of FLOODS)
    it(`ends a connection that sends too many ${name}`, () =>
      assert.throws(() => open().receive(bytes), { code: 'ENHANCE_YOUR_CALM' }))

  it('ends a connection that takes no answer to its pings', () => {
    const { receive, connection } = open()
    connection.outbox.setFlowing(false)
    const bytes = repeat(1001, () => toFrameBytes(FRAME.ping, 0, 0, Buffer.alloc(8)))
    assert.throws(() => receive(bytes), { code: 'ENHANCE_YOUR_CALM' })
  })

  it('bears a server that refuses all it is asked', () => {
    const { receive, ask, take, events } = open({ requests: 0 })
    for (let at = 0; at < 20_000; at += 1) {
      const { id } = ask()
      take()
      receive(toWordFrame(FRAME.reset, id, 7))
    }
    assert.equal(events.length, 20_000)
  })
})

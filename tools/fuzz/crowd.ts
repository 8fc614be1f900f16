import { setTimeout as sleep } from 'node:timers/promises'
import { FRAME, FrameClient, toCallHead, toData } from '../../src/core/http2/testing/frames.ts'
import { GRPCInferenceService, toMessageBytes } from '../../src/tensor/messages.ts'
import { toPrefixed } from './families/call.ts'
import { INFER_STREAM, RIGHT_MESSAGE, WATCH } from './families/stream.ts'
import type { Place } from './places.ts'

/** Streams that are opened and left. */
interface Crowd {
  readonly path: string
  readonly connections: number
  readonly streamsEach: number
  /** What is sent of each. */
  readonly body: Buffer
  readonly isLast: boolean
  /** The client takes no byte of an answer. */
  readonly isUnread?: true
  /** What comes of each: an answer soon, its end once a request has taken too long, or nothing. */
  readonly wanted: 'answer' | 'end' | 'nothing'
}

const right = toPrefixed(RIGHT_MESSAGE)
const ROWS = 4096
const long = toPrefixed(
  Buffer.from(
    toMessageBytes(GRPCInferenceService.method.modelStreamInfer.input, {
      modelName: 'm',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [BigInt(ROWS), 4n] }],
      rawInputContents: [new Uint8Array(ROWS * 16)],
    }),
  ),
)
/** With so many rows each, more than a server writes ahead of a client that does not read: 64 KiB. */
const MANY = 8

const CROWDS: Readonly<Record<string, Crowd>> = {
  'statuses that are watched': {
    ...{ path: WATCH, connections: 20, streamsEach: 100, body: toPrefixed(Buffer.alloc(0)), isLast: true },
    wanted: 'answer',
  },
  'streams without a message': {
    ...{ path: INFER_STREAM, connections: 10, streamsEach: 100, body: Buffer.alloc(0), isLast: false },
    wanted: 'nothing',
  },
  'streams that go on no more': {
    ...{ path: INFER_STREAM, connections: 1, streamsEach: 100, body: right, isLast: false },
    wanted: 'answer',
  },
  'streams of half a message': {
    ...{ path: INFER_STREAM, connections: 1, streamsEach: 100, body: right.subarray(0, 9), isLast: false },
    wanted: 'end',
  },
  'answers that nobody reads': {
    ...{ path: INFER_STREAM, connections: 1, streamsEach: 50, body: right, isLast: true, isUnread: true },
    wanted: 'end',
  },
  'streams that nobody reads': {
    ...{ path: INFER_STREAM, connections: 1, streamsEach: 3, isLast: false, isUnread: true },
    body: Buffer.concat(Array.from({ length: MANY }, () => long)),
    wanted: 'end',
  },
}

/** The time that an answer may wait to be taken (30 s), and some more. */
const PATIENCE_MS = 75_000

/** Thousands of streams that are opened to a place and left. */
export interface Crowds extends Disposable {
  readonly streams: number
  /** Waits for what is to come of each; says of which it did not. */
  settle(): Promise<string | undefined>
}

/** Opens all of them. */
export function openCrowds({ grpc }: Place): Crowds {
  const startedAt = performance.now()
  const opened = Object.entries(CROWDS).flatMap(([name, crowd]) =>
    Array.from({ length: crowd.connections }, () => ({ name, crowd, client: open(grpc, crowd) })),
  )
  return {
    streams: opened.reduce((sum, { crowd }) => sum + crowd.streamsEach, 0),
    async settle() {
      const listWaiting = () => opened.filter(({ crowd, client }) => !isSettled(crowd, client))
      let waiting = listWaiting()
      while (waiting.length > 0 && performance.now() - startedAt < PATIENCE_MS) {
        await sleep(200)
        waiting = listWaiting()
      }
      const names = [...new Set(waiting.map(({ name }) => name))]
      return names.length === 0 ? undefined : `not as wanted after ${PATIENCE_MS} ms: ${names.join(', ')}`
    },
    [Symbol.dispose]() {
      for (const { client } of opened) client[Symbol.dispose]()
    },
  }
}

/** SETTINGS_INITIAL_WINDOW_SIZE of 0. */
const NO_WINDOW = Buffer.from('000400000000', 'hex')

function open(port: number, { path, streamsEach, body, isLast, isUnread }: Crowd): FrameClient {
  const client = new FrameClient(port, isUnread ? NO_WINDOW : Buffer.of())
  for (const stream of toIds(streamsEach)) {
    client.write(toCallHead(stream, { ':path': path }))
    // A stream that is reset takes no more, which is how some of them are to end.
    void send(client, stream, body)
  }
  if (isLast) for (const stream of toIds(streamsEach)) client.write(toData(stream, Buffer.alloc(0), true))
  return client
}

/** Frames may be so long (RFC 9113, section 4.2). */
const FRAME_BYTES = 16_384

/** The window of a stream until the client has taken the server's settings, which this one never does. */
const WINDOW_BYTES = 65_535

/** Sends a body, as far as the server opens its window. */
async function send(client: FrameClient, stream: number, body: Buffer): Promise<void> {
  const isOver = (): boolean => client.isClosed || client.has(FRAME.reset, stream)
  const readRoom = (): number =>
    client.frames
      .filter(frame => frame.type === FRAME.windowUpdate && frame.stream === stream)
      .reduce((room, { payload }) => room + payload.readUInt32BE(), WINDOW_BYTES)
  let sentBytes = 0
  for (const piece of toPieces(body)) {
    sentBytes += piece.length
    while (sentBytes > WINDOW_BYTES && sentBytes > readRoom() && !isOver()) await sleep(50)
    if (isOver()) return
    client.write(toData(stream, piece))
  }
}

function toPieces(body: Buffer): readonly Buffer[] {
  const count = Math.ceil(body.length / FRAME_BYTES)
  return Array.from({ length: count }, (_, at) => body.subarray(at * FRAME_BYTES, (at + 1) * FRAME_BYTES))
}

function toIds(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => 2 * at + 1)
}

function isSettled({ streamsEach, wanted }: Crowd, { frames, isClosed }: FrameClient): boolean {
  if (wanted === 'nothing') return !isClosed
  const heads = new Map<number, number>()
  const settled = new Set<number>()
  for (const { type, stream } of frames) {
    // The second block of headers of an answer ends it.
    const seen = (heads.get(stream) ?? 0) + (type === FRAME.headers ? 1 : 0)
    heads.set(stream, seen)
    if (wanted === 'answer' ? type === FRAME.data : type === FRAME.reset || seen > 1) settled.add(stream)
  }
  return !isClosed && toIds(streamsEach).every(stream => settled.has(stream))
}

import type { H2Block } from './block.ts'
import { H2Connection, type H2Side, STREAM_WINDOW_BYTES } from './connection.ts'
import { H2_CODES, type H2Code, H2Error } from './errors.ts'
import { PREFACE } from './frames.ts'
import { H2Guard } from './guard.ts'
import { H2HeadReader, isInterim, type ReadH2Head } from './head.ts'
import { type H2PeerSettings, toSettingsFrame } from './settings.ts'
import type { H2Stream, H2StreamListener } from './stream.ts'

/** Who asks on a connection. */
export interface H2ClientWorld {
  /** Fields of an answer: names, values and 32 bytes for each. */
  readonly maxHeaderListBytes: number
  /** The server has said, perhaps anew, how many requests it takes. */
  readonly onSettings: () => void
  /** The server takes no new requests; those that it has not begun have been told. */
  readonly onGoAway: (code: number) => void
  /** Something is ready to be written. */
  readonly onOutput: () => void
}

/** The greatest number of a stream. */
const LAST_ID = 2 ** 31 - 1

/** The client's side of an HTTP/2 connection. */
export class H2Client implements H2Side {
  readonly isClient = true
  /** A server that resets, resets what was asked of it. */
  readonly guard = new H2Guard()
  readonly connection: H2Connection
  /** A server that may not push begins nothing. */
  readonly lastPeerId = 0
  readonly #world: H2ClientWorld
  readonly #heads: H2HeadReader
  #nextId: number
  #maxStreams = Number.POSITIVE_INFINITY
  #isLeft = false

  /** `firstId`: an odd number; a connection takes requests up to 2^31 - 1. */
  constructor(world: H2ClientWorld, firstId = 1) {
    this.#world = world
    this.#heads = new H2HeadReader(world.maxHeaderListBytes, true)
    this.#nextId = firstId
    this.connection = new H2Connection(this, world.onOutput)
  }

  /** How many more requests the server takes now. */
  get room(): number {
    return this.isSpent ? 0 : this.#maxStreams - this.connection.streams
  }

  /** Whether there will be no new requests: the server goes, or all numbers are used. */
  get isSpent(): boolean {
    return this.#isLeft || this.#nextId > LAST_ID
  }

  /** Says hello. */
  start(): void {
    const { maxHeaderListBytes: maxHeaderList } = this.#world
    const settings = toSettingsFrame({ enablePush: 0, initialWindow: STREAM_WINDOW_BYTES, maxHeaderList })
    this.connection.start(Buffer.concat([PREFACE, settings]))
  }

  /** Begins a request, which is to be sent on its stream; there must be room for it. */
  request(listener: H2StreamListener): H2Stream {
    const stream = this.connection.open(this.#nextId)
    this.#nextId += 2
    stream.listen(listener)
    return stream
  }

  hasBegun(id: number): boolean {
    return id % 2 === 1 && id < this.#nextId && !this.connection.isWaiting(id)
  }

  takeSettings({ maxConcurrentStreams, isPushing }: H2PeerSettings): void {
    if (isPushing === true) throw new H2Error('PROTOCOL_ERROR', 'A server says that it takes pushes')
    this.#maxStreams = maxConcurrentStreams ?? this.#maxStreams
    this.#world.onSettings()
  }

  /** What the server has not begun may be sent again (RFC 9113, section 6.8). */
  takeGoAway(lastId: number, code: number): void {
    this.#isLeft = true
    this.connection.closeAbove(lastId, { by: 'goaway', code: H2_CODES.REFUSED_STREAM })
    this.#world.onGoAway(code)
  }

  takeBlock({ stream: id, bytes, isLast }: H2Block): void {
    if (!this.hasBegun(id)) throw new H2Error('PROTOCOL_ERROR', `Headers came of stream ${id}, which has not begun`)
    const stream = this.connection.findOpen(id, isLast)
    const head = this.#heads.read(bytes, stream?.isHeadReceived !== false)
    if (stream === undefined) return void this.guard.countIdle()
    const error = stream.isHeadReceived ? stream.receiveTrailers(head, isLast) : this.#takeHead(stream, head, isLast)
    this.connection.expect(stream, error)
  }

  #takeHead(stream: H2Stream, head: ReadH2Head, isLast: boolean): H2Code | undefined {
    if (head === 'too-long') return 'ENHANCE_YOUR_CALM'
    if (head === 'malformed') return 'PROTOCOL_ERROR'
    // The answer comes later.
    if (isInterim(head)) {
      this.guard.countIdle()
      return isLast ? 'PROTOCOL_ERROR' : undefined
    }
    this.guard.countUseful()
    return stream.receiveHead(head, isLast)
  }
}

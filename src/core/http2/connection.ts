import { checkPriority, type H2Block, H2BlockReader, PRIORITY_BYTES, stripPadding } from './block.ts'
import { H2_CODES, type H2Code, H2Error } from './errors.ts'
import { FLAG, FRAME, type H2Frame, H2FrameReader, toFrameBytes, toWordFrame } from './frames.ts'
import type { H2Guard } from './guard.ts'
import { H2Outbox } from './outbox.ts'
import { H2ReceiveWindow } from './receive-window.ts'
import { type H2PeerSettings, parseH2Settings } from './settings.ts'
import { type H2Reset, H2Stream, type H2StreamOwner } from './stream.ts'

/** What each side of a connection does in its own way. */
export interface H2Side {
  /** Whether it begins the streams. */
  readonly isClient: boolean
  readonly guard: H2Guard
  /** The last stream that the peer has begun. */
  readonly lastPeerId: number
  /** Whether a stream has begun, whatever has become of it. */
  hasBegun(id: number): boolean
  /** Takes the fields of a stream, which have to be read even where it is over: those of others depend on them. */
  takeBlock(block: H2Block): void
  takeSettings(settings: H2PeerSettings): void
  /** Takes the peer's word that it begins nothing above a stream any more. */
  takeGoAway(lastId: number, code: number): void
}

/** What a peer may send of one stream that nobody reads; messages are read as they come. */
export const STREAM_WINDOW_BYTES = 1024 * 1024
/** And of all streams together: so many that nobody reads keep the others waiting. */
const CONNECTION_WINDOW_BYTES = 32 * STREAM_WINDOW_BYTES
const FIRST_WINDOW_BYTES = 65_535
/** Of so many streams it is remembered that their peer may not know yet that they are over. */
const MAX_REMEMBERED = 4096
const WORD_BYTES = 4
const GOAWAY_BYTES = 2 * WORD_BYTES
const PING_BYTES = 8
const SETTINGS_ACK = toFrameBytes(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0))

/**
 * An HTTP/2 connection (RFC 9113), between the bytes that come and those that go: what a server and a client have in
 * common of it.
 */
export class H2Connection implements H2StreamOwner {
  readonly outbox: H2Outbox
  readonly #side: H2Side
  readonly #frames: H2FrameReader
  readonly #blocks = new H2BlockReader()
  readonly #streams = new Map<number, H2Stream>()
  /** Streams that are over here and may not be over there. */
  readonly #abrupt = new Set<number>()
  readonly #window = new H2ReceiveWindow(CONNECTION_WINDOW_BYTES)
  #isGreeted = false
  #isDraining = false
  #sendWindowBytes = FIRST_WINDOW_BYTES

  /** `onOutput` is called where something is ready to be written. */
  constructor(side: H2Side, onOutput: () => void) {
    this.#side = side
    this.#frames = new H2FrameReader(!side.isClient)
    this.outbox = new H2Outbox(onOutput)
  }

  /** Streams that are not over. */
  get streams(): number {
    return this.#streams.size
  }

  /** Whether one side has said that it goes. */
  get isDraining(): boolean {
    return this.#isDraining
  }

  /** Whether it has been told to end, and has nothing left to do. */
  get isOver(): boolean {
    return this.#isDraining && this.#streams.size === 0
  }

  /** Says what this side allows. */
  start(settings: Uint8Array): void {
    this.outbox.sendControl(settings)
    this.outbox.sendControl(toWordFrame(FRAME.windowUpdate, 0, CONNECTION_WINDOW_BYTES - FIRST_WINDOW_BYTES))
  }

  /** Takes bytes in. Returns whether a frame became whole. @throws H2Error which is the end of the connection */
  receive(chunk: Buffer, nowMs: number): boolean {
    this.#side.guard.nowMs = nowMs
    this.#frames.push(chunk)
    let hasFrame = false
    for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
      hasFrame = true
      this.#take(frame)
      this.outbox.checkFlood()
    }
    this.outbox.pump()
    return hasFrame
  }

  /** Whether a stream waits for its head to be sent. */
  isWaiting(id: number): boolean {
    return this.#streams.get(id)?.isKnown === false
  }

  /** Begins a stream. */
  open(id: number): H2Stream {
    const windows = { sendWindowBytes: this.#sendWindowBytes, receiveWindowBytes: STREAM_WINDOW_BYTES }
    const stream = new H2Stream(this, { id, isOwn: this.#side.isClient, ...windows })
    this.#streams.set(id, stream)
    return stream
  }

  /** The stream that a frame continues; undefined where its peer did not know that it is over. @throws H2Error where it did */
  findOpen(id: number, isLast: boolean): H2Stream | undefined {
    const stream = this.#streams.get(id)
    if (stream !== undefined && !stream.isReceiveEnded) return stream
    if (!this.#abrupt.has(id)) throw new H2Error('STREAM_CLOSED', `More came of stream ${id}, which is over`)
    if (isLast) this.#abrupt.delete(id)
    return undefined
  }

  /** Resets a stream where there was an error. */
  expect(stream: H2Stream, error: H2Code | undefined): void {
    if (error === undefined) return
    this.#side.guard.countFault()
    stream.reset(error)
  }

  /** Takes no more of a stream that the peer has begun; `isLast` where no more comes. */
  refuse(id: number, code: H2Code, isLast: boolean): void {
    this.outbox.sendControl(toWordFrame(FRAME.reset, id, H2_CODES[code]))
    if (!isLast) this.remember(id)
  }

  /** Remembers a stream that is over, of which the peer may still send. */
  remember(id: number): void {
    this.#abrupt.add(id)
    if (this.#abrupt.size <= MAX_REMEMBERED) return
    for (const oldest of this.#abrupt) {
      this.#abrupt.delete(oldest)
      return
    }
  }

  /** Tells the peer that no more is begun here; what has begun goes on, where the code is NO_ERROR. */
  goAway(code: H2Code): void {
    if (this.#isDraining && code === 'NO_ERROR') return
    this.#isDraining = true
    const payload = Buffer.alloc(GOAWAY_BYTES)
    payload.writeUInt32BE(this.#side.lastPeerId)
    payload.writeUInt32BE(H2_CODES[code], WORD_BYTES)
    this.outbox.sendControl(toFrameBytes(FRAME.goaway, 0, 0, payload))
  }

  /** Ends all streams: nobody is there any more. */
  close(): void {
    for (const stream of this.#streams.values()) stream.close()
  }

  /** Ends the streams that the peer does not begin any more: those above an id, and those that it does not know. */
  closeAbove(lastId: number, reset: H2Reset): void {
    for (const stream of this.#streams.values()) if (stream.id > lastId || !stream.isKnown) stream.close(reset)
  }

  /** Notes that bytes which came are used: the peer may send as many again, at once or with others. */
  giveBack(bytes: number): void {
    const given = this.#window.giveBack(bytes)
    if (given > 0) this.outbox.sendControl(toWordFrame(FRAME.windowUpdate, 0, given))
  }

  onStreamClosed(stream: H2Stream, isAbrupt: boolean): void {
    this.#streams.delete(stream.id)
    if (isAbrupt) this.remember(stream.id)
  }

  #take(frame: H2Frame): void {
    this.#isGreeted ||= isGreeting(frame)
    if (!this.#isGreeted) throw new H2Error('PROTOCOL_ERROR', 'The first frame is another than of settings')
    const wasOpen = this.#blocks.isOpen
    const block = this.#blocks.push(frame)
    switch (frame.type) {
      case FRAME.data:
        return void this.#takeData(frame)
      case FRAME.headers:
        return void (block && this.#side.takeBlock(block))
      case FRAME.continuation:
        if (!wasOpen) throw new H2Error('PROTOCOL_ERROR', 'A continuation of nothing came')
        return void (block && this.#side.takeBlock(block))
      case FRAME.priority:
        check(frame, PRIORITY_BYTES, 'stream')
        checkPriority(frame.stream, frame.payload)
        return void this.#side.guard.countIdle()
      case FRAME.reset:
        return void this.#takeReset(frame)
      case FRAME.settings:
        return void this.#takeSettings(frame)
      case FRAME.pushPromise:
        throw new H2Error('PROTOCOL_ERROR', 'A push came, which nobody has allowed')
      case FRAME.ping:
        return void this.#takePing(frame)
      case FRAME.goaway:
        return void this.#takeGoAway(frame)
      case FRAME.windowUpdate:
        return void this.#takeWindowUpdate(frame)
      default:
        return void this.#side.guard.countIdle()
    }
  }

  #takeData(frame: H2Frame): void {
    check(frame, undefined, 'stream')
    const { stream: id, flags, payload } = frame
    const isLast = (flags & FLAG.endStream) !== 0
    const bytes = stripPadding(frame)
    if (bytes.length > 0) this.#side.guard.countUseful()
    else if (!isLast) this.#side.guard.countIdle()
    if (!this.#window.take(payload.length))
      throw new H2Error('FLOW_CONTROL_ERROR', 'More came than the window of the connection')
    this.#expectBegun(id)
    const stream = this.findOpen(id, isLast)
    if (stream === undefined) this.giveBack(payload.length)
    else this.expect(stream, stream.receive(bytes, payload.length, isLast))
  }

  #takeReset(frame: H2Frame): void {
    check(frame, WORD_BYTES, 'stream')
    this.#expectBegun(frame.stream)
    this.#abrupt.delete(frame.stream)
    const stream = this.#streams.get(frame.stream)
    if (stream === undefined) return void this.#side.guard.countIdle()
    this.#side.guard.countReset()
    stream.close({ by: 'peer', code: frame.payload.readUInt32BE() })
  }

  #takeSettings(frame: H2Frame): void {
    const isAck = (frame.flags & FLAG.ack) !== 0
    check(frame, isAck ? 0 : undefined, 'connection')
    this.#side.guard.countIdle()
    if (isAck) return
    const settings = parseH2Settings(frame.payload)
    if (settings.maxFrameBytes !== undefined) this.outbox.setMaxFrame(settings.maxFrameBytes)
    if (settings.initialWindowBytes !== undefined) this.#setSendWindow(settings.initialWindowBytes)
    this.outbox.sendControl(SETTINGS_ACK)
    this.#side.takeSettings(settings)
  }

  /** Changes the windows of streams that have begun, too (RFC 9113, section 6.9.2). */
  #setSendWindow(bytes: number): void {
    const change = bytes - this.#sendWindowBytes
    this.#sendWindowBytes = bytes
    for (const stream of this.#streams.values())
      if (!stream.widen(change)) throw new H2Error('FLOW_CONTROL_ERROR', 'A window has grown beyond its range')
  }

  #takePing(frame: H2Frame): void {
    check(frame, PING_BYTES, 'connection')
    this.#side.guard.countIdle()
    if ((frame.flags & FLAG.ack) === 0) this.outbox.sendControl(toFrameBytes(FRAME.ping, FLAG.ack, 0, frame.payload))
  }

  #takeGoAway(frame: H2Frame): void {
    check(frame, undefined, 'connection')
    const { payload } = frame
    if (payload.length < GOAWAY_BYTES)
      throw new H2Error('FRAME_SIZE_ERROR', `A goaway has ${payload.length} bytes: expected ${GOAWAY_BYTES} at least`)
    this.#side.guard.countIdle()
    this.#side.takeGoAway(payload.readUInt32BE() & 0x7fffffff, payload.readUInt32BE(WORD_BYTES))
  }

  #takeWindowUpdate(frame: H2Frame): void {
    check(frame, WORD_BYTES)
    const bytes = frame.payload.readUInt32BE() & 0x7fffffff
    if (frame.stream === 0) {
      if (bytes === 0) throw new H2Error('PROTOCOL_ERROR', 'A window is to grow by nothing')
      return void this.outbox.widen(bytes)
    }
    this.#expectBegun(frame.stream)
    const stream = this.#streams.get(frame.stream)
    if (stream === undefined) return
    this.expect(stream, bytes === 0 ? 'PROTOCOL_ERROR' : stream.widen(bytes) ? undefined : 'FLOW_CONTROL_ERROR')
  }

  #expectBegun(id: number): void {
    if (!this.#side.hasBegun(id)) throw new H2Error('PROTOCOL_ERROR', `Stream ${id} has not begun`)
  }
}

/** Whether a frame may be the first one (RFC 9113, section 3.4). */
function isGreeting({ type, flags }: H2Frame): boolean {
  return type === FRAME.settings && (flags & FLAG.ack) === 0
}

/** @throws H2Error where a frame has not this length, or is of a stream where it must be of the connection, or vice versa */
function check({ type, stream, payload }: H2Frame, bytes?: number, of?: 'stream' | 'connection'): void {
  if (of !== undefined && (stream === 0) !== (of === 'connection'))
    throw new H2Error('PROTOCOL_ERROR', `A frame of type ${type} came on stream ${stream}`)
  if (bytes !== undefined && payload.length !== bytes)
    throw new H2Error('FRAME_SIZE_ERROR', `A frame of type ${type} has ${payload.length} bytes: expected ${bytes}`)
}

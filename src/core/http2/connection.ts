import { checkPriority, type H2Block, H2BlockReader, PRIORITY_BYTES, stripPadding } from './block.ts'
import { H2_CODES, type H2Code, H2Error } from './errors.ts'
import { FLAG, FRAME, type H2Frame, H2FrameReader, toFrameBytes, toWordFrame } from './frames.ts'
import { H2Guard } from './guard.ts'
import { type H2Head, H2HeadReader, type ReadH2Head } from './head.ts'
import { H2Outbox } from './outbox.ts'
import { H2ReceiveWindow } from './receive-window.ts'
import { parseH2Settings, toServerSettings } from './settings.ts'
import { H2Stream, type H2StreamOwner } from './stream.ts'

/** What a connection may do. */
export interface H2Limits {
  readonly maxConcurrentStreams: number
  readonly maxHeaderListBytes: number
  readonly maxResetsPerSecond: number
}

/** Who answers the requests of a connection. */
export interface H2World {
  readonly limits: H2Limits
  /** Takes a stream, and listens to it before this returns. */
  readonly onRequest: (stream: H2Stream, head: H2Head) => void
  /** Something is ready to be written. */
  readonly onOutput: () => void
}

/** Messages are read as they come: a window bounds what is on its way. */
const STREAM_WINDOW_BYTES = 1024 * 1024
const CONNECTION_WINDOW_BYTES = 8 * STREAM_WINDOW_BYTES
const FIRST_WINDOW_BYTES = 65_535
/** Of so many streams it is remembered that their peer may not know yet that they are over. */
const MAX_REMEMBERED = 4096
const WORD_BYTES = 4
const PING_BYTES = 8
const SETTINGS_ACK = toFrameBytes(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0))

/** The server's side of an HTTP/2 connection (RFC 9113), between the bytes that come and those that go. */
export class H2Connection implements H2StreamOwner {
  readonly outbox: H2Outbox
  readonly #world: H2World
  readonly #frames = new H2FrameReader()
  readonly #blocks = new H2BlockReader()
  readonly #heads: H2HeadReader
  readonly #streams = new Map<number, H2Stream>()
  /** Streams that are over here and may not be over there. */
  readonly #abrupt = new Set<number>()
  readonly #guard: H2Guard
  readonly #window = new H2ReceiveWindow(CONNECTION_WINDOW_BYTES)
  #isGreeted = false
  #isDraining = false
  #lastId = 0
  #sendWindowBytes = FIRST_WINDOW_BYTES

  constructor(world: H2World) {
    const { limits } = world
    this.#world = world
    this.#heads = new H2HeadReader(limits.maxHeaderListBytes)
    this.#guard = new H2Guard(limits.maxResetsPerSecond)
    this.outbox = new H2Outbox(world.onOutput)
  }

  /** Requests that are not over. */
  get streams(): number {
    return this.#streams.size
  }

  /** Whether a request has come. */
  get isUsed(): boolean {
    return this.#lastId > 0
  }

  /** Whether it has been told to end, and has nothing left to do. */
  get isOver(): boolean {
    return this.#isDraining && this.#streams.size === 0
  }

  /** Says what this side allows. */
  start(): void {
    this.outbox.sendControl(toServerSettings({ ...this.#world.limits, initialWindowBytes: STREAM_WINDOW_BYTES }))
    this.outbox.sendControl(toWordFrame(FRAME.windowUpdate, 0, CONNECTION_WINDOW_BYTES - FIRST_WINDOW_BYTES))
  }

  /** Takes bytes in. Returns whether a frame became whole. @throws H2Error which is the end of the connection */
  receive(chunk: Buffer, nowMs: number): boolean {
    this.#guard.nowMs = nowMs
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

  /** Tells the peer to open no more streams; those that it has opened are answered, where the code is NO_ERROR. */
  goAway(code: H2Code): void {
    if (this.#isDraining && code === 'NO_ERROR') return
    this.#isDraining = true
    const payload = Buffer.alloc(2 * WORD_BYTES)
    payload.writeUInt32BE(this.#lastId)
    payload.writeUInt32BE(H2_CODES[code], WORD_BYTES)
    this.outbox.sendControl(toFrameBytes(FRAME.goaway, 0, 0, payload))
  }

  /** Ends all streams: nobody is there any more. */
  close(): void {
    for (const stream of this.#streams.values()) stream.close()
  }

  onStreamClosed(stream: H2Stream, isAbrupt: boolean): void {
    this.#streams.delete(stream.id)
    if (isAbrupt) this.#remember(stream.id)
  }

  #take(frame: H2Frame): void {
    if (!this.#isGreeted && frame.type !== FRAME.settings)
      throw new H2Error('PROTOCOL_ERROR', `The first frame is of type ${frame.type}: expected settings`)
    this.#isGreeted = true
    const wasOpen = this.#blocks.isOpen
    const block = this.#blocks.push(frame)
    switch (frame.type) {
      case FRAME.data:
        return void this.#takeData(frame)
      case FRAME.headers:
        return void (block && this.#takeBlock(block))
      case FRAME.continuation:
        if (!wasOpen) throw new H2Error('PROTOCOL_ERROR', 'A continuation of nothing came')
        return void (block && this.#takeBlock(block))
      case FRAME.priority:
        check(frame, PRIORITY_BYTES, 'stream')
        checkPriority(frame.stream, frame.payload)
        return void this.#guard.countIdle()
      case FRAME.reset:
        return void this.#takeReset(frame)
      case FRAME.settings:
        return void this.#takeSettings(frame)
      case FRAME.pushPromise:
        throw new H2Error('PROTOCOL_ERROR', 'A client pushes')
      case FRAME.ping:
        return void this.#takePing(frame)
      case FRAME.goaway:
        check(frame, undefined, 'connection')
        return void this.goAway('NO_ERROR')
      case FRAME.windowUpdate:
        return void this.#takeWindowUpdate(frame)
      default:
        return void this.#guard.countIdle()
    }
  }

  #takeBlock({ stream: id, bytes, isLast }: H2Block): void {
    if (id % 2 === 0) throw new H2Error('PROTOCOL_ERROR', `A client begins stream ${id}: expected an odd number`)
    const isNew = id > this.#lastId
    // Whatever becomes of it: the table of the next ones depends on it.
    const head = this.#heads.read(bytes, !isNew)
    if (!isNew) return void this.#takeTrailers(id, head, isLast)
    this.#lastId = id
    if (this.#isDraining) return void this.#remember(id, isLast)
    if (head === 'malformed' || head === 'trailers') return void this.#refuse(id, 'PROTOCOL_ERROR', isLast)
    if (head === 'too-long') return void this.#refuse(id, 'ENHANCE_YOUR_CALM', isLast)
    if (this.#streams.size >= this.#world.limits.maxConcurrentStreams)
      return void this.#refuse(id, 'REFUSED_STREAM', isLast)
    this.#guard.countUseful()
    const windows = { sendWindowBytes: this.#sendWindowBytes, receiveWindowBytes: STREAM_WINDOW_BYTES }
    const stream = new H2Stream(this, { id, ...windows, contentLength: head.contentLength, isRequestEnded: isLast })
    this.#streams.set(id, stream)
    this.#world.onRequest(stream, head)
    if (isLast) this.#expect(stream, stream.endRequest())
  }

  #takeTrailers(id: number, head: ReadH2Head, isLast: boolean): void {
    const stream = this.#findOpen(id, isLast)
    if (stream === undefined) return
    this.#expect(stream, head === 'trailers' && isLast ? stream.endRequest() : 'PROTOCOL_ERROR')
  }

  #takeData(frame: H2Frame): void {
    check(frame, undefined, 'stream')
    const { stream: id, flags, payload } = frame
    const isLast = (flags & FLAG.endStream) !== 0
    const bytes = stripPadding(frame)
    if (bytes.length > 0) this.#guard.countUseful()
    else if (!isLast) this.#guard.countIdle()
    this.#use(payload.length)
    this.#expectBegun(id)
    const stream = this.#findOpen(id, isLast)
    if (stream !== undefined) this.#expect(stream, stream.receive(bytes, payload.length, isLast))
  }

  /** The stream whose request a frame continues; undefined where its peer did not know that it is over. */
  #findOpen(id: number, isLast: boolean): H2Stream | undefined {
    const stream = this.#streams.get(id)
    if (stream !== undefined && !stream.isRequestEnded) return stream
    if (!this.#abrupt.has(id)) throw new H2Error('STREAM_CLOSED', `More came of stream ${id}, which is over`)
    if (isLast) this.#abrupt.delete(id)
    return undefined
  }

  #takeReset(frame: H2Frame): void {
    check(frame, WORD_BYTES, 'stream')
    this.#expectBegun(frame.stream)
    this.#abrupt.delete(frame.stream)
    const stream = this.#streams.get(frame.stream)
    if (stream === undefined) return void this.#guard.countIdle()
    this.#guard.countReset()
    stream.close()
  }

  #takeSettings(frame: H2Frame): void {
    const isAck = (frame.flags & FLAG.ack) !== 0
    check(frame, isAck ? 0 : undefined, 'connection')
    this.#guard.countIdle()
    if (isAck) return
    const { initialWindowBytes, maxFrameBytes } = parseH2Settings(frame.payload)
    if (maxFrameBytes !== undefined) this.outbox.setMaxFrame(maxFrameBytes)
    if (initialWindowBytes !== undefined) this.#setSendWindow(initialWindowBytes)
    this.outbox.sendControl(SETTINGS_ACK)
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
    this.#guard.countIdle()
    if ((frame.flags & FLAG.ack) === 0) this.outbox.sendControl(toFrameBytes(FRAME.ping, FLAG.ack, 0, frame.payload))
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
    this.#expect(stream, bytes === 0 ? 'PROTOCOL_ERROR' : stream.widen(bytes) ? undefined : 'FLOW_CONTROL_ERROR')
  }

  /** Counts bytes of bodies, which the peer may send again at once: each stream bounds its own. */
  #use(bytes: number): void {
    if (!this.#window.take(bytes))
      throw new H2Error('FLOW_CONTROL_ERROR', 'More came than the window of the connection')
    const given = this.#window.giveBack(bytes)
    if (given > 0) this.outbox.sendControl(toWordFrame(FRAME.windowUpdate, 0, given))
  }

  #expectBegun(id: number): void {
    if (id > this.#lastId) throw new H2Error('PROTOCOL_ERROR', `Stream ${id} has not begun`)
  }

  /** Resets a stream where there was an error. */
  #expect(stream: H2Stream, error: H2Code | undefined): void {
    if (error === undefined) return
    this.#guard.countFault()
    stream.reset(error)
  }

  #refuse(id: number, code: H2Code, isLast: boolean): void {
    if (code !== 'REFUSED_STREAM') this.#guard.countFault()
    this.outbox.sendControl(toWordFrame(FRAME.reset, id, H2_CODES[code]))
    this.#remember(id, isLast)
  }

  #remember(id: number, isLast = false): void {
    if (isLast) return
    this.#abrupt.add(id)
    if (this.#abrupt.size <= MAX_REMEMBERED) return
    for (const oldest of this.#abrupt) {
      this.#abrupt.delete(oldest)
      return
    }
  }
}

/** @throws H2Error where a frame has not this length, or is of a stream where it must be of the connection, or vice versa */
function check({ type, stream, payload }: H2Frame, bytes?: number, of?: 'stream' | 'connection'): void {
  if (of !== undefined && (stream === 0) !== (of === 'connection'))
    throw new H2Error('PROTOCOL_ERROR', `A frame of type ${type} came on stream ${stream}`)
  if (bytes !== undefined && payload.length !== bytes)
    throw new H2Error('FRAME_SIZE_ERROR', `A frame of type ${type} has ${payload.length} bytes: expected ${bytes}`)
}

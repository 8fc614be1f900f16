import { H2Error } from './errors.ts'
import { FLAG, FRAME, FRAME_HEAD_BYTES, MAX_FRAME_BYTES, writeFrameHead } from './frames.ts'
import { NO_TABLE } from './hpack-encoder.ts'
import { MAX_WINDOW_BYTES } from './settings.ts'

/** What sends on a connection: a stream. */
export interface H2Sender {
  /** Sends one frame, if it may. Returns whether it is worth asking again. */
  sendNext(): boolean
}

/** A window of RFC 9113 before any word of it. */
const FIRST_WINDOW_BYTES = 65_535
/** More is not made ready before what is has been taken, so that many answers are not held twice. */
const READY_BYTES = 256 * 1024
/** Frames are collected in pieces of this size; longer bytes are not copied. */
const PIECE_BYTES = 8 * 1024
const COPY_BYTES = 4 * 1024
const LONGEST_FRAME_BYTES = 64 * 1024
/** Answers to SETTINGS, PING and to what is refused, while the peer takes nothing; more end the connection. */
const MAX_HELD_CONTROLS = 1000

/** What goes out on one connection: frames in the order in which they are to be written, and who waits to add one. */
export class H2Outbox {
  readonly #wake: () => void
  /** Of the connection. */
  #windowBytes = FIRST_WINDOW_BYTES
  #maxFrameBytes = MAX_FRAME_BYTES
  #pieces: Uint8Array[] = []
  #piece = Buffer.alloc(0)
  #start = 0
  #end = 0
  #readyBytes = 0
  #isBlocked = false
  #heldControls = 0
  #isFirstBlock = true
  readonly #waiting = new Set<H2Sender>()

  /** `wake` is called where something is ready. */
  constructor(wake: () => void) {
    this.#wake = wake
  }

  /** Bytes of DATA that one frame may carry now. */
  get dataRoomBytes(): number {
    return Math.min(this.#windowBytes, this.#maxFrameBytes)
  }

  /** Whether what is sent has to wait for what is written before. */
  get isFull(): boolean {
    return this.#isBlocked || this.#readyBytes >= READY_BYTES
  }

  /** @throws H2Error where the peer makes this side answer and takes none of it */
  checkFlood(): void {
    if (this.#heldControls > MAX_HELD_CONTROLS)
      throw new H2Error('ENHANCE_YOUR_CALM', `More than ${MAX_HELD_CONTROLS} answers to control frames are not taken`)
  }

  /** Takes all that is ready. */
  take(): readonly Uint8Array[] {
    this.pump()
    if (this.#end > this.#start) this.#pieces.push(this.#piece.subarray(this.#start, this.#end))
    this.#start = this.#end
    const pieces = this.#pieces
    this.#pieces = []
    this.#readyBytes = 0
    return pieces
  }

  /** Is told whether the peer takes more. */
  setFlowing(isFlowing: boolean): void {
    this.#isBlocked = !isFlowing
    if (!isFlowing) return
    this.#heldControls = 0
    this.pump()
  }

  /** Adds a frame that nothing bounds. */
  sendControl(frame: Uint8Array): void {
    if (this.#isBlocked) this.#heldControls += 1
    this.#add(frame)
    this.#wake()
  }

  /** Adds a block of headers, which no window bounds. */
  sendBlock(stream: number, block: Uint8Array, isLast: boolean): void {
    const whole = this.#isFirstBlock ? Buffer.concat([NO_TABLE, block]) : block
    this.#isFirstBlock = false
    let type: number = FRAME.headers
    let flags = isLast ? FLAG.endStream : 0
    for (let at = 0; ; type = FRAME.continuation, flags = 0) {
      const part = whole.subarray(at, at + this.#maxFrameBytes)
      at += part.byteLength
      if (at === whole.byteLength) flags |= FLAG.endHeaders
      this.#addFrame(type, flags, stream, part)
      if (at === whole.byteLength) break
    }
    this.#wake()
  }

  /** Adds bytes of a body, `dataRoomBytes` at most. */
  sendData(stream: number, bytes: Uint8Array, isLast: boolean): void {
    this.#windowBytes -= bytes.byteLength
    this.#addFrame(FRAME.data, isLast ? FLAG.endStream : 0, stream, bytes)
    this.#wake()
  }

  /** Notes that the peer takes more bytes of bodies; `pump` sends them. @throws H2Error where that is more than a window holds */
  widen(bytes: number): void {
    this.#windowBytes += bytes
    if (this.#windowBytes > MAX_WINDOW_BYTES)
      throw new H2Error('FLOW_CONTROL_ERROR', 'The window of the connection has grown beyond its range')
  }

  /** Is told what the peer takes; longer frames than these would let others wait. */
  setMaxFrame(bytes: number): void {
    this.#maxFrameBytes = Math.min(bytes, LONGEST_FRAME_BYTES)
  }

  /** Asks a sender to send when it may. */
  enter(sender: H2Sender): void {
    this.#waiting.add(sender)
    this.#wake()
  }

  /** Forgets a sender. */
  leave(sender: H2Sender): void {
    this.#waiting.delete(sender)
  }

  /** Lets senders send, one frame each in turn, as long as there is room. */
  pump(): void {
    let isMoving = true
    while (isMoving && !this.isFull) {
      isMoving = false
      for (const sender of [...this.#waiting]) {
        if (this.isFull) break
        if (!sender.sendNext()) continue
        isMoving = true
        // Behind the others: the next time they are first.
        this.#waiting.delete(sender)
        this.#waiting.add(sender)
      }
    }
  }

  #addFrame(type: number, flags: number, stream: number, payload: Uint8Array): void {
    this.#reserve(FRAME_HEAD_BYTES)
    this.#end = writeFrameHead(this.#piece, this.#end, { type, flags, stream, length: payload.byteLength })
    this.#readyBytes += FRAME_HEAD_BYTES
    this.#add(payload)
  }

  #add(bytes: Uint8Array): void {
    this.#readyBytes += bytes.byteLength
    if (bytes.byteLength > COPY_BYTES) {
      if (this.#end > this.#start) this.#pieces.push(this.#piece.subarray(this.#start, this.#end))
      this.#start = this.#end
      this.#pieces.push(bytes)
      return
    }
    this.#reserve(bytes.byteLength)
    this.#piece.set(bytes, this.#end)
    this.#end += bytes.byteLength
  }

  /** Makes room for bytes in a piece that nobody has taken. */
  #reserve(bytes: number): void {
    if (this.#piece.length - this.#end >= bytes) return
    if (this.#end > this.#start) this.#pieces.push(this.#piece.subarray(this.#start, this.#end))
    this.#piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
    this.#start = 0
    this.#end = 0
  }
}

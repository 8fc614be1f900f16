import { H2_CODES, type H2Code } from './errors.ts'
import { FRAME, toWordFrame } from './frames.ts'
import type { H2Outbox, H2Sender } from './outbox.ts'
import { H2ReceiveWindow } from './receive-window.ts'
import { MAX_WINDOW_BYTES } from './settings.ts'

/** What is told of a stream. */
export interface H2StreamListener {
  /** Bytes of the request's body came; what is not wanted later is given back with `giveBack`. */
  onData(bytes: Buffer): void
  /** The request is whole. */
  onEnd(): void
  /** All that was sent is on its way. */
  onDrain(): void
  /** Nothing goes either way any more, which it says once. */
  onClose(): void
}

/** What a stream asks of its connection. */
export interface H2StreamOwner {
  readonly outbox: H2Outbox
  /** It is over. `isAbrupt` where the peer may still send of it what it has not been told is unwanted. */
  onStreamClosed(stream: H2Stream, isAbrupt: boolean): void
}

/** A part of an answer: a block of headers, or bytes of a body. */
export interface H2Part {
  readonly kind: 'block' | 'data'
  readonly bytes: Uint8Array
}

/** How a stream begins. */
export interface H2StreamStart {
  readonly id: number
  readonly sendWindowBytes: number
  readonly receiveWindowBytes: number
  /** Of the request, where it is told. */
  readonly contentLength: number | undefined
  /** It has no body. */
  readonly isRequestEnded: boolean
}

const NOBODY: H2StreamListener = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} }

/** One request and its answer. */
export class H2Stream implements H2Sender {
  readonly id: number
  readonly #owner: H2StreamOwner
  readonly #window: H2ReceiveWindow
  #listener = NOBODY
  /** What the peer takes of its body. */
  #sendBytes: number
  /** What its request still owes, where it told how long it is. */
  #missingBytes: number | undefined
  readonly #parts: H2Part[] = []
  #isAnswerEnded = false
  #isRequestEnded: boolean
  #isHeadSent = false
  #isClosed = false

  constructor(owner: H2StreamOwner, start: H2StreamStart) {
    const { id, sendWindowBytes, receiveWindowBytes, contentLength, isRequestEnded } = start
    this.id = id
    this.#isRequestEnded = isRequestEnded
    this.#owner = owner
    this.#sendBytes = sendWindowBytes
    this.#window = new H2ReceiveWindow(receiveWindowBytes)
    this.#missingBytes = contentLength
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Whether its request is whole. */
  get isRequestEnded(): boolean {
    return this.#isRequestEnded
  }

  /** Whether its answer has begun. */
  get isHeadSent(): boolean {
    return this.#isHeadSent
  }

  listen(listener: H2StreamListener): void {
    this.#listener = listener
  }

  /** Sends parts of the answer. Returns whether they are on their way; `onDrain` is told of those that wait. */
  send(parts: readonly H2Part[], isLast: boolean): boolean {
    if (this.#isClosed || this.#isAnswerEnded) return true
    this.#isHeadSent = true
    this.#isAnswerEnded = isLast
    this.#parts.push(...parts)
    const { outbox } = this.#owner
    while (this.#parts.length > 0 && !outbox.isFull) if (!this.sendNext()) break
    if (this.#parts.length === 0) return true
    outbox.enter(this)
    return false
  }

  sendNext(): boolean {
    const part = this.#parts[0]
    if (part === undefined || this.#isClosed) return false
    if (part.kind === 'block') this.#sendBlock(part.bytes)
    else if (!this.#sendData(part.bytes)) return false
    if (this.#parts.length > 0) return true
    this.#owner.outbox.leave(this)
    if (this.#isAnswerEnded) this.#endAnswer()
    else this.#listener.onDrain()
    return false
  }

  /** Ends it at once: what waits is not sent. */
  reset(code: H2Code): void {
    if (this.#isClosed) return
    this.#owner.outbox.sendControl(toWordFrame(FRAME.reset, this.id, H2_CODES[code]))
    this.close(true)
  }

  /** Takes note that it is over. */
  close(isAbrupt = false): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#parts.length = 0
    this.#owner.outbox.leave(this)
    this.#owner.onStreamClosed(this, isAbrupt && !this.#isRequestEnded)
    this.#listener.onClose()
  }

  /** Takes bytes of its body in, `frameBytes` with what is around them. Returns the error that they are, if they are one. */
  receive(bytes: Buffer, frameBytes: number, isLast: boolean): H2Code | undefined {
    if (!this.#window.take(frameBytes)) return 'FLOW_CONTROL_ERROR'
    if (this.#missingBytes !== undefined) this.#missingBytes -= bytes.length
    if ((this.#missingBytes ?? 0) < 0) return 'PROTOCOL_ERROR'
    this.#isRequestEnded = isLast
    this.giveBack(frameBytes - bytes.length)
    if (bytes.length > 0) this.#listener.onData(bytes)
    return isLast ? this.endRequest() : undefined
  }

  /** Takes note that its request is whole. Returns the error that this is, if it is shorter than it was to be. */
  endRequest(): H2Code | undefined {
    this.#isRequestEnded = true
    if (this.#isClosed) return undefined
    if ((this.#missingBytes ?? 0) > 0) return 'PROTOCOL_ERROR'
    this.#listener.onEnd()
    return undefined
  }

  /** Lets the peer send so many bytes more, which came and are used. */
  giveBack(bytes: number): void {
    if (this.#isClosed || this.#isRequestEnded) return
    const given = this.#window.giveBack(bytes)
    if (given > 0) this.#owner.outbox.sendControl(toWordFrame(FRAME.windowUpdate, this.id, given))
  }

  /** Sends more, or less, as the peer wants. Returns whether its window is within its range. */
  widen(bytes: number): boolean {
    this.#sendBytes += bytes
    if (this.#parts.length > 0) this.#owner.outbox.enter(this)
    return this.#sendBytes <= MAX_WINDOW_BYTES
  }

  #sendBlock(block: Uint8Array): void {
    this.#parts.shift()
    this.#owner.outbox.sendBlock(this.id, block, this.#isLastPart)
  }

  /** Sends as much as one frame may carry. Returns whether it was anything. */
  #sendData(bytes: Uint8Array): boolean {
    const { outbox } = this.#owner
    const room = Math.max(0, Math.min(this.#sendBytes, outbox.dataRoomBytes))
    const sent = bytes.subarray(0, room)
    if (sent.byteLength === 0 && bytes.byteLength > 0) {
      // Its own window opens with a word that enters it again.
      if (this.#sendBytes <= 0) outbox.leave(this)
      return false
    }
    this.#sendBytes -= sent.byteLength
    if (sent.byteLength === bytes.byteLength) this.#parts.shift()
    else this.#parts[0] = { kind: 'data', bytes: bytes.subarray(sent.byteLength) }
    outbox.sendData(this.id, sent, this.#isLastPart)
    return true
  }

  get #isLastPart(): boolean {
    return this.#isAnswerEnded && this.#parts.length === 0
  }

  #endAnswer(): void {
    // What still comes of the request is not wanted (RFC 9113, section 8.1).
    if (this.#isRequestEnded) this.close()
    else this.reset('NO_ERROR')
  }
}

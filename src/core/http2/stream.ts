import { H2_CODES, type H2Code } from './errors.ts'
import { FRAME, toWordFrame } from './frames.ts'
import type { H2Head, ReadH2Head } from './head.ts'
import type { H2Outbox, H2Sender } from './outbox.ts'
import { H2ReceiveWindow } from './receive-window.ts'
import { MAX_WINDOW_BYTES } from './settings.ts'

/** Why a stream ended before its time: the code of RFC 9113, section 7, and whose word it was. */
export interface H2Reset {
  /** `goaway`: the peer goes, and has not begun it. */
  readonly by: 'own' | 'peer' | 'goaway'
  readonly code: number
}

/** What is told of a stream. */
export interface H2StreamListener {
  /** The head of an answer came. */
  onHead(headers: H2Head['headers']): void
  /** Bytes of a body came; what is not wanted later is given back with `giveBack`. */
  onData(bytes: Buffer): void
  /** Fields came behind the body. */
  onTrailers(headers: H2Head['headers']): void
  /** What comes is whole. */
  onEnd(): void
  /** All that was sent is on its way. */
  onDrain(): void
  /** Nothing goes either way any more, which it says once. */
  onClose(reset?: H2Reset): void
}

/** What a stream asks of its connection. */
export interface H2StreamOwner {
  readonly outbox: H2Outbox
  /** Bytes that came are used. */
  giveBack(bytes: number): void
  /** It is over. `isAbrupt` where the peer may still send of it what it has not been told is unwanted. */
  onStreamClosed(stream: H2Stream, isAbrupt: boolean): void
}

/** A part of what is sent: a block of headers, or bytes of a body. */
export interface H2Part {
  readonly kind: 'block' | 'data'
  readonly bytes: Uint8Array
}

/** How a stream begins. */
export interface H2StreamStart {
  readonly id: number
  /** This side asks on it; else it answers. */
  readonly isOwn: boolean
  readonly sendWindowBytes: number
  readonly receiveWindowBytes: number
}

const NOBODY: H2StreamListener = { onHead() {}, onData() {}, onTrailers() {}, onEnd() {}, onDrain() {}, onClose() {} }

/** One request and its answer, of which this side sends the one and receives the other. */
export class H2Stream implements H2Sender {
  readonly id: number
  readonly #owner: H2StreamOwner
  readonly #isOwn: boolean
  readonly #window: H2ReceiveWindow
  #listener = NOBODY
  /** What the peer takes of its body. */
  #sendBytes: number
  /** What still has to come of the body, where its length was told. */
  #missingBytes: number | undefined
  /** Bytes that came and are not used. */
  #heldBytes = 0
  readonly #parts: H2Part[] = []
  #isKnown: boolean
  #isSendEnded = false
  #isHeadReceived = false
  #isReceiveEnded = false
  #isClosed = false

  constructor(owner: H2StreamOwner, { id, isOwn, sendWindowBytes, receiveWindowBytes }: H2StreamStart) {
    this.id = id
    this.#owner = owner
    this.#isOwn = isOwn
    this.#isKnown = !isOwn
    this.#sendBytes = sendWindowBytes
    this.#window = new H2ReceiveWindow(receiveWindowBytes)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Whether the peer knows of it, or will. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  /** Whether what follows is a body. */
  get isHeadReceived(): boolean {
    return this.#isHeadReceived
  }

  /** Whether what comes is whole. */
  get isReceiveEnded(): boolean {
    return this.#isReceiveEnded
  }

  listen(listener: H2StreamListener): void {
    this.#listener = listener
  }

  /** Sends parts. Returns whether they are on their way; `onDrain` is told of those that wait. */
  send(parts: readonly H2Part[], isLast: boolean): boolean {
    if (this.#isClosed || this.#isSendEnded) return true
    this.#isSendEnded = isLast
    this.#parts.push(...parts)
    const { outbox } = this.#owner
    // A head that begins a stream waits for its turn: until it is sent, the peer may say that it goes.
    while (this.#isKnown && this.#parts.length > 0 && !outbox.isFull) if (!this.sendNext()) break
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
    if (this.#isSendEnded) this.#settle()
    else this.#listener.onDrain()
    return false
  }

  /** Ends it at once: what waits is not sent. */
  reset(code: H2Code): void {
    if (this.#isClosed) return
    this.#sendReset(code)
    this.close({ by: 'own', code: H2_CODES[code] })
  }

  /** Takes note that it is over. */
  close(reset?: H2Reset): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#parts.length = 0
    this.#owner.outbox.leave(this)
    // Whoever still has them keeps them for himself.
    this.#owner.giveBack(this.#heldBytes)
    this.#owner.onStreamClosed(this, this.#isKnown && !this.#isReceiveEnded && reset?.by !== 'peer')
    this.#listener.onClose(reset)
  }

  /** Takes note that a head came, whose body may have a known length, or, where it is the last, has none. */
  begin(contentLength: number | undefined, isLast: boolean): void {
    this.#isHeadReceived = true
    this.#missingBytes = contentLength
    this.#isReceiveEnded = isLast
  }

  /** Takes in the head of an answer. Returns the error that it is, if it is one. */
  receiveHead({ headers, contentLength }: H2Head, isLast: boolean): H2Code | undefined {
    this.begin(contentLength, isLast)
    this.#listener.onHead(headers)
    return isLast ? this.endReceive() : undefined
  }

  /** Takes bytes of a body in, `frameBytes` with what is around them. Returns the error that they are, if they are one. */
  receive(bytes: Buffer, frameBytes: number, isLast: boolean): H2Code | undefined {
    this.#heldBytes += frameBytes
    if (!this.#window.take(frameBytes)) return 'FLOW_CONTROL_ERROR'
    if (!this.#isHeadReceived) return 'PROTOCOL_ERROR'
    if (this.#missingBytes !== undefined) this.#missingBytes -= bytes.length
    if ((this.#missingBytes ?? 0) < 0) return 'PROTOCOL_ERROR'
    this.#isReceiveEnded = isLast
    this.giveBack(frameBytes - bytes.length)
    if (bytes.length > 0) this.#listener.onData(bytes)
    return isLast ? this.endReceive() : undefined
  }

  /** Takes in what was read of fields behind a body. Returns the error that it is, if it is one. */
  receiveTrailers(head: ReadH2Head, isLast: boolean): H2Code | undefined {
    if (head === 'too-long') return 'ENHANCE_YOUR_CALM'
    if (head === 'malformed' || !isLast) return 'PROTOCOL_ERROR'
    this.#isReceiveEnded = true
    this.#listener.onTrailers(head.headers)
    return this.endReceive()
  }

  /** Takes note that what comes is whole. Returns the error that this is, if it is shorter than it was to be. */
  endReceive(): H2Code | undefined {
    if (this.#isClosed) return undefined
    if ((this.#missingBytes ?? 0) > 0) return 'PROTOCOL_ERROR'
    this.#listener.onEnd()
    if (this.#isOwn) this.#settle()
    return undefined
  }

  /** Lets the peer send so many bytes more, which came and are used. */
  giveBack(bytes: number): void {
    if (this.#isClosed || bytes === 0) return
    this.#heldBytes -= bytes
    this.#owner.giveBack(bytes)
    if (this.#isReceiveEnded) return
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
    this.#isKnown = true
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
    return this.#isSendEnded && this.#parts.length === 0
  }

  /** An answer that is whole ends it: of its request nothing more is wanted (RFC 9113, section 8.1). */
  #settle(): void {
    const isSent = this.#isLastPart
    if (!(this.#isOwn ? this.#isReceiveEnded : isSent)) return
    if (!isSent || !this.#isReceiveEnded) this.#sendReset(this.#isOwn ? 'CANCEL' : 'NO_ERROR')
    this.close()
  }

  #sendReset(code: H2Code): void {
    if (this.#isKnown) this.#owner.outbox.sendControl(toWordFrame(FRAME.reset, this.id, H2_CODES[code]))
  }
}

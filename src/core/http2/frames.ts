import { H2Error } from './errors.ts'

/*
 * A frame on the wire (RFC 9113, section 4.1):
 *
 *   bytes 0-2   length of the payload, unsigned, big-endian
 *   byte 3      type
 *   byte 4      flags
 *   bytes 5-8   stream id, its highest bit reserved
 *   bytes 9-    payload
 */

/** Bytes before each payload. */
export const FRAME_HEAD_BYTES = 9
/** The longest payload that is taken, and sent to who allows no more: the least that HTTP/2 knows. */
export const MAX_FRAME_BYTES = 16_384

/** The types of frames. Source: RFC 9113, section 6. */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

/** The flags of frames; `ack` is of SETTINGS and PING. */
export const FLAG = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const

/** A frame as it came. */
export interface H2Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** Writes the head of a frame into bytes. Returns where its payload begins. */
export function writeFrameHead(into: Buffer, at: number, head: Omit<H2Frame, 'payload'> & { length: number }): number {
  const { type, flags, stream, length } = head
  into[at] = length >>> 16
  into[at + 1] = length >>> 8
  into[at + 2] = length
  into[at + 3] = type
  into[at + 4] = flags
  into.writeUInt32BE(stream, at + 5)
  return at + FRAME_HEAD_BYTES
}

/** The bytes of a whole frame. */
export function toFrameBytes(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEAD_BYTES + payload.byteLength)
  bytes.set(payload, writeFrameHead(bytes, 0, { type, flags, stream, length: payload.byteLength }))
  return bytes
}

/** The bytes of a frame whose payload is one number of 32 bits. */
export function toWordFrame(type: number, stream: number, word: number): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEAD_BYTES + 4)
  bytes.writeUInt32BE(word, writeFrameHead(bytes, 0, { type, flags: 0, stream, length: 4 }))
  return bytes
}

/** What a client sends first (RFC 9113, section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** Takes frames out of the bytes of one connection, however those are cut. What came in one piece is not copied. */
export class H2FrameReader {
  #parts: Buffer[] = []
  #heldBytes = 0
  #wantedBytes = FRAME_HEAD_BYTES
  #isPrefaceOver: boolean

  /** `isServer`: a preface comes before the first frame. */
  constructor(isServer: boolean) {
    this.#isPrefaceOver = !isServer
  }

  /** Takes bytes in. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#parts.push(chunk)
    this.#heldBytes += chunk.length
  }

  /** The next frame, if it is whole. @throws H2Error where bytes begin no connection, or a frame is too long */
  next(): H2Frame | undefined {
    if (!this.#isPrefaceOver && !this.#takePreface()) return undefined
    if (this.#heldBytes < this.#wantedBytes) return undefined
    const head = this.#front(FRAME_HEAD_BYTES)
    const length = head.readUIntBE(0, 3)
    if (length > MAX_FRAME_BYTES)
      throw new H2Error('FRAME_SIZE_ERROR', `A frame of ${length} bytes came: expected ${MAX_FRAME_BYTES} at most`)
    const end = FRAME_HEAD_BYTES + length
    if (this.#heldBytes < end) {
      this.#wantedBytes = end
      return undefined
    }
    this.#wantedBytes = FRAME_HEAD_BYTES
    const bytes = this.#front(end)
    const frame = {
      type: bytes[3] ?? 0,
      flags: bytes[4] ?? 0,
      stream: bytes.readUInt32BE(5) & 0x7fffffff,
      payload: bytes.subarray(FRAME_HEAD_BYTES, end),
    }
    this.#drop(end)
    return frame
  }

  /** Whether the preface has passed; it is refused at its first wrong byte. */
  #takePreface(): boolean {
    const bytes = Math.min(this.#heldBytes, PREFACE.length)
    if (bytes === 0) return false
    if (this.#front(bytes).compare(PREFACE, 0, bytes, 0, bytes) !== 0)
      throw new H2Error('PROTOCOL_ERROR', 'What came is no HTTP/2: expected its preface')
    if (bytes < PREFACE.length) return false
    this.#drop(bytes)
    this.#isPrefaceOver = true
    return true
  }

  /** Bytes that begin with the first so many, which are here. */
  #front(bytes: number): Buffer {
    const [first] = this.#parts
    if (first !== undefined && first.length >= bytes) return first
    const taken: Buffer[] = []
    let missing = bytes
    for (const part of this.#parts) {
      if (missing === 0) break
      taken.push(part.subarray(0, missing))
      missing -= Math.min(missing, part.length)
    }
    const front = Buffer.concat(taken, bytes)
    this.#drop(bytes)
    this.#parts.unshift(front)
    this.#heldBytes += bytes
    return front
  }

  #drop(bytes: number): void {
    this.#heldBytes -= bytes
    let left = bytes
    while (left > 0) {
      const first = this.#parts[0]
      if (first === undefined) return
      if (first.length > left) {
        this.#parts[0] = first.subarray(left)
        return
      }
      left -= first.length
      this.#parts.shift()
    }
  }
}

import { GrpcError } from './grpc.ts'

/*
 * A message on the wire (grpc/grpc doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message"):
 *
 *   byte 0      1 where the message is compressed, else 0
 *   bytes 1-4   length of the message, unsigned, big-endian
 *   bytes 5-    the message
 */
const PREFIX_BYTES = 5

/** Below it one copy costs less than one more piece to write. */
const COPY_BYTES = 16 * 1024

/** A message as it came. */
export interface GrpcFrame {
  readonly compressed: boolean
  readonly message: Uint8Array
}

/** Takes messages out of a stream of bytes, however those are cut. A message that came in one piece is not copied. */
export class GrpcFrameReader {
  readonly #maxBytes: number
  #prefixBytes = 0
  #flag = 0
  #length = 0
  #received = 0
  #parts: Uint8Array[] = []

  /** A message longer than `maxBytes` is refused. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Whether a message has begun and is not whole. */
  get isPartial(): boolean {
    return this.#prefixBytes > 0
  }

  /** Bytes of it that are there. */
  get partialBytes(): number {
    return this.#prefixBytes + this.#received
  }

  /** The messages that become whole with these bytes. @throws GrpcError as soon as a prefix is refused */
  push(chunk: Uint8Array): readonly GrpcFrame[] {
    const frames: GrpcFrame[] = []
    let at = 0
    while (at < chunk.byteLength) {
      at = this.#takePrefix(chunk, at)
      if (this.#prefixBytes < PREFIX_BYTES) break
      at = this.#takePart(chunk, at)
      if (this.#received === this.#length) frames.push(this.#finish())
    }
    return frames
  }

  #takePrefix(chunk: Uint8Array, start: number): number {
    let at = start
    for (; this.#prefixBytes < PREFIX_BYTES && at < chunk.byteLength; at++) {
      const byte = chunk[at] ?? 0
      if (this.#prefixBytes === 0) this.#flag = byte
      else this.#length = this.#length * 256 + byte
      this.#prefixBytes += 1
      if (this.#prefixBytes === PREFIX_BYTES) this.#checkPrefix()
    }
    return at
  }

  #checkPrefix(): void {
    if (this.#flag > 1)
      throw new GrpcError('INTERNAL', `Cannot read a message whose first byte is ${this.#flag}: expected 0 or 1`)
    if (this.#length > this.#maxBytes)
      throw new GrpcError(
        'RESOURCE_EXHAUSTED',
        `Message of ${this.#length} bytes is longer than the limit of ${this.#maxBytes} bytes`,
      )
  }

  #takePart(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.byteLength, at + this.#length - this.#received)
    if (end > at) this.#parts.push(chunk.subarray(at, end))
    this.#received += end - at
    return end
  }

  #finish(): GrpcFrame {
    const [first] = this.#parts
    const message = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts)
    const frame = { compressed: this.#flag === 1, message }
    this.#prefixBytes = 0
    this.#length = 0
    this.#received = 0
    this.#parts = []
    return frame
  }
}

/** The bytes of a message on the wire, in one piece or, where a copy would cost more, in two. */
export function toGrpcFrame(message: Uint8Array, compressed = false): readonly [Uint8Array, Uint8Array?] {
  const isShort = message.byteLength <= COPY_BYTES
  const first = Buffer.allocUnsafe(PREFIX_BYTES + (isShort ? message.byteLength : 0))
  first[0] = compressed ? 1 : 0
  first.writeUInt32BE(message.byteLength, 1)
  if (!isShort) return [first, message]
  first.set(message, PREFIX_BYTES)
  return [first]
}

import { connect, type Socket } from 'node:net'

/** Frame types (RFC 9113, section 6). */
export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const

const END_STREAM = 1
const END_HEADERS = 4

/** A frame as it came. */
export interface Frame {
  readonly type: number
  readonly stream: number
  readonly payload: Buffer
}

/** One frame: 24 bits of length, 8 of type, 8 of flags, 32 of stream id, and the payload. */
export function toFrame(type: number, stream: number, payload: Uint8Array = Buffer.of(), flags = 0): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.byteLength, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A 32-bit payload. */
export function toWord(value: number): Buffer {
  const word = Buffer.alloc(4)
  word.writeUInt32BE(value)
  return word
}

/** A block of headers, each a literal without index (RFC 7541, section 6.2.2). */
export function toHead(stream: number, headers: Readonly<Record<string, string>>, isLast = false): Buffer {
  const texts = Object.entries(headers).map(([name, value]) =>
    Buffer.concat([Buffer.of(0, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)]),
  )
  return toFrame(FRAME.headers, stream, Buffer.concat(texts), END_HEADERS | (isLast ? END_STREAM : 0))
}

/** The headers of a call. */
export const toCallHead = (stream: number, headers: Readonly<Record<string, string>> = {}): Buffer =>
  toHead(stream, {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': '/a.B/C',
    ':authority': 'x',
    'content-type': 'application/grpc',
    ...headers,
  })

/** Bytes of a call's body. */
export const toData = (stream: number, bytes: Uint8Array, isLast = false): Buffer =>
  toFrame(FRAME.data, stream, bytes, isLast ? END_STREAM : 0)

/** A connection on which frames are written by hand, so that they may be wrong. */
export class FrameSocket implements Disposable {
  readonly socket: Socket
  readonly frames: Frame[] = []
  #rest: Buffer
  #closed = false

  /** `skipBytes` come before the first frame. */
  constructor(socket: Socket, skipBytes = 0) {
    this.socket = socket
    this.#rest = Buffer.alloc(0)
    let skip = skipBytes
    socket.on('error', () => {})
    socket.once('close', () => {
      this.#closed = true
    })
    socket.on('data', (chunk: Buffer) => {
      this.#read(chunk.subarray(skip))
      skip = Math.max(0, skip - chunk.byteLength)
    })
  }

  /** Whether the connection has ended. */
  get isClosed(): boolean {
    return this.#closed
  }

  write(...frames: readonly Uint8Array[]): boolean {
    return this.socket.write(Buffer.concat(frames))
  }

  /** Whether such a frame has come. */
  has(type: number, stream: number): boolean {
    return this.frames.some(frame => frame.type === type && frame.stream === stream)
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    while (this.#rest.byteLength >= 9) {
      const end = 9 + this.#rest.readUIntBE(0, 3)
      if (this.#rest.byteLength < end) return
      const [type = -1, stream] = [this.#rest[3], this.#rest.readUInt32BE(5)]
      this.frames.push({ type, stream, payload: this.#rest.subarray(9, end) })
      this.#rest = this.#rest.subarray(end)
    }
  }
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** A client of frames. */
export class FrameClient extends FrameSocket {
  constructor(port: number, settings: Uint8Array = Buffer.of()) {
    super(connect(port))
    this.write(PREFACE, toFrame(FRAME.settings, 0, settings))
  }
}

/** The server's side of a connection of frames. */
export function acceptFrames(socket: Socket): FrameSocket {
  const frames = new FrameSocket(socket, PREFACE.byteLength)
  frames.write(toFrame(FRAME.settings, 0))
  return frames
}

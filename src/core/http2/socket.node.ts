import type { Socket } from 'node:net'
import type { H2Connection } from './connection.ts'
import { H2Error } from './errors.ts'

/** Who is told of a connection on its socket. */
export interface H2SocketListener {
  /** Frames came. */
  onFrames(): void
  /** The connection and its streams end next: its peer broke HTTP/2 (an `H2Error`), or there is a bug here. */
  onFault(error: unknown): void
  /** The socket is closed; streams that are open are told so next. */
  onClose(): void
}

/** Calls back soon: `nextTick`, or `setImmediate`, before which all is read that has come. */
export type Defer = (call: (socket: H2Socket) => void, socket: H2Socket) => unknown

/** What is written at once is joined, up to this. */
const JOIN_BYTES = 64 * 1024
/** Time for the peer to close once it has been told to. */
const CLOSE_WITHIN_MS = 1000

/** Carries the bytes of an HTTP/2 connection to its socket and back. */
export class H2Socket {
  readonly #socket: Socket
  readonly #connection: H2Connection
  readonly #listener: H2SocketListener
  readonly #defer: Defer
  #timer: NodeJS.Timeout | undefined
  #isWoken = false
  /** It takes nothing in any more. */
  #isEnding = false

  /** What becomes ready until `defer` calls back is written together. */
  constructor(socket: Socket, connection: H2Connection, listener: H2SocketListener, defer: Defer) {
    this.#socket = socket
    this.#connection = connection
    this.#listener = listener
    this.#defer = defer
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('drain', () => connection.outbox.setFlowing(true))
    // Who closes its side waits for no answer.
    socket.on('end', () => socket.destroy())
    // 'close' follows and tells the same.
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(this.#timer)
      listener.onClose()
      connection.close()
    })
  }

  /** Has what is ready written soon. */
  wake(): void {
    if (this.#isWoken) return
    this.#isWoken = true
    this.#defer(flush, this)
  }

  /** Writes what is ready, and ends the connection where that was the last. */
  flush(): void {
    this.#isWoken = false
    if (this.#socket.destroyed) return
    const { outbox, isOver } = this.#connection
    const isFlowing = this.#write(outbox.take())
    outbox.setFlowing(isFlowing)
    if ((!isOver && !this.#isEnding) || this.#timer !== undefined) return
    this.#isEnding = true
    this.#socket.end()
    this.#timer = setTimeout(destroy, CLOSE_WITHIN_MS, this.#socket)
  }

  /** Ends the connection without waiting for its peer, which is told why as far as it takes it. */
  destroy(): void {
    this.#connection.goAway('NO_ERROR')
    this.flush()
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    if (this.#isEnding) return
    try {
      if (this.#connection.receive(chunk, performance.now())) this.#listener.onFrames()
      if (this.#connection.isOver) this.wake()
    } catch (error) {
      this.#isEnding = true
      this.#socket.pause()
      this.#listener.onFault(error)
      this.#connection.goAway(error instanceof H2Error ? error.code : 'INTERNAL_ERROR')
      this.#connection.close()
    }
  }

  /** Returns whether the socket takes more. */
  #write(pieces: readonly Uint8Array[]): boolean {
    const [only] = pieces
    if (only === undefined) return !this.#socket.writableNeedDrain
    if (pieces.length === 1) return this.#socket.write(only)
    let bytes = 0
    for (const piece of pieces) bytes += piece.byteLength
    if (bytes <= JOIN_BYTES) return this.#socket.write(Buffer.concat(pieces, bytes))
    this.#socket.cork()
    let isFlowing = true
    for (const piece of pieces) isFlowing = this.#socket.write(piece)
    this.#socket.uncork()
    return isFlowing
  }
}

const flush = (socket: H2Socket): void => socket.flush()
const destroy = (socket: Socket): void => void socket.destroy()

import type { Socket } from 'node:net'
import { nextTick } from 'node:process'
import { H2Connection, type H2World } from './connection.ts'
import { H2Error } from './errors.ts'

/** What the HTTP/2 connections of one server have in common. */
export interface H2SocketWorld extends Omit<H2World, 'onOutput'> {
  /** Time without a frame after which a connection ends, ms: before its first request, and between two. */
  readonly newTimeoutMs: number
  readonly idleTimeoutMs: number
  /** Told of what should not happen. */
  readonly onError: ((error: unknown) => void) | undefined
  readonly sockets: Set<H2Socket>
}

/** What is written at once is joined, up to this. */
const JOIN_BYTES = 64 * 1024
/** Time for a client to close once it has been told to. */
const CLOSE_WITHIN_MS = 1000

/** An HTTP/2 connection on its socket. */
export class H2Socket {
  readonly #socket: Socket
  readonly #world: H2SocketWorld
  readonly #connection: H2Connection
  #timer: NodeJS.Timeout
  #isUsed = false
  #isWoken = false
  /** It takes nothing in any more. */
  #isEnding = false

  constructor(socket: Socket, world: H2SocketWorld) {
    this.#socket = socket
    this.#world = world
    this.#connection = new H2Connection({ ...world, onOutput: () => this.#wake() })
    this.#timer = setTimeout(expire, world.newTimeoutMs, this)
    world.sockets.add(this)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('drain', () => this.#connection.outbox.setFlowing(true))
    // Who closes its side waits for no answer.
    socket.on('end', () => socket.destroy())
    // 'close' follows and tells the same.
    socket.on('error', () => {})
    socket.on('close', () => this.#close())
    this.#connection.start()
  }

  /** Tells the client to go elsewhere; what it has asked for is answered before. */
  drain(): void {
    this.#connection.goAway('NO_ERROR')
  }

  /** Ends the connection where nothing came for long, unless a request is under way. */
  expire(): void {
    if (this.#isEnding) this.#socket.destroy()
    else if (this.#connection.streams > 0) this.#timer.refresh()
    else {
      this.drain()
      this.#restart(CLOSE_WITHIN_MS)
    }
  }

  #take(chunk: Buffer): void {
    if (this.#isEnding) return
    try {
      if (this.#connection.receive(chunk, performance.now())) this.#stay()
      if (this.#connection.isOver) this.#wake()
    } catch (error) {
      if (!(error instanceof H2Error)) this.#world.onError?.(error)
      this.#isEnding = true
      this.#socket.pause()
      this.#connection.goAway(error instanceof H2Error ? error.code : 'INTERNAL_ERROR')
      this.#connection.close()
    }
  }

  #stay(): void {
    if (this.#isUsed || !this.#connection.isUsed) this.#timer.refresh()
    else {
      this.#isUsed = true
      this.#restart(this.#world.idleTimeoutMs)
    }
  }

  #restart(timeoutMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(expire, timeoutMs, this)
  }

  /** What becomes ready in one turn is written at its end. */
  #wake(): void {
    if (this.#isWoken) return
    this.#isWoken = true
    nextTick(flush, this)
  }

  flush(): void {
    this.#isWoken = false
    if (this.#socket.destroyed) return
    const { outbox, isOver } = this.#connection
    const isFlowing = this.#write(outbox.take())
    outbox.setFlowing(isFlowing)
    if (!isOver && !this.#isEnding) return
    this.#isEnding = true
    this.#socket.end()
    this.#restart(CLOSE_WITHIN_MS)
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

  #close(): void {
    clearTimeout(this.#timer)
    this.#world.sockets.delete(this)
    this.#connection.close()
  }
}

const expire = (socket: H2Socket): void => socket.expire()
const flush = (socket: H2Socket): void => socket.flush()

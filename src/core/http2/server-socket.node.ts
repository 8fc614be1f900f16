import type { Socket } from 'node:net'
import { nextTick } from 'node:process'
import { H2Error } from './errors.ts'
import { H2Server, type H2ServerWorld } from './server.ts'
import { H2Socket, type H2SocketListener } from './socket.node.ts'

/** What the HTTP/2 connections of one server have in common. */
export interface H2SocketWorld extends Omit<H2ServerWorld, 'onOutput'> {
  /** Time without a frame after which a connection ends, ms: before its first request, and between two. */
  readonly newTimeoutMs: number
  readonly idleTimeoutMs: number
  /** Told of what should not happen. */
  readonly onError: ((error: unknown) => void) | undefined
  readonly sockets: Set<H2ServerSocket>
}

/** A client's connection on its socket. */
export class H2ServerSocket implements H2SocketListener {
  readonly #world: H2SocketWorld
  readonly #server: H2Server
  #timer: NodeJS.Timeout
  #isUsed = false

  constructor(socket: Socket, world: H2SocketWorld) {
    this.#world = world
    this.#timer = setTimeout(expire, world.newTimeoutMs, this)
    this.#server = new H2Server({ ...world, onOutput: () => wire.wake() })
    const wire = new H2Socket(socket, this.#server.connection, this, nextTick)
    world.sockets.add(this)
    this.#server.start()
  }

  /** Tells the client to go elsewhere; what it has asked for is answered before. */
  drain(): void {
    this.#server.connection.goAway('NO_ERROR')
  }

  /** Ends the connection where nothing came for long, unless a request is under way. */
  expire(): void {
    if (this.#server.connection.streams > 0) this.#timer.refresh()
    else this.drain()
  }

  onFrames(): void {
    if (this.#isUsed || this.#server.lastPeerId === 0) this.#timer.refresh()
    else {
      this.#isUsed = true
      clearTimeout(this.#timer)
      this.#timer = setTimeout(expire, this.#world.idleTimeoutMs, this)
    }
  }

  onFault(error: unknown): void {
    if (!(error instanceof H2Error)) this.#world.onError?.(error)
  }

  onClose(): void {
    clearTimeout(this.#timer)
    this.#world.sockets.delete(this)
  }
}

const expire = (socket: H2ServerSocket): void => socket.expire()

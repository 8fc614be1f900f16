import type { Socket } from 'node:net'
import { drained } from '../drained.node.ts'
import type { HttpResponse } from './http.ts'
import { IncomingRequest } from './incoming-request.ts'
import { writeChunks, writeHead, writeWhole } from './quick-answer.node.ts'
import type { QuickHead } from './quick-head.ts'
import { QuickReader } from './quick-reader.ts'
import { type HttpWorld, toInternalError } from './world.ts'

/** What the quick connections of one server have in common. */
export interface QuickWorld {
  readonly http: HttpWorld
  readonly connections: Set<QuickConnection>
  /** Leaves a connection to `node:http`. */
  readonly toNode: (socket: Socket) => void
  /** Seconds that the server has run. */
  readonly second: number
  /** The last lines of a head: of an answer that others may follow, and of the last one. */
  readonly ends: { readonly keep: string; readonly close: string }
}

/**
 * What a connection does.
 * - `new`: nothing has come yet.
 * - `receiving`: a part of a request is there.
 * - `answering`: a request is whole; what comes meanwhile waits.
 * - `streaming`: the head of its answer is sent, the pieces of the body are awaited.
 * - `idle`: waits for the next request.
 * - `closing`: the last answer is written, or nobody waits for one.
 */
type Phase = 'new' | 'receiving' | 'answering' | 'streaming' | 'idle' | 'closing'

/** No more of the next requests is read while one is answered. */
const MAX_AHEAD_BYTES = 64 * 1024
/** A request that is not whole by then is left to `node:http`, which knows how long a client may take. */
const WHOLE_WITHIN_S = 2
/** An idle connection is kept so much longer than its client was told: seconds are counted roughly, and requests travel. */
const KEPT_LONGER_S = 2
/** Time for a client to close once it has its last answer. */
const CLOSE_WITHIN_S = 10

/**
 * A connection whose requests are read and answered right on its socket, for a fraction of what `node:http` takes. Only
 * requests of the plain form are: with the first of any other kind the connection goes over to `node:http`, for good.
 */
export class QuickConnection {
  readonly #socket: Socket
  readonly #world: QuickWorld
  readonly #reader: QuickReader
  #phase: Phase = 'new'
  /** When the phase began. */
  #second: number
  /** Of a request that was let in and whose body is awaited. */
  #head: QuickHead | undefined
  #request: IncomingRequest | undefined
  #release: (() => void) | undefined
  /** Whether the server stops: the next answer is the last. */
  #isLeft = false

  constructor(socket: Socket, world: QuickWorld) {
    this.#socket = socket
    this.#world = world
    this.#reader = new QuickReader(world.http)
    this.#second = world.second
    world.connections.add(this)
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('close', this.#onClose)
    socket.on('error', this.#onError)
  }

  /** Closes the connection, unless a request is under way: then its answer is the last. */
  drain(): void {
    this.#isLeft = true
    if (this.#phase === 'idle' || this.#phase === 'new') this.#socket.destroy()
  }

  /** Ends what has lasted too long; to be called each second. */
  look(): void {
    const lasted = this.#world.second - this.#second
    const isPartial = this.#phase === 'new' || this.#phase === 'receiving'
    if (isPartial && lasted >= WHOLE_WITHIN_S) this.#leaveToNode()
    const isIdle = this.#phase === 'idle' && (lasted - KEPT_LONGER_S) * 1000 >= this.#world.http.keepAliveTimeoutMs
    if (isIdle) this.#closeUnlessAsked()
    if (this.#phase === 'closing' && lasted >= CLOSE_WITHIN_S) this.#socket.destroy()
  }

  /** Where the process was busy, a request that came in time may still be unread: it is read before this closes. */
  #closeUnlessAsked(): void {
    const since = this.#second
    setImmediate(() => {
      if (this.#phase === 'idle' && this.#second === since) this.#socket.destroy()
    })
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#phase === 'closing') return
    const isWorthLooking = this.#reader.push(chunk)
    if (this.#phase === 'answering' || this.#phase === 'streaming') {
      if (this.#reader.heldBytes > MAX_AHEAD_BYTES) this.#socket.pause()
      return
    }
    if (this.#phase !== 'receiving') this.#enter('receiving')
    if (isWorthLooking) this.#take()
  }

  /** Who closes its side waits for no answer, as `node:http` has it. */
  readonly #onEnd = (): void => {
    this.#request?.leave()
    this.#enter('closing')
    this.#socket.end()
  }

  readonly #onClose = (): void => {
    this.#world.connections.delete(this)
    this.#request?.leave()
    this.#free()
  }

  /** 'close' follows and tells the same. */
  readonly #onError = (): void => {}

  #enter(phase: Phase): void {
    this.#phase = phase
    this.#second = this.#world.second
  }

  /** Answers the next request, if it is whole. */
  #take(): void {
    this.#head ??= this.#admitHead()
    const body = this.#head === undefined ? undefined : this.#reader.takeBody()
    if (this.#head === undefined || body === undefined) return
    const request = new IncomingRequest(this.#head)
    request.setBody(body)
    this.#head = undefined
    this.#request = request
    this.#enter('answering')
    // Every failure is answered inside.
    void this.#answer(request)
  }

  /** The head of the next request, once it is there and let in. */
  #admitHead(): QuickHead | undefined {
    const head = this.#reader.readHead()
    if (head === 'partial') return undefined
    if (head === 'other' || this.#world.http.streams?.(head) === true) {
      this.#leaveToNode()
      return undefined
    }
    const admitted = this.#world.http.admit?.(head)
    if (typeof admitted === 'object') {
      // It has no handler that could fail.
      void this.#refuse(admitted)
      return undefined
    }
    this.#release = admitted
    return head
  }

  /** Answers a request whose body is not read: what still comes is thrown away. */
  async #refuse(response: HttpResponse): Promise<void> {
    this.#enter('closing')
    await this.#send(response, true)
    this.#socket.end()
  }

  async #answer(request: IncomingRequest): Promise<void> {
    const { http } = this.#world
    let isLast = true
    try {
      const response = await http.handler(request)
      if (request.isGone) return
      isLast = http.isDraining || response.headers['connection'] === 'close'
      await this.#send(response, isLast)
    } catch (error) {
      if (request.isGone) return
      http.onError?.(error)
      if (this.#phase === 'streaming') return void this.#socket.destroy()
      await this.#send(toInternalError(http), isLast)
    }
    this.#finish(isLast)
  }

  async #send(response: HttpResponse, isLast: boolean): Promise<void> {
    const { body } = response
    const end = isLast ? this.#world.ends.close : this.#world.ends.keep
    if (body instanceof Uint8Array) {
      if (!writeWhole(this.#socket, response, body, end)) await drained(this.#socket)
      return
    }
    const isChunked = writeHead(this.#socket, response, end)
    this.#enter('streaming')
    await writeChunks(this.#socket, body, isChunked)
  }

  #finish(isLast: boolean): void {
    this.#request = undefined
    this.#free()
    // Promised to be kept before the server began to stop, as that of a streamed answer is.
    if (isLast || this.#isLeft) {
      this.#enter('closing')
      this.#socket.destroySoon()
      return
    }
    this.#enter('idle')
    if (this.#socket.isPaused()) this.#socket.resume()
    if (this.#reader.heldBytes === 0) return
    this.#enter('receiving')
    this.#take()
  }

  #free(): void {
    const release = this.#release
    this.#release = undefined
    release?.()
  }

  #leaveToNode(): void {
    const socket = this.#socket
    this.#world.connections.delete(this)
    this.#free()
    socket.off('data', this.#onData)
    socket.off('end', this.#onEnd)
    socket.off('close', this.#onClose)
    socket.off('error', this.#onError)
    socket.pause()
    socket.unshift(this.#reader.takeAll())
    this.#world.toNode(socket)
    socket.resume()
  }
}

import { Exchange } from './exchange.node.ts'
import type { GrpcMetadata } from './grpc.ts'
import { Link } from './link.node.ts'
import { type GrpcCause, type GrpcOutgoing, type GrpcResult, type GrpcStreaming, toFailed } from './result.ts'

/** The bounds of a channel. */
export interface GrpcChannelOptions {
  /** Connections; another is opened while those there are carry all the calls they may. @default 1 */
  readonly maxSessions?: number
  /** Calls in flight on one connection; the server may allow fewer. @default 256 */
  readonly maxConcurrentStreams?: number
  /** Calls that wait for their turn; more are refused. @default 256 */
  readonly maxQueued?: number
  /** A longer answer is given up. @default 64 MiB */
  readonly maxMessageBytes?: number
  /** Time for the server to accept a connection, ms. @default 2_000 */
  readonly connectTimeoutMs?: number
}

/** How long a call may take, and who may stop it. */
export interface GrpcCallBounds {
  /** From now, the wait for a connection included; the server is told it, too. */
  readonly deadlineMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Calls to one server, over connections that are made as they are needed. Disposal breaks what is in flight. */
export interface GrpcChannel extends AsyncDisposable {
  readonly address: string
  /** Calls that wait or are in flight. */
  readonly outstanding: number
  /** Sends a call with one message and takes one. Never rejects. */
  call(path: string, metadata: GrpcMetadata, message: Uint8Array, bounds?: GrpcCallBounds): Promise<GrpcResult>
  /** Sends a call with one message and takes many; a result where none begins. Never rejects. */
  stream(
    path: string,
    metadata: GrpcMetadata,
    message: Uint8Array,
    bounds?: GrpcCallBounds,
  ): Promise<GrpcStreaming | GrpcResult>
  /** Refuses new calls, lets those there are end for up to `drainMs`, then breaks them. */
  close(drainMs: number): Promise<void>
}

const DEFAULTS = {
  maxSessions: 1,
  maxConcurrentStreams: 256,
  maxQueued: 256,
  maxMessageBytes: 64 * 1024 * 1024,
  connectTimeoutMs: 2000,
} as const

/** Opens a channel to a server at `host:port`. Nothing is connected before the first call. */
export function openGrpcChannel(address: string, options: GrpcChannelOptions = {}): GrpcChannel {
  return new Channel(address, { ...DEFAULTS, ...options })
}

class Channel implements GrpcChannel {
  readonly address: string
  readonly #options: Required<GrpcChannelOptions>
  readonly #links = new Set<Link>()
  readonly #queue = new Set<Exchange>()
  readonly #idle = Promise.withResolvers<void>()
  #outstanding = 0
  #isClosed = false

  constructor(address: string, options: Required<GrpcChannelOptions>) {
    this.address = address
    this.#options = options
  }

  get outstanding(): number {
    return this.#outstanding
  }

  async call(
    path: string,
    metadata: GrpcMetadata,
    message: Uint8Array,
    bounds: GrpcCallBounds = {},
  ): Promise<GrpcResult> {
    return await this.#send({ path, metadata, message }, bounds)
  }

  async stream(
    path: string,
    metadata: GrpcMetadata,
    message: Uint8Array,
    bounds: GrpcCallBounds = {},
  ): Promise<GrpcStreaming | GrpcResult> {
    const { promise, resolve } = Promise.withResolvers<GrpcStreaming>()
    const result = this.#send({ path, metadata, message }, bounds, resolve)
    return await Promise.race([promise, result])
  }

  async close(drainMs: number): Promise<void> {
    this.#isClosed = true
    if (this.#outstanding > 0) {
      const force = setTimeout(this.#idle.resolve, drainMs)
      await this.#idle.promise
      clearTimeout(force)
    }
    for (const exchange of this.#queue) exchange.giveUp(CLOSED)
    await Promise.all(Array.from(this.#links, link => link.destroy()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close(0)
  }

  async #send(
    call: GrpcOutgoing,
    bounds: GrpcCallBounds,
    onStreaming?: (streaming: GrpcStreaming) => void,
  ): Promise<GrpcResult> {
    const { maxQueued, maxMessageBytes } = this.#options
    if (this.#isClosed) return toFailed(CLOSED, false)
    if (this.#queue.size >= maxQueued)
      return toFailed({ status: 'RESOURCE_EXHAUSTED', text: `More than ${maxQueued} calls wait for the server` }, false)
    this.#outstanding += 1
    const onOver = (exchange: Exchange): void => this.#end(exchange)
    const events = onStreaming === undefined ? { onOver } : { onOver, onStreaming }
    const exchange = new Exchange(call, { ...bounds, maxMessageBytes }, events)
    if (!exchange.isOver) {
      this.#queue.add(exchange)
      this.#pump()
    }
    return await exchange.result
  }

  #end(exchange: Exchange): void {
    this.#outstanding -= 1
    this.#queue.delete(exchange)
    exchange.link?.end()
    if (this.#isClosed && this.#outstanding === 0) this.#idle.resolve()
    this.#pump()
  }

  /** Starts the calls that wait, as far as there is room. */
  #pump(): void {
    for (const exchange of this.#queue) {
      const link = this.#findRoom()
      if (link === undefined) break
      this.#queue.delete(exchange)
      exchange.start(link)
    }
    if (this.#queue.size > 0) this.#connect()
  }

  #findRoom(): Link | undefined {
    for (const link of this.#links) if (link.room > 0) return link
    return undefined
  }

  #connect(): void {
    let ready = 0
    for (const { state } of this.#links) {
      if (state === 'connecting') return
      if (state === 'ready') ready += 1
    }
    if (ready >= this.#options.maxSessions) return
    const { address } = this
    this.#links.add(new Link({ ...this.#options, address, onChange: link => this.#onChange(link) }))
  }

  #onChange(link: Link): void {
    if (link.state === 'broken') this.#links.delete(link)
    // Another try would fail as this one did: who calls knows whether to try elsewhere.
    if (link.state === 'broken' && !link.wasReady && this.#links.size === 0) {
      const cause: GrpcCause = { status: 'UNAVAILABLE', text: `Cannot connect to ${this.address}: ${link.breakText}` }
      const waiting = [...this.#queue]
      this.#queue.clear()
      for (const exchange of waiting) exchange.giveUp(cause)
    }
    this.#pump()
  }
}

const CLOSED: GrpcCause = { status: 'UNAVAILABLE', text: 'The channel is closed' }

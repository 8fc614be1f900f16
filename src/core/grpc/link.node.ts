import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { toErrorText } from '../errors.ts'
import type { Exchange } from './exchange.node.ts'

/** Where a connection goes and what it may carry. */
export interface LinkOptions {
  /** `host:port` */
  readonly address: string
  readonly maxConcurrentStreams: number
  readonly maxMessageBytes: number
  readonly connectTimeoutMs: number
  /** Told that it takes more calls than before, or none any more. */
  readonly onChange: (link: Link) => void
}

/**
 * How a connection is.
 * - `connecting`: the server has not said its settings yet.
 * - `ready`: it takes calls.
 * - `retired`: it takes no more, and ends with its last one.
 * - `broken`: it has ended.
 */
type LinkState = 'connecting' | 'ready' | 'retired' | 'broken'

const STREAM_WINDOW_BYTES = 1024 * 1024
const CONNECTION_WINDOW_BYTES = 8 * STREAM_WINDOW_BYTES

/** Node refuses frames above it; `maxMessageBytes` and `maxConcurrentStreams` bound the same memory. */
const MAX_SESSION_MEGABYTES = 4096

/** One connection to a server, and the calls on it. */
export class Link {
  readonly http2: ClientHttp2Session
  readonly #options: LinkOptions
  readonly #exchanges = new Set<Exchange>()
  readonly #timer: NodeJS.Timeout
  readonly #broken = Promise.withResolvers<void>()
  #state: LinkState = 'connecting'
  #wasReady = false
  #peerLimit = 0
  #heardAt = performance.now()
  #breakText = 'The connection was closed'

  constructor(options: LinkOptions) {
    this.#options = options
    this.http2 = connect(`http://${options.address}`, {
      maxSessionMemory: MAX_SESSION_MEGABYTES,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
    })
    this.#timer = setTimeout(expire, options.connectTimeoutMs, this)
    this.http2.once('connect', () => this.http2.setLocalWindowSize(CONNECTION_WINDOW_BYTES))
    this.http2.on('remoteSettings', settings => this.#takeSettings(settings.maxConcurrentStreams))
    this.http2.on('goaway', (code, lastStreamId) => this.#leave(code, lastStreamId))
    this.http2.on('error', error => {
      this.#breakText = toErrorText(error)
    })
    this.http2.on('close', () => this.#break())
  }

  get state(): LinkState {
    return this.#state
  }

  /** Whether an HTTP/2 server has answered. */
  get wasReady(): boolean {
    return this.#wasReady
  }

  get isBroken(): boolean {
    return this.#state === 'broken' || this.http2.destroyed
  }

  /** Why it broke, as far as is known. */
  get breakText(): string {
    return this.#breakText
  }

  /** When the server last said something, on the clock of `performance.now()`. */
  get heardAt(): number {
    return this.#heardAt
  }

  /** How many more calls it takes now. */
  get room(): number {
    if (this.#state !== 'ready' || this.http2.destroyed) return 0
    return Math.min(this.#options.maxConcurrentStreams, this.#peerLimit) - this.#exchanges.size
  }

  /** Notes that the server said something. */
  hear(): void {
    this.#heardAt = performance.now()
  }

  start(exchange: Exchange): void {
    this.#exchanges.add(exchange)
    exchange.start(this)
  }

  /** Notes that a call is over. */
  end(exchange: Exchange): void {
    this.#exchanges.delete(exchange)
    if (this.#state === 'retired' && this.#exchanges.size === 0) this.http2.destroy()
  }

  /** Takes no more calls. */
  retire(): void {
    if (this.#state === 'broken') return
    this.#state = 'retired'
    if (this.#exchanges.size === 0) this.http2.destroy()
    this.#options.onChange(this)
  }

  /** Breaks the calls on it. */
  async destroy(): Promise<void> {
    this.http2.destroy()
    await this.#broken.promise
  }

  expire(): void {
    const { connectTimeoutMs } = this.#options
    this.http2.destroy(new Error(`no HTTP/2 server answered within ${connectTimeoutMs} ms`))
  }

  #takeSettings(limit: number | undefined): void {
    clearTimeout(this.#timer)
    this.#peerLimit = limit ?? Number.POSITIVE_INFINITY
    this.#wasReady = true
    if (this.#state === 'connecting') this.#state = 'ready'
    this.#options.onChange(this)
  }

  #leave(code: number, lastStreamId: number): void {
    if (code !== constants.NGHTTP2_NO_ERROR)
      this.#breakText = `The server ended the connection with HTTP/2 code ${code}`
    for (const exchange of this.#exchanges) exchange.leave(lastStreamId)
    this.retire()
  }

  #break(): void {
    clearTimeout(this.#timer)
    this.#state = 'broken'
    this.#broken.resolve()
    this.#options.onChange(this)
  }
}

const expire = (link: Link): void => link.expire()

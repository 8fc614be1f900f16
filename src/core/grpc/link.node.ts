import { connect, type Socket } from 'node:net'
import { toErrorText } from '../errors.ts'
import { H2Client } from '../http2/client.ts'
import { H2_CODES } from '../http2/errors.ts'
import { H2Socket, type H2SocketListener } from '../http2/socket.node.ts'
import type { H2Stream, H2StreamListener } from '../http2/stream.ts'

/** Where a connection goes and what it may carry. */
export interface LinkOptions {
  /** `host:port` */
  readonly address: string
  readonly maxConcurrentStreams: number
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

/** Fields of an answer: names, values and 32 bytes for each. */
const MAX_HEADER_LIST_BYTES = 64 * 1024

/** One connection to a server, and the calls on it. */
export class Link implements H2SocketListener {
  readonly #options: LinkOptions
  readonly #client: H2Client
  readonly #wire: H2Socket
  readonly #timer: NodeJS.Timeout
  readonly #closed = Promise.withResolvers<void>()
  #state: LinkState = 'connecting'
  #wasReady = false
  #heardAt = performance.now()
  #breakText = 'The connection was closed'

  constructor(options: LinkOptions) {
    this.#options = options
    this.#client = new H2Client({
      maxHeaderListBytes: MAX_HEADER_LIST_BYTES,
      onSettings: () => this.#open(),
      onGoAway: code => this.#leave(code),
      onOutput: () => this.#wire.wake(),
    })
    const socket = connectTo(options.address)
    socket.on('error', error => {
      this.#breakText = toErrorText(error)
    })
    // The server may have said that it goes, which is read before more is sent.
    this.#wire = new H2Socket(socket, this.#client.connection, this, setImmediate)
    this.#timer = setTimeout(expire, options.connectTimeoutMs, this)
    this.#client.start()
  }

  get state(): LinkState {
    return this.#state
  }

  /** `host:port` */
  get address(): string {
    return this.#options.address
  }

  /** Whether an HTTP/2 server has answered. */
  get wasReady(): boolean {
    return this.#wasReady
  }

  /** Why it broke, as far as is known. */
  get breakText(): string {
    return this.#breakText
  }

  /** When the server last said something of a call, on the clock of `performance.now()`. */
  get heardAt(): number {
    return this.#heardAt
  }

  /** How many more calls it takes now. */
  get room(): number {
    if (this.#state !== 'ready') return 0
    return Math.min(this.#client.room, this.#options.maxConcurrentStreams - this.#client.connection.streams)
  }

  /** Notes that the server said something. */
  hear(): void {
    this.#heardAt = performance.now()
  }

  /** Begins a call's stream; there must be room for it. */
  request(listener: H2StreamListener): H2Stream {
    return this.#client.request(listener)
  }

  /** Notes that a call is over. */
  end(): void {
    if (this.#client.isSpent) this.retire()
    else this.#closeIfUnused()
  }

  /** Takes no more calls. */
  retire(): void {
    if (this.#state === 'broken' || this.#state === 'retired') return
    this.#state = 'retired'
    this.#closeIfUnused()
    this.#options.onChange(this)
  }

  /** Breaks the calls on it. */
  async destroy(): Promise<void> {
    this.#wire.destroy()
    await this.#closed.promise
  }

  expire(): void {
    this.#breakText = `no HTTP/2 server answered within ${this.#options.connectTimeoutMs} ms`
    this.#wire.destroy()
  }

  onFrames(): void {}

  onFault(error: unknown): void {
    this.#break(`The server broke HTTP/2: ${toErrorText(error)}`)
  }

  onClose(): void {
    this.#break(this.#breakText)
    this.#closed.resolve()
  }

  #open(): void {
    clearTimeout(this.#timer)
    this.#wasReady = true
    if (this.#state === 'connecting') this.#state = 'ready'
    this.#options.onChange(this)
  }

  #leave(code: number): void {
    if (code === H2_CODES.NO_ERROR) return void this.retire()
    this.#break(`The server ended the connection with HTTP/2 code ${code}`)
    this.#wire.destroy()
  }

  #break(text: string): void {
    clearTimeout(this.#timer)
    if (this.#state === 'broken') return
    this.#breakText = text
    this.#state = 'broken'
    this.#options.onChange(this)
  }

  #closeIfUnused(): void {
    const { connection } = this.#client
    if (this.#state === 'retired' && connection.streams === 0) connection.goAway('NO_ERROR')
  }
}

const expire = (link: Link): void => link.expire()

function connectTo(address: string): Socket {
  const { hostname, port } = new URL(`http://${address}`)
  // The brackets of an IPv6 address are the URL's.
  return connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80), noDelay: true })
}

import { type ConnectionWorld, UpstreamConnection } from './connection.node.ts'
import { type TryResult, type UpstreamBounds, UpstreamExchange } from './exchange.node.ts'
import { toRequestHead, type UpstreamRequest } from './request-head.ts'

/** How connections to one server are made. */
export interface PoolOptions {
  /** At most so many; further requests wait for one. */
  readonly maxConnections: number
  readonly connectTimeoutMs: number
  /** A longer head of an answer is none. */
  readonly maxHeadBytes: number
}

const CLOSED: TryResult = { kind: 'lost', sent: false, reason: 'the connections to the replica are closed' }

/**
 * The kept connections to one server, each of which carries one request at a time. HTTP/1.1 right on the sockets: the
 * client's side of what `src/core/http/quick-*.ts` does for servers. Its requests are bounded by whoever sends them.
 */
export class UpstreamPool {
  readonly #host: string
  readonly #maxConnections: number
  readonly #world: ConnectionWorld
  readonly #connections = new Set<UpstreamConnection>()
  /** The one that was used last is used next: of those behind it, the server closes what is too many. */
  #idle: UpstreamConnection[] = []
  readonly #waiting = new Set<UpstreamExchange>()
  readonly #ended = Promise.withResolvers<void>()
  #isClosing = false

  /** Connects when it is first asked. Only the URL's host and port count. */
  constructor(url: string, { maxConnections, connectTimeoutMs, maxHeadBytes }: PoolOptions) {
    const { host, hostname, port } = new URL(url)
    this.#host = host
    this.#maxConnections = maxConnections
    this.#world = {
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port === '' ? 80 : Number(port),
      connectTimeoutMs,
      maxHeadBytes,
      onIdle: connection => this.#onIdle(connection),
      onClosed: connection => this.#onClosed(connection),
    }
  }

  /**
   * Sends a request once and takes the whole answer. Never rejects. The request is under way when this returns.
   * `isFresh`: on no connection that has been idle.
   */
  send(request: UpstreamRequest, bounds: UpstreamBounds, isFresh = false): Promise<TryResult> {
    const { method, body } = request
    const head = toRequestHead(request, this.#host, bounds.isTold === true ? bounds.timeoutMs : undefined)
    if (typeof head === 'object') return Promise.resolve({ kind: 'unsendable', reason: head.problem })
    if (this.#isClosing) return Promise.resolve(CLOSED)
    return new Promise(resolve => {
      const exchange = new UpstreamExchange({ method, head, body }, bounds, resolve)
      if (!exchange.isOver) this.#start(exchange, isFresh)
    })
  }

  /** Takes no more requests, and closes the connections once those in flight are answered. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#closeIdle()
    if (this.#connections.size > 0) await this.#ended.promise
  }

  /** Breaks what is in flight and closes the connections. */
  async destroy(): Promise<void> {
    this.#isClosing = true
    for (const exchange of this.#waiting) exchange.settle(CLOSED)
    this.#waiting.clear()
    for (const connection of this.#connections) connection.destroy()
    await this.close()
  }

  #start(exchange: UpstreamExchange, isFresh: boolean): void {
    const idle = isFresh ? undefined : this.#takeIdle()
    if (idle !== undefined) idle.start(exchange)
    else if (this.#connections.size < this.#maxConnections) this.#open(exchange)
    else this.#wait(exchange)
  }

  #wait(exchange: UpstreamExchange): void {
    // Where a fresh one is wanted: the place of an idle one is free once that is closed.
    this.#idle.shift()?.destroy()
    this.#waiting.add(exchange)
    exchange.onGivenUp = () => this.#waiting.delete(exchange)
  }

  #open(exchange: UpstreamExchange): void {
    this.#connections.add(new UpstreamConnection(this.#world, exchange))
  }

  #takeIdle(): UpstreamConnection | undefined {
    if (this.#idle.length === 0) return undefined
    const now = performance.now()
    for (;;) {
      const connection = this.#idle.pop()
      if (connection === undefined || connection.isKept(now)) return connection
      connection.destroy()
    }
  }

  #closeIdle(): void {
    for (const connection of this.#idle) connection.destroy()
    this.#idle = []
  }

  #takeWaiting(): UpstreamExchange | undefined {
    const [exchange] = this.#waiting
    if (exchange !== undefined) this.#waiting.delete(exchange)
    return exchange
  }

  #onIdle(connection: UpstreamConnection): void {
    const next = this.#takeWaiting()
    if (next !== undefined) connection.start(next)
    else if (this.#isClosing) connection.destroy()
    else this.#idle.push(connection)
  }

  #onClosed(connection: UpstreamConnection): void {
    this.#connections.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
    const next = this.#takeWaiting()
    if (next !== undefined) this.#open(next)
    else if (this.#isClosing && this.#connections.size === 0) this.#ended.resolve()
  }
}

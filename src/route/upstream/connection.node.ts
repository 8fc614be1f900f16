import { connect, type Socket } from 'node:net'
import { toErrorText } from '../../core/errors.ts'
import { writeJoined } from '../../core/write-joined.node.ts'
import { AnswerReader } from './answer-reader.ts'
import type { UpstreamExchange } from './exchange.node.ts'

/** Where a connection goes, and who is told what becomes of it. */
export interface ConnectionWorld {
  readonly host: string
  readonly port: number
  readonly connectTimeoutMs: number
  readonly maxHeadBytes: number
  /** It takes the next request. */
  readonly onIdle: (connection: UpstreamConnection) => void
  readonly onClosed: (connection: UpstreamConnection) => void
}

/** What is read at once, into a room of its own: no buffer is made for each read. */
const READ_BYTES = 32 * 1024

/**
 * A connection to a replica that carries one exchange after the other, and never two. Whatever is not as it should be
 * ends it: an answer that cannot be read, one that is not awaited any more, bytes that nobody asked for.
 */
export class UpstreamConnection {
  readonly #world: ConnectionWorld
  readonly #socket: Socket
  readonly #reader: AnswerReader
  readonly #timer: NodeJS.Timeout
  #isOpen = false
  #exchange: UpstreamExchange | undefined
  #keptUntil = 0
  #reason = 'the connection was closed'

  /** Connects; the exchange is sent once that is done. */
  constructor(world: ConnectionWorld, exchange: UpstreamExchange) {
    const { host, port } = world
    this.#world = world
    this.#reader = new AnswerReader(world.maxHeadBytes)
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
    const callback = (count: number): boolean => {
      this.#onBytes(buffer.subarray(0, count))
      return true
    }
    this.#socket = connect({ host, port, noDelay: true, onread: { buffer, callback } })
    this.#socket.on('connect', () => this.#onConnect())
    this.#socket.on('end', () => this.#onEnd())
    this.#socket.on('error', (error: Error) => {
      this.#reason = toErrorText(error)
    })
    this.#socket.on('close', () => this.#onClose())
    this.#timer = setTimeout(() => {
      this.#break(`the connection could not be made within ${world.connectTimeoutMs} ms`)
    }, world.connectTimeoutMs)
    this.#await(exchange)
  }

  /** Whether an idle connection may be used: its server will not be closing it just now. `now` is of `performance`. */
  isKept(now: number): boolean {
    return now < this.#keptUntil
  }

  /** Sends a request, which must be the only one. */
  start(exchange: UpstreamExchange): void {
    this.#await(exchange)
    this.#send(exchange)
  }

  /** Ends it at once, and with it the exchange that it carries. */
  destroy(): void {
    this.#break('the connections to the replica are closed')
  }

  #await(exchange: UpstreamExchange): void {
    this.#exchange = exchange
    // An answer that comes later would be taken for that to the next request.
    exchange.onGivenUp = () => {
      if (this.#exchange === exchange) this.#socket.destroy()
    }
  }

  #send({ head, body, isHead, maxAnswerBytes }: UpstreamExchange): void {
    this.#reader.begin({ isHead, maxBodyBytes: maxAnswerBytes })
    writeJoined(this.#socket, head, body)
  }

  #onConnect(): void {
    clearTimeout(this.#timer)
    this.#isOpen = true
    if (this.#exchange !== undefined) this.#send(this.#exchange)
  }

  #onBytes(bytes: Buffer): void {
    const exchange = this.#exchange
    if (exchange === undefined) return void this.#socket.destroy()
    const reading = this.#reader.push(bytes)
    if (reading === 'partial') return
    this.#exchange = undefined
    // Where a part of the request is still to be sent, the server may have lost count.
    const isClear = typeof reading === 'object' && 'keepMs' in reading && this.#socket.writableLength === 0
    const keepMs = isClear ? reading.keepMs : 0
    if (keepMs === 0) this.#socket.destroy()
    this.#keptUntil = performance.now() + keepMs
    exchange.tell(reading)
    if (keepMs > 0) this.#world.onIdle(this)
  }

  #onEnd(): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    const reading = this.#reader.end()
    if (reading !== 'partial') exchange?.tell(reading)
    this.#socket.destroy()
  }

  #onClose(): void {
    clearTimeout(this.#timer)
    this.#exchange?.settle({ kind: 'lost', sent: this.#isOpen, reason: this.#reason })
    this.#exchange = undefined
    this.#world.onClosed(this)
  }

  #break(reason: string): void {
    this.#reason = reason
    this.#socket.destroy()
  }
}

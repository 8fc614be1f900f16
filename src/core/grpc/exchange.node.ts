import { ChunkQueue } from '../chunk-queue.ts'
import { toErrorText } from '../errors.ts'
import { H2_CODES } from '../http2/errors.ts'
import type { H2Head } from '../http2/head.ts'
import { encodeHpack } from '../http2/hpack-encoder.ts'
import type { H2Part, H2Reset, H2Stream, H2StreamListener } from '../http2/stream.ts'
import { toMessageParts } from './answer.ts'
import { type GrpcFrame, GrpcFrameReader } from './frames.ts'
import { GrpcError, type GrpcStatus } from './grpc.ts'
import { decodeGrpcMessage, toGrpcHeaders, toGrpcMetadata, toGrpcStatus, toGrpcTimeout } from './headers.ts'
import type { Link } from './link.node.ts'
import {
  type GrpcCause,
  type GrpcOutgoing,
  type GrpcResult,
  type GrpcStreaming,
  toFailed,
  toGrpcError,
  toHttpCause,
  toResetCause,
} from './result.ts'

/** How long to wait for a call, how much to take, and who may stop it. */
export interface ExchangeBounds {
  /** The server is told it, too. */
  readonly deadlineMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly maxMessageBytes: number
}

/** Who is told of a call. */
export interface ExchangeEvents {
  readonly onOver: (exchange: Exchange) => void
  /** Told of an answer that begins, to take its messages one by one; without it the answer is one message. */
  readonly onStreaming?: (streaming: GrpcStreaming) => void
}

/** Node's timers cannot wait longer. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** One call and its answer, from the queue to the last byte. */
export class Exchange implements H2StreamListener {
  /** Never rejects. */
  readonly result: Promise<GrpcResult>
  readonly #call: GrpcOutgoing
  readonly #bounds: ExchangeBounds
  readonly #events: ExchangeEvents
  readonly #reader: GrpcFrameReader
  readonly #bornAt = performance.now()
  readonly #resolve: (result: GrpcResult) => void
  readonly #onAbort = (): void => this.giveUp({ status: 'CANCELLED', text: 'The call was cancelled' })
  #timer: NodeJS.Timeout | undefined
  #link: Link | undefined
  #stream: H2Stream | undefined
  #startedAt = 0
  #headers: H2Head['headers'] = NO_HEADERS
  #trailers: H2Head['headers'] = NO_HEADERS
  #message: Uint8Array | undefined
  /** Of an answer of many messages: what of them has come. */
  #chunks: ChunkQueue | undefined
  #cause: GrpcCause | undefined
  #reset: H2Reset | undefined
  #isOver = false

  constructor(call: GrpcOutgoing, bounds: ExchangeBounds, events: ExchangeEvents) {
    this.#call = call
    this.#bounds = bounds
    this.#events = events
    this.#reader = new GrpcFrameReader(bounds.maxMessageBytes)
    const { promise, resolve } = Promise.withResolvers<GrpcResult>()
    this.result = promise
    this.#resolve = resolve
    if (bounds.deadlineMs !== undefined)
      this.#timer = setTimeout(expire, Math.min(bounds.deadlineMs, MAX_TIMER_MS), this)
    bounds.signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (bounds.signal?.aborted) this.#onAbort()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get link(): Link | undefined {
    return this.#link
  }

  /** Sends the call. */
  start(link: Link): void {
    this.#link = link
    this.#startedAt = performance.now()
    try {
      const head = this.#toHeadPart(link.address)
      this.#stream = link.request(this)
      this.#stream.send([head, ...toMessageParts(this.#call.message, false)], true)
    } catch (error) {
      this.giveUp({ status: 'INTERNAL', text: `Cannot send the call: ${toErrorText(error)}` })
    }
  }

  /** Ends the call here, whatever the server does. */
  giveUp(cause: GrpcCause): void {
    if (this.#isOver) return
    this.#cause = cause
    if (this.#stream === undefined) this.#finish()
    else this.#stream.reset('CANCEL')
  }

  expire(): void {
    const { deadlineMs } = this.#bounds
    if (this.#link !== undefined && this.#link.heardAt < this.#startedAt) this.#link.retire()
    this.giveUp({ status: 'DEADLINE_EXCEEDED', text: `No answer within ${deadlineMs} ms` })
  }

  onHead(headers: H2Head['headers']): void {
    this.#link?.hear()
    this.#headers = headers
    const { onStreaming } = this.#events
    const cause = toHttpCause(Number(headers[':status']), headers['content-type'])
    if (cause !== undefined) this.giveUp(cause)
    else if (onStreaming !== undefined && headers['grpc-status'] === undefined) {
      this.#chunks = new ChunkQueue()
      onStreaming({
        metadata: toGrpcMetadata(headers),
        messages: this.#read(this.#chunks),
        trailers: () => toGrpcMetadata(this.#trailers),
      })
    }
  }

  onData(chunk: Buffer): void {
    this.#link?.hear()
    if (this.#chunks !== undefined) return void this.#chunks.push(chunk)
    this.#stream?.giveBack(chunk.byteLength)
    try {
      for (const frame of this.#reader.push(chunk)) {
        if (this.#message !== undefined)
          throw new GrpcError('INTERNAL', 'The server answered with more than one message')
        this.#message = toMessage(frame)
      }
    } catch (error) {
      this.giveUp(toCause(error))
    }
  }

  onTrailers(headers: H2Head['headers']): void {
    this.#trailers = headers
  }

  onEnd(): void {}

  onDrain(): void {}

  onClose(reset?: H2Reset): void {
    this.#reset = reset
    this.#finish()
  }

  #toHeadPart(authority: string): H2Part {
    const { path, metadata } = this.#call
    const { deadlineMs } = this.#bounds
    const headers: Record<string, string> = {
      ...{ ':method': 'POST', ':scheme': 'http', ':path': path, ':authority': authority },
      ...toGrpcHeaders(metadata),
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    }
    if (deadlineMs !== undefined) headers['grpc-timeout'] = toGrpcTimeout(this.#bornAt + deadlineMs - this.#startedAt)
    return { kind: 'block', bytes: encodeHpack(headers) }
  }

  async *#read(chunks: ChunkQueue): AsyncGenerator<Uint8Array> {
    try {
      for (let chunk = await chunks.next(); chunk !== undefined; chunk = await chunks.next()) {
        this.#stream?.giveBack(chunk.byteLength)
        for (const frame of this.#reader.push(chunk)) yield toMessage(frame)
      }
    } catch (error) {
      this.giveUp(toCause(error))
      throw error
    } finally {
      // Where it is over, this changes nothing.
      this.giveUp({ status: 'CANCELLED', text: 'The answer was left' })
    }
    const result = await this.result
    if (result.status !== 'OK') throw toGrpcError(result)
    if (this.#reader.isPartial) throw toGrpcError(toFailed(CUT, true))
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#bounds.signal?.removeEventListener('abort', this.#onAbort)
    if (this.#cause !== undefined) this.#chunks?.clear()
    this.#chunks?.end()
    this.#resolve(this.#toResult())
    this.#events.onOver(this)
  }

  #toResult(): GrpcResult {
    const isHeadOnly = this.#headers['grpc-status'] !== undefined
    const ends = isHeadOnly ? this.#headers : this.#trailers
    const metadata = isHeadOnly ? {} : toGrpcMetadata(this.#headers)
    const code = ends['grpc-status']
    const status = code === undefined ? undefined : toGrpcStatus(code)
    const cause = this.#cause ?? this.#toFault(status)
    if (cause !== undefined || status === undefined)
      return toFailed(cause ?? this.#toLoss(), this.#mayHaveBegun, metadata)
    const statusText = decodeGrpcMessage(ends['grpc-message'] ?? '')
    const message = status === 'OK' ? (this.#message ?? EMPTY) : EMPTY
    return { status, statusText, message, metadata, trailers: toGrpcMetadata(ends), wasSent: true, isAnswer: true }
  }

  get #mayHaveBegun(): boolean {
    const isRefused = this.#reset?.by !== 'own' && this.#reset?.code === H2_CODES.REFUSED_STREAM
    return this.#stream?.isKnown === true && !isRefused
  }

  /** What is wrong with an answer that says that all is well; one of many messages is judged by who reads it. */
  #toFault(status: GrpcStatus | undefined): GrpcCause | undefined {
    if (status !== 'OK' || this.#chunks !== undefined) return undefined
    if (this.#reader.isPartial) return CUT
    if (this.#message !== undefined || this.#events.onStreaming !== undefined) return undefined
    return { status: 'INTERNAL', text: 'The server answered without a message' }
  }

  /** Why a stream closed without a status. */
  #toLoss(): GrpcCause {
    if (this.#link?.state === 'broken') return { status: 'UNAVAILABLE', text: this.#link.breakText }
    return toResetCause(this.#reset)
  }
}

const EMPTY = new Uint8Array(0)
const NO_HEADERS: H2Head['headers'] = {}
const CUT: GrpcCause = { status: 'INTERNAL', text: 'The answer ended within a message' }

const expire = (exchange: Exchange): void => exchange.expire()

function toMessage({ compressed, message }: GrpcFrame): Uint8Array {
  if (compressed) throw new GrpcError('INTERNAL', 'The server compressed its answer without being asked to')
  return message
}

function toCause(error: unknown): GrpcCause {
  if (error instanceof GrpcError) return { status: error.status, text: error.message }
  return { status: 'INTERNAL', text: toErrorText(error) }
}

import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2'
import { toErrorText } from '../errors.ts'
import { type GrpcFrame, GrpcFrameReader, toGrpcFrame } from './frames.ts'
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
export class Exchange {
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
  #stream: ClientHttp2Stream | undefined
  #startedAt = 0
  #headers: IncomingHttpHeaders = {}
  #trailers: IncomingHttpHeaders = {}
  #message: Uint8Array | undefined
  #cause: GrpcCause | undefined
  #streamError: Error | undefined
  #wasSent = false
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
      const stream = link.http2.request(this.#toHeaders(), { endStream: false })
      this.#stream = stream
      this.#wasSent = true
      stream.on('error', error => {
        this.#streamError = error
      })
      stream.on('close', () => this.#finish())
      stream.on('response', headers => this.#takeHead(headers, headers[':status'] ?? 0))
      stream.on('trailers', trailers => {
        this.#trailers = trailers
      })
      const [first, second] = toGrpcFrame(this.#call.message)
      if (second !== undefined) stream.write(first)
      stream.end(second ?? first)
    } catch (error) {
      this.giveUp({ status: 'INTERNAL', text: `Cannot send the call: ${toErrorText(error)}` })
    }
  }

  /** Ends the call here, whatever the server does. */
  giveUp(cause: GrpcCause): void {
    if (this.#isOver) return
    this.#cause = cause
    const stream = this.#stream
    this.#finish()
    stream?.close(constants.NGHTTP2_CANCEL)
  }

  /** The server begins no stream above this one. */
  leave(lastStreamId: number): void {
    if ((this.#stream?.id ?? 0) <= lastStreamId) return
    this.#wasSent = false
    this.giveUp({ status: 'UNAVAILABLE', text: 'The server goes away' })
  }

  expire(): void {
    const { deadlineMs } = this.#bounds
    if (this.#link !== undefined && this.#link.heardAt < this.#startedAt) this.#link.retire()
    this.giveUp({ status: 'DEADLINE_EXCEEDED', text: `No answer within ${deadlineMs} ms` })
  }

  #toHeaders(): Record<string, string> {
    const { path, metadata } = this.#call
    const { deadlineMs } = this.#bounds
    const headers = toGrpcHeaders(metadata)
    headers[':method'] = 'POST'
    headers[':path'] = path
    headers['content-type'] = 'application/grpc'
    headers['te'] = 'trailers'
    if (deadlineMs !== undefined) headers['grpc-timeout'] = toGrpcTimeout(this.#bornAt + deadlineMs - this.#startedAt)
    return headers
  }

  #takeHead(headers: IncomingHttpHeaders, status: number): void {
    this.#link?.hear()
    this.#headers = headers
    const { onStreaming } = this.#events
    const cause = toHttpCause(status, headers['content-type'])
    if (cause !== undefined) this.giveUp(cause)
    else if (onStreaming === undefined || headers['grpc-status'] !== undefined)
      this.#stream?.on('data', (chunk: Buffer) => this.#take(chunk))
    else
      onStreaming({
        metadata: toGrpcMetadata(headers),
        messages: this.#read(),
        trailers: () => toGrpcMetadata(this.#trailers),
      })
  }

  #take(chunk: Buffer): void {
    this.#link?.hear()
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

  async *#read(): AsyncGenerator<Uint8Array> {
    let isLeft = true
    try {
      for await (const chunk of this.#stream?.iterator({ destroyOnReturn: false }) ?? []) {
        this.#link?.hear()
        for (const frame of this.#reader.push(chunk)) yield toMessage(frame)
      }
      isLeft = false
    } catch (error) {
      isLeft = false
      // Why a stream broke is told by the result.
      if (error instanceof GrpcError) this.giveUp(toCause(error))
    } finally {
      if (isLeft) this.giveUp({ status: 'CANCELLED', text: 'The answer was left' })
    }
    const result = await this.result
    if (result.status !== 'OK') throw toGrpcError(result)
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#bounds.signal?.removeEventListener('abort', this.#onAbort)
    this.#resolve(this.#toResult())
    this.#events.onOver(this)
  }

  #toResult(): GrpcResult {
    const isHeadOnly = this.#headers['grpc-status'] !== undefined
    const ends = isHeadOnly ? this.#headers : this.#trailers
    const metadata = isHeadOnly ? {} : toGrpcMetadata(this.#headers)
    const code = ends['grpc-status']?.toString()
    const status = code === undefined ? undefined : toGrpcStatus(code)
    const cause = this.#cause ?? this.#toFault(status)
    if (cause !== undefined || status === undefined)
      return toFailed(cause ?? this.#toLoss(), this.#mayHaveBegun, metadata)
    const statusText = decodeGrpcMessage(ends['grpc-message']?.toString() ?? '')
    const message = status === 'OK' ? (this.#message ?? EMPTY) : EMPTY
    return { status, statusText, message, metadata, trailers: toGrpcMetadata(ends), wasSent: true, isAnswer: true }
  }

  get #mayHaveBegun(): boolean {
    return this.#wasSent && this.#stream?.rstCode !== constants.NGHTTP2_REFUSED_STREAM
  }

  /** What is wrong with an answer that says that all is well. */
  #toFault(status: GrpcStatus | undefined): GrpcCause | undefined {
    if (status !== 'OK') return undefined
    if (this.#reader.isPartial) return { status: 'INTERNAL', text: 'The answer ended within a message' }
    if (this.#message !== undefined || this.#events.onStreaming !== undefined) return undefined
    return { status: 'INTERNAL', text: 'The server answered without a message' }
  }

  /** Why a stream closed without a status. */
  #toLoss(): GrpcCause {
    const code = this.#stream?.rstCode ?? constants.NGHTTP2_NO_ERROR
    if (this.#link?.isBroken) {
      const why = this.#streamError === undefined ? '' : `: ${toErrorText(this.#streamError)}`
      return { status: 'UNAVAILABLE', text: `${this.#link.breakText}${why}` }
    }
    return toResetCause(code)
  }
}

const EMPTY = new Uint8Array(0)

const expire = (exchange: Exchange): void => exchange.expire()

function toMessage({ compressed, message }: GrpcFrame): Uint8Array {
  if (compressed) throw new GrpcError('INTERNAL', 'The server compressed its answer without being asked to')
  return message
}

function toCause(error: unknown): GrpcCause {
  if (error instanceof GrpcError) return { status: error.status, text: error.message }
  return { status: 'INTERNAL', text: toErrorText(error) }
}

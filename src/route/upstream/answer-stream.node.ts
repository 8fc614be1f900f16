import { GrpcError } from '../../core/grpc/grpc.ts'
import { parseStreamAnswer, type StreamAnswer } from '../../tensor/index.ts'
import { toHttpStatus } from '../grpc/status.ts'
import { toGone } from '../grpc/upstream.node.ts'
import type { TryResult } from './exchange.node.ts'

/** How long a stream of answers may pause, and how much of it is kept. */
export interface AnswersKept {
  /** Time for the replica's next answer, ms; the client's own time does not count. */
  readonly silenceMs: number
  /** Bytes of answers that are kept for the record. */
  readonly maxKeptBytes: number
}

/** What bounds a stream of answers, and who may end it: `signal` aborts when the client goes. */
interface AnswerStreamBounds extends AnswersKept {
  readonly signal: AbortSignal | undefined
}

/** The answers of a replica to one request, read one ahead of who takes them. It must be read to its end or left. */
export class AnswerStream implements AsyncIterableIterator<StreamAnswer> {
  /** What came of the whole, once it is over: its body is all answers, one after the other. Never rejects. */
  readonly over: Promise<TryResult>
  readonly #answers: AsyncIterator<Uint8Array>
  readonly #bounds: AnswerStreamBounds
  /** Ends the call to the replica. */
  readonly #cancel: () => void
  readonly #resolve: (result: TryResult) => void
  readonly #onAbort = (): void => this.#leave()
  readonly #kept: Uint8Array[] = []
  #keptBytes = 0
  #count = 0
  /** The step after the last answer that was given: what is over is known so, though the client has not taken the last. */
  #ahead: Promise<IteratorResult<StreamAnswer>> | undefined
  #error: string | undefined
  #isLate = false
  #isOver = false

  constructor(answers: AsyncIterable<Uint8Array>, cancel: () => void, bounds: AnswerStreamBounds) {
    const { promise, resolve } = Promise.withResolvers<TryResult>()
    this.over = promise
    this.#resolve = resolve
    this.#answers = answers[Symbol.asyncIterator]()
    this.#cancel = cancel
    this.#bounds = bounds
    bounds.signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (bounds.signal?.aborted) this.#leave()
  }

  /** Waits for the first answer, which is given again when the answers are read; returns its error. @throws GrpcError */
  async open(): Promise<string | undefined> {
    const first = await this.#step()
    return first.done === true ? undefined : first.value.error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** @throws GrpcError where the stream breaks, or the replica is silent for too long */
  async next(): Promise<IteratorResult<StreamAnswer>> {
    const given = await this.#step()
    this.#ahead = undefined
    if (given.done !== true) void this.#step()
    return given
  }

  #step(): Promise<IteratorResult<StreamAnswer>> {
    if (this.#ahead === undefined) {
      this.#ahead = this.#pull()
      // Whoever takes it is told.
      this.#ahead.catch(() => {})
    }
    return this.#ahead
  }

  async #pull(): Promise<IteratorResult<StreamAnswer>> {
    const timer = setTimeout(giveUp, this.#bounds.silenceMs, this)
    try {
      const { done, value } = await this.#answers.next()
      if (done === true) {
        this.#end(this.#toWhole())
        return { done, value: undefined }
      }
      const answer = parseStreamAnswer(value)
      this.#keep(answer)
      return { done: false, value: answer }
    } catch (error) {
      throw this.#break(error)
    } finally {
      clearTimeout(timer)
    }
  }

  return(): Promise<IteratorResult<StreamAnswer>> {
    this.#leave()
    return Promise.resolve({ done: true, value: undefined })
  }

  /** Stops waiting for a replica that is silent. */
  giveUp(): void {
    this.#isLate = true
    this.#cancel()
  }

  #keep({ message, error }: StreamAnswer): void {
    this.#count += 1
    this.#error ??= error
    const { maxKeptBytes } = this.#bounds
    if (this.#keptBytes > maxKeptBytes) return
    // One byte more than is recorded shows that it is too long.
    const kept = message.byteLength > maxKeptBytes ? message.slice(0, maxKeptBytes + 1) : message
    this.#kept.push(kept)
    this.#keptBytes += kept.byteLength
  }

  #leave(): void {
    if (this.#isOver) return
    const { signal } = this.#bounds
    // A deadline that passes amid answers says nothing about the replica.
    this.#end(signal?.aborted && this.#count === 0 ? toGone(signal) : { kind: 'gone' })
    this.#cancel()
  }

  #break(error: unknown): GrpcError {
    this.#cancel()
    const { silenceMs } = this.#bounds
    if (this.#isLate) {
      this.#end({ kind: 'timeout' })
      return new GrpcError('DEADLINE_EXCEEDED', `The replica sent no answer within ${silenceMs} ms`)
    }
    const broken =
      error instanceof GrpcError ? error : new GrpcError('INTERNAL', `Cannot read what the replica answered: ${error}`)
    this.#end(this.#toBroken(broken))
    if (this.#count === 0) return broken
    const text = `The replica ended the stream after ${this.#count} answers: ${broken.message}`
    return new GrpcError(broken.status, text, { trailers: broken.trailers, cause: error })
  }

  #end(result: TryResult): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#bounds.signal?.removeEventListener('abort', this.#onAbort)
    this.#resolve(result)
  }

  #toWhole(): TryResult {
    if (this.#error !== undefined) return this.#toBroken(new GrpcError('UNKNOWN', this.#error))
    // Of messages one after the other, what may come many times is added up (protobuf.dev, "Encoding", "Last One Wins").
    const body = Buffer.concat(this.#kept)
    return { kind: 'answer', status: 200, headers: {}, body, grpc: { status: 'OK', text: '', trailers: {} } }
  }

  #toBroken({ status, message: text, trailers }: GrpcError): TryResult {
    if (status === 'UNAVAILABLE' && this.#count > 0) return { kind: 'lost', sent: true, reason: text }
    const grpc = { status, text, trailers }
    return { kind: 'answer', status: toHttpStatus(status), headers: {}, body: Buffer.from(text), grpc }
  }
}

const giveUp = (stream: AnswerStream): void => stream.giveUp()

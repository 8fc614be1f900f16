import { ChunkQueue } from '../chunk-queue.ts'
import type { H2Head } from '../http2/head.ts'
import type { H2Part, H2Stream, H2StreamListener } from '../http2/stream.ts'
import { toErrorPart, toHeadPart, toMessageParts, toOkPart, toStatusPart } from './answer.ts'
import { gzipGrpcMessage, inflateGrpcMessage, isGzipAccepted } from './encoding.ts'
import { type GrpcFrame, GrpcFrameReader } from './frames.ts'
import {
  GrpcError,
  type GrpcHandler,
  type GrpcMetadata,
  type GrpcReply,
  type GrpcRequest,
  type GrpcRequestHead,
} from './grpc.ts'
import { type GrpcHead, parseGrpcHead, toHttpRefusal } from './head.ts'
import { toGrpcMetadata } from './headers.ts'
import type { GrpcLimits } from './limits.ts'

/** What the calls of one server have in common. */
export interface GrpcCallWorld {
  readonly handler: GrpcHandler
  readonly limits: GrpcLimits
  readonly buffered: ByteCount
  readonly streams: ((path: string) => boolean) | undefined
  readonly admit: ((head: GrpcRequestHead) => GrpcError | (() => void)) | undefined
  readonly onError: ((error: unknown) => void) | undefined
  readonly compressFromBytes: number
}

/** Bytes of messages that the calls of one server hold. */
export class ByteCount {
  bytes = 0
}

/** Answers one call. Never throws. */
export function serveCall(world: GrpcCallWorld, stream: H2Stream, { headers }: H2Head): void {
  new ServerCall(world, stream, headers).start()
}

const EMPTY = new Uint8Array(0)
const NO_HEAD: GrpcHead = { encoding: 'identity', timeoutMs: undefined, accepts: undefined }

const DEADLINE = new GrpcError('DEADLINE_EXCEEDED', 'The deadline of the client has passed')

const INTERNAL = new GrpcError('UNKNOWN', 'Internal error; the server log has the details')

/** Node's timers cannot wait longer. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Where a call is.
 * - `receiving`: its message arrives.
 * - `running`: the handler has it; a call of many messages it has from the start.
 * - `streaming`: the messages of its answer are awaited and sent one by one.
 * - `blocked`: the client does not take the last of them.
 * - `over`: its status is decided and given to the stream; the client may not have taken it yet.
 */
type Phase = 'receiving' | 'running' | 'streaming' | 'blocked' | 'over'

class ServerCall implements GrpcRequest, H2StreamListener {
  readonly path: string
  message: Uint8Array = EMPTY
  messages?: AsyncIterable<Uint8Array>
  deadlineAt: number | undefined
  readonly #world: GrpcCallWorld
  readonly #stream: H2Stream
  readonly #headers: H2Head['headers']
  readonly #reader: GrpcFrameReader
  #head: GrpcHead = NO_HEAD
  #frame: GrpcFrame | undefined
  #phase: Phase = 'receiving'
  #heldBytes = 0
  #timer: NodeJS.Timeout | undefined
  #deadline: NodeJS.Timeout | undefined
  #release: (() => void) | undefined
  #metadata: GrpcMetadata | undefined
  #abort: AbortController | undefined
  #whyLeft: GrpcError | undefined
  #messages: AsyncIterator<Uint8Array> | undefined
  #isHeadSent = false
  /** Of a call that takes many messages: what of them has come. */
  #chunks: ChunkQueue | undefined
  #onDrain: (() => void) | undefined

  constructor(world: GrpcCallWorld, stream: H2Stream, headers: H2Head['headers']) {
    this.path = headers[':path'] ?? ''
    this.#world = world
    this.#stream = stream
    this.#headers = headers
    this.#reader = new GrpcFrameReader(world.limits.maxMessageBytes)
  }

  get metadata(): GrpcMetadata {
    this.#metadata ??= toGrpcMetadata(this.#headers)
    return this.#metadata
  }

  /** Made when it is asked for: a handler that answers at once does not. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#whyLeft !== undefined) this.#abort.abort(this.#whyLeft)
    }
    return this.#abort.signal
  }

  start(): void {
    this.#stream.listen(this)
    this.#timer = setTimeout(expire, this.#world.limits.requestTimeoutMs, this)
    const status = toHttpRefusal(this.#headers)
    if (status === undefined) this.#open()
    else {
      this.#end()
      this.#stream.send([toStatusPart(status)], true)
    }
  }

  onHead(): void {}

  /** What stands behind the messages of a request says nothing. */
  onTrailers(): void {}

  onData(chunk: Buffer): void {
    if (this.#chunks !== undefined) return void this.#chunks.push(chunk)
    this.#stream.giveBack(chunk.byteLength)
    if (this.#phase === 'receiving') this.#take(chunk)
  }

  onEnd(): void {
    if (this.#chunks !== undefined) return void this.#chunks.end()
    // Every failure is answered inside.
    void this.#run()
  }

  onDrain(): void {
    this.#onDrain?.()
  }

  #open(): void {
    try {
      this.#head = parseGrpcHead(this.#headers)
      this.#setDeadline(this.#head.timeoutMs)
      this.#hold(0)
      const admitted = this.#world.admit?.(this)
      if (admitted instanceof GrpcError) throw admitted
      this.#release = admitted
    } catch (error) {
      this.#fail(error)
      return
    }
    // Every failure is answered inside.
    if (this.#world.streams?.(this.path) === true) {
      this.#phase = 'running'
      this.#chunks = new ChunkQueue()
      this.messages = this.#receive(this.#chunks)
      void this.#answer()
    }
  }

  /** Takes messages as they are asked for: the others stay with the client, whose window is full then. */
  async *#receive(chunks: ChunkQueue): AsyncGenerator<Uint8Array, void> {
    while (true) {
      const chunk = await this.#withinTime(chunks.next())
      if (chunk === undefined) break
      this.#stream.giveBack(chunk.byteLength)
      this.#hold(chunk.byteLength)
      for (const frame of this.#reader.push(chunk))
        yield frame.compressed ? await this.#inflate(frame.message) : frame.message
      // What became whole is the handler's to count.
      this.#hold(this.#reader.partialBytes - this.#heldBytes)
    }
    if (this.#reader.isPartial) throw new GrpcError('INTERNAL', 'A message ended before it was whole')
  }

  /** Ends the call where a client stays silent: within a message, or for long. */
  async #withinTime<value>(chunk: Promise<value>): Promise<value> {
    const { requestTimeoutMs, idleTimeoutMs } = this.#world.limits
    const timer = setTimeout(cutSilent, this.#reader.isPartial ? requestTimeoutMs : idleTimeoutMs, this)
    try {
      return await chunk
    } finally {
      clearTimeout(timer)
    }
  }

  #setDeadline(timeoutMs: number | undefined): void {
    if (timeoutMs === undefined) return
    this.deadlineAt = Date.now() + timeoutMs
    this.#deadline = setTimeout(cut, Math.min(timeoutMs, MAX_TIMER_MS), this, DEADLINE)
  }

  #take(chunk: Buffer): void {
    try {
      this.#hold(chunk.byteLength)
      for (const frame of this.#reader.push(chunk)) {
        if (this.#frame !== undefined) throw new GrpcError('INTERNAL', `${this.path} takes one message, but more came`)
        this.#frame = frame
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  #hold(bytes: number): void {
    const { buffered, limits } = this.#world
    // Its bytes are given back, or will be, as they are counted now.
    if (this.#stream.isClosed) return
    this.#heldBytes += bytes
    buffered.bytes += bytes
    if (buffered.bytes > limits.maxBufferedBytes)
      throw new GrpcError('RESOURCE_EXHAUSTED', `Calls hold more than the limit of ${limits.maxBufferedBytes} bytes`)
  }

  async #run(): Promise<void> {
    if (this.#isLeft) return
    try {
      const frame = this.#toFrame()
      this.#phase = 'running'
      this.message = frame.compressed ? await this.#inflate(frame.message) : frame.message
    } catch (error) {
      this.#fail(error)
      return
    }
    await this.#answer()
  }

  async #answer(): Promise<void> {
    if (this.#isLeft) return
    try {
      const reply = await this.#world.handler(this)
      if (this.#isLeft) return
      const { message } = reply
      await (message instanceof Uint8Array ? this.#sendOnly(reply, message) : this.#sendAll(reply, message))
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Whether nobody waits for an answer any more. */
  get #isLeft(): boolean {
    return this.#phase === 'over' || this.#stream.isClosed
  }

  #toFrame(): GrpcFrame {
    if (this.#reader.isPartial) throw new GrpcError('INTERNAL', 'The message ended before it was whole')
    if (this.#frame === undefined) throw new GrpcError('INTERNAL', `${this.path} takes one message, but none came`)
    return this.#frame
  }

  async #inflate(message: Uint8Array): Promise<Uint8Array> {
    const { maxMessageBytes } = this.#world.limits
    return await inflateGrpcMessage(this.#head.encoding, message, maxMessageBytes, bytes => this.#hold(bytes))
  }

  async #sendOnly({ metadata, trailers }: GrpcReply, message: Uint8Array): Promise<void> {
    const isLong = message.byteLength >= this.#world.compressFromBytes
    const isCompressed = isLong && isGzipAccepted(this.#head.accepts)
    const sent = isCompressed ? await gzipGrpcMessage(message) : message
    if (this.#isLeft) return
    const parts = [toHeadPart(metadata, isCompressed), ...toMessageParts(sent, isCompressed), toOkPart(trailers)]
    this.#heldBytes += sent.byteLength
    this.#world.buffered.bytes += sent.byteLength
    this.#end()
    this.#stream.send(parts, true)
  }

  async #sendAll({ metadata, trailers }: GrpcReply, messages: AsyncIterable<Uint8Array>): Promise<void> {
    this.#stream.send([toHeadPart(metadata, false)], false)
    this.#isHeadSent = true
    this.#phase = 'streaming'
    const iterator = messages[Symbol.asyncIterator]()
    this.#messages = iterator
    for await (const message of { [Symbol.asyncIterator]: () => iterator }) {
      if (this.#isLeft) return
      if (!this.#stream.send(toMessageParts(message, false), false)) await this.#unblock()
    }
    if (this.#isLeft) return
    const last = toOkPart(trailers)
    this.#end()
    this.#stream.send([last], true)
  }

  async #unblock(): Promise<void> {
    this.#phase = 'blocked'
    this.#timer?.refresh()
    await new Promise<void>(resolve => {
      this.#onDrain = resolve
    })
    this.#onDrain = undefined
    if (this.#phase === 'blocked') this.#phase = 'streaming'
  }

  #fail(error: unknown): void {
    if (this.#isLeft) return
    this.#end()
    this.#stream.send([this.#toErrorPart(error)], true)
  }

  #toErrorPart(error: unknown): H2Part {
    const isHeadSent = this.#isHeadSent
    let bug = error
    if (error instanceof GrpcError)
      try {
        return toErrorPart(error, isHeadSent)
      } catch (unsendable) {
        bug = unsendable
      }
    this.#world.onError?.(bug)
    return toErrorPart(INTERNAL, isHeadSent)
  }

  #end(): void {
    this.#phase = 'over'
    clearTimeout(this.#deadline)
    this.#timer?.refresh()
  }

  #leave(reason: GrpcError): void {
    this.#whyLeft = reason
    this.#abort?.abort(reason)
    // What an iterable throws while it is ended early concerns nobody.
    this.#messages?.return?.().catch(() => {})
  }

  onClose(): void {
    clearTimeout(this.#timer)
    this.#chunks?.end()
    this.#onDrain?.()
    if (this.#phase !== 'over') {
      this.#end()
      this.#leave(new GrpcError('CANCELLED', 'The client went away'))
    }
    this.#world.buffered.bytes -= this.#heldBytes
    this.#release?.()
  }

  /** Ends the call before its time. */
  cut(error: GrpcError): void {
    this.#fail(error)
    this.#leave(error)
  }

  cutSilent(): void {
    const { requestTimeoutMs, idleTimeoutMs } = this.#world.limits
    this.cut(
      this.#reader.isPartial
        ? new GrpcError('DEADLINE_EXCEEDED', `The rest of a message did not arrive within ${requestTimeoutMs} ms`)
        : new GrpcError('UNAVAILABLE', `No message arrived within ${idleTimeoutMs} ms`),
    )
  }

  expire(): void {
    if (this.#phase === 'receiving') {
      const { requestTimeoutMs } = this.#world.limits
      this.#fail(new GrpcError('DEADLINE_EXCEEDED', `The message did not arrive within ${requestTimeoutMs} ms`))
    } else if (this.#phase === 'blocked' || this.#phase === 'over') {
      this.#stream.reset('CANCEL')
    }
  }
}

const expire = (call: ServerCall): void => call.expire()
const cutSilent = (call: ServerCall): void => call.cutSilent()
const cut = (call: ServerCall, error: GrpcError): void => call.cut(error)

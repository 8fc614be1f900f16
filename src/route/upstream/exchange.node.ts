import type { GrpcEnd } from '../grpc/upstream.node.ts'
import type { Reading } from './answer-reader.ts'
import type { AnswerStream } from './answer-stream.node.ts'

/** How long to wait, how much to take, and who may stop it. */
export interface UpstreamBounds {
  readonly timeoutMs: number
  /** The client said how long it waits, so the replica is told. @default false */
  readonly isTold?: boolean
  /** It is the client's limit: the gateway alone would wait longer. @default false */
  readonly isClients?: boolean
  readonly maxAnswerBytes: number
  readonly signal: AbortSignal | undefined
}

/**
 * What came of sending a request once.
 * - `answer`: a whole answer, or the first of a stream. One of gRPC has the HTTP status that its own stands for, and the text of an error as its body.
 * - `lost`: the connection could not be made or broke, or what came is no answer; `sent` tells whether a part of the
 *   request may have arrived.
 * - `timeout`, `too-long`: it was given up.
 * - `gone`: the client left first.
 * - `unsendable`: not a request that the protocol can carry.
 */
export type TryResult =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers: Readonly<Record<string, string | string[] | undefined>>
      readonly body: Uint8Array
      readonly grpc?: GrpcEnd
      /** Of a stream: all answers, from the first on; they must be read or left. */
      readonly answers?: AnswerStream
    }
  | { readonly kind: 'lost'; readonly sent: boolean; readonly reason: string }
  | { readonly kind: 'timeout' | 'too-long' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unsendable'; readonly reason: string }

/** One request, worded, and the wait for its answer. */
export class UpstreamExchange {
  readonly head: string
  readonly body: Uint8Array
  readonly isHead: boolean
  readonly maxAnswerBytes: number
  /** Called where it is given up, by whoever waits for it in vain then. */
  onGivenUp: () => void = () => {}
  readonly #resolve: (result: TryResult) => void
  readonly #signal: AbortSignal | undefined
  readonly #timer: NodeJS.Timeout
  readonly #onAbort = (): void => this.#giveUp('gone')
  #isOver = false

  constructor(
    request: { readonly method: string; readonly head: string; readonly body: Uint8Array },
    bounds: UpstreamBounds,
    resolve: (result: TryResult) => void,
  ) {
    this.head = request.head
    this.body = request.body
    this.isHead = request.method === 'HEAD'
    this.maxAnswerBytes = bounds.maxAnswerBytes
    this.#resolve = resolve
    this.#signal = bounds.signal
    this.#timer = setTimeout(() => this.#giveUp('timeout'), bounds.timeoutMs)
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (this.#signal?.aborted) this.#giveUp('gone')
  }

  /** Whether its result is told. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Tells what was read of the answer, if that is the end of it. */
  tell(reading: Exclude<Reading, 'partial'>): void {
    this.settle(toTryResult(reading))
  }

  /** Tells the result, unless one is told. */
  settle(result: TryResult): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#resolve(result)
  }

  #giveUp(kind: 'timeout' | 'gone'): void {
    if (this.#isOver) return
    this.settle({ kind })
    this.onGivenUp()
  }
}

function toTryResult(reading: Exclude<Reading, 'partial'>): TryResult {
  if (reading === 'too-long') return { kind: 'too-long' }
  if ('problem' in reading) return { kind: 'lost', sent: true, reason: reading.problem }
  const { status, headers, body } = reading
  return { kind: 'answer', status, headers, body }
}

import type { Dispatcher } from 'undici'
import { toErrorText } from '../core/errors.ts'
import type { GrpcEnd } from './grpc-upstream.node.ts'
import { TIMEOUT_HEADER } from './hints.ts'

/** One request as it goes to another server; `target` is the path with its query. */
export interface UpstreamRequest {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

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
 * - `answer`: a whole answer. One of gRPC has the HTTP status that its own stands for, and the text of an error as its body.
 * - `lost`: the connection could not be made or broke; `sent` tells whether a part of the request may have arrived.
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
    }
  | { readonly kind: 'lost'; readonly sent: boolean; readonly reason: string }
  | { readonly kind: 'timeout' | 'too-long' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unsendable'; readonly reason: string }

/** Sends a request once and takes the whole answer. Never rejects. The request is under way when this returns. */
export function sendOnce(dispatcher: Dispatcher, request: UpstreamRequest, bounds: UpstreamBounds): Promise<TryResult> {
  return new Promise(resolve => {
    const exchange = new Exchange(bounds, resolve)
    const { method, target: path, body } = request
    const headers = bounds.isTold
      ? { ...request.headers, [TIMEOUT_HEADER]: String(Math.floor(bounds.timeoutMs)) }
      : request.headers
    dispatcher.dispatch({ method, path, headers, body: body.byteLength === 0 ? null : body }, exchange)
  })
}

/** One request and its answer, from dispatch to the last byte. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #bounds: UpstreamBounds
  readonly #resolve: (result: TryResult) => void
  readonly #timer: NodeJS.Timeout
  readonly #onAbort = (): void => this.#giveUp('gone')
  readonly #chunks: Buffer[] = []
  #controller: Dispatcher.DispatchController | undefined
  #length = 0
  #status = 0
  #headers: Readonly<Record<string, string | string[] | undefined>> = {}
  #over = false

  constructor(bounds: UpstreamBounds, resolve: (result: TryResult) => void) {
    this.#bounds = bounds
    this.#resolve = resolve
    this.#timer = setTimeout(() => this.#giveUp('timeout'), bounds.timeoutMs)
    bounds.signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (bounds.signal?.aborted) this.#giveUp('gone')
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // Given up while it waited for a connection: it must not be sent any more.
    if (this.#over) controller.abort(new Error('given up'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    // An interim answer (1xx) is followed by the final one.
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#length += chunk.byteLength
    if (this.#length > this.#bounds.maxAnswerBytes) this.#giveUp('too-long')
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    const [first] = this.#chunks
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks)
    this.#finish({ kind: 'answer', status: this.#status, headers: this.#headers, body })
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const reason = toErrorText(error)
    const unsendable = error.name === 'InvalidArgumentError' || error.name === 'NotSupportedError'
    this.#finish(
      unsendable ? { kind: 'unsendable', reason } : { kind: 'lost', sent: this.#controller !== undefined, reason },
    )
  }

  #giveUp(kind: 'timeout' | 'too-long' | 'gone'): void {
    this.#finish({ kind })
    this.#controller?.abort(new Error(kind))
  }

  #finish(result: TryResult): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    this.#bounds.signal?.removeEventListener('abort', this.#onAbort)
    this.#resolve(result)
  }
}

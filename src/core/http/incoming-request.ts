import type { HttpRequest } from './http.ts'

const NOTHING = new Uint8Array()

/** A request as a server gets it. What few handlers look at (query, signal) is made when it is looked at. */
export class IncomingRequest implements HttpRequest {
  readonly method: string
  readonly target: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  #body: Uint8Array = NOTHING
  #chunks: AsyncIterable<Uint8Array> | undefined
  #query: URLSearchParams | undefined
  #abort: AbortController | undefined
  #isGone = false

  constructor({
    method,
    target,
    path,
    headers,
  }: Pick<HttpRequest, 'method' | 'path' | 'headers'> & { target: string }) {
    this.method = method
    this.target = target
    this.path = path
    this.headers = headers
  }

  get body(): Uint8Array {
    return this.#body
  }

  get chunks(): AsyncIterable<Uint8Array> | undefined {
    return this.#chunks
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.target.slice(this.path.length))
    return this.#query
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.#isGone) this.#abort.abort()
    return this.#abort.signal
  }

  /** Whether the client went away before its answer was whole. */
  get isGone(): boolean {
    return this.#isGone
  }

  /** Takes the body in, once it has arrived. */
  setBody(body: Uint8Array): void {
    this.#body = body
  }

  /** Takes in a body that is still to arrive. */
  setChunks(chunks: AsyncIterable<Uint8Array>): void {
    this.#chunks = chunks
  }

  /** Notes that the client has gone, and aborts the signal. */
  leave(): void {
    this.#isGone = true
    this.#abort?.abort()
  }
}

/** The part of a request target before its query. */
export function toPath(target: string): string {
  const mark = target.indexOf('?')
  return mark === -1 ? target : target.slice(0, mark)
}

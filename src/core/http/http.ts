/** One HTTP request, whatever carried it. Header names are lower-case; `path` has no query. */
export interface HttpRequest {
  readonly method: string
  readonly path: string
  /** Path and query as they came over the wire; absent where no wire carried the request. */
  readonly target?: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
  /** The body as it arrives, where the server was told to stream it; `body` is empty then. */
  readonly chunks?: AsyncIterable<Uint8Array> | undefined
  /** Aborts when the client goes away or the server stops waiting. */
  readonly signal: AbortSignal
}

/** The request with some of it replaced. A spread would not do: what a request makes when looked at is no property of it. */
export function toChanged(request: HttpRequest, change: Partial<HttpRequest>): HttpRequest {
  const { method, path, target, query, headers, body, chunks, signal } = request
  return { method, path, ...(target !== undefined && { target }), query, headers, body, chunks, signal, ...change }
}

/** One HTTP response. A body of chunks is streamed with back-pressure and ends when the iterable ends. */
export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
}

/** Answers a request. A thrown error is a bug and becomes a 500 without its text. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse> | HttpResponse

const encoder = new TextEncoder()

/** A JSON response; `body` must be serialisable. */
export function toJsonResponse(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(body)),
  }
}

/** A plain-text response in UTF-8. */
export function toTextResponse(status: number, text: string, contentType = 'text/plain; charset=utf-8'): HttpResponse {
  return { status, headers: { 'content-type': contentType }, body: encoder.encode(text) }
}

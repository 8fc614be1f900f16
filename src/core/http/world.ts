import type { HttpHandler, HttpResponse } from './http.ts'

/** What is known of a request before its body is read. Header names are lower-case. */
export interface HttpRequestHead {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** As declared; 1 MiB (or the limit, where that is less) for a body of unknown length or one that is streamed. */
  readonly bodyBytes: number
}

/** What all requests of one server have in common. */
export interface HttpWorld {
  readonly handler: HttpHandler
  readonly maxBodyBytes: number
  readonly maxHeadBytes: number
  readonly requestTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  /** Whether a body is handed on as it arrives, however long it is, instead of being read first. */
  readonly streams: ((head: HttpRequestHead) => boolean) | undefined
  /** Asked before a body is read: a response refuses the request, a function is called once the request is over. */
  readonly admit: ((head: HttpRequestHead) => HttpResponse | (() => void)) | undefined
  /** Told of every handler that threw. */
  readonly onError: ((error: unknown) => void) | undefined
  /** Words the server's own refusals. */
  readonly toError: (status: number, text: string) => HttpResponse
  /** Whether the server takes no more connections, and closes each after its answer. */
  isDraining: boolean
}

/** The refusal of a request whose handler threw. */
export function toInternalError({ toError }: HttpWorld): HttpResponse {
  return toError(500, 'Internal error; the server log has the details')
}

/** Whether answers of a status never have a body (RFC 9110, section 8.6), nor tell its length. */
export function isBare(status: number): boolean {
  return status === 204 || status === 304
}

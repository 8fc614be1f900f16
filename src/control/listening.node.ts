import { toErrorText } from '../core/errors.ts'
import { type HttpHandler, type HttpResponse, toJsonResponse } from '../core/http/http.ts'
import { type HttpServer, listenHttp } from '../core/http/server.node.ts'
import type { HttpRequestHead } from '../core/http/world.ts'
import { isTruthStream, MAX_BATCH_BYTES, toMaxBodyBytes, toTooLong } from './app.ts'
import { toControlError, toErrorJson, toErrorResponse } from './errors.ts'
import type { Logger } from './logger.ts'

/** Where control listens, and who is told what goes wrong. */
export interface ListenOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly logger: Logger
}

/** Listens for the API; bodies are bounded, each and all together. @throws PORT_IN_USE, LISTEN */
export async function listen({ host, port, logger }: ListenOptions, handler: HttpHandler): Promise<HttpServer> {
  return await listenHttp(handler, {
    host,
    port,
    maxBodyBytes: MAX_BATCH_BYTES,
    streams: isTruthStream,
    admit: toAdmit(),
    toError: (status, text) =>
      status === 413
        ? toErrorResponse(toTooLong(MAX_BATCH_BYTES))
        : toJsonResponse(status, toErrorJson('INTERNAL', text, undefined)),
    onError: error => logger.error({ code: 'INTERNAL', error: toErrorText(error) }, 'A request failed'),
  })
}

/** Bytes of all bodies that arrive or are answered at once. */
const MAX_HELD_BYTES = 256 * 1024 * 1024

/** Refuses a body that is too long, or that there is no room for now. */
function toAdmit(): (head: HttpRequestHead) => HttpResponse | (() => void) {
  let held = 0
  return ({ path, bodyBytes }) => {
    const max = toMaxBodyBytes(path)
    if (bodyBytes > max) return toErrorResponse(toTooLong(max))
    if (held + bodyBytes > MAX_HELD_BYTES) {
      const busy = toControlError('BUSY', 'Cannot take another request now: too many are being read', 'Try again later')
      return toErrorResponse(busy, { 'retry-after': '1' })
    }
    held += bodyBytes
    return () => {
      held -= bodyBytes
    }
  }
}

import { toErrorText } from '../../core/errors.ts'
import { type HttpResponse, toJsonResponse } from '../../core/http/http.ts'
import { type HttpServer, listenHttp } from '../../core/http/server.node.ts'
import { toRefusalResponse } from '../errors.ts'
import type { Service } from '../model.ts'
import { type Limits, MAX_HEAD_BYTES, type ServerOptions } from '../options.ts'
import { type Counting, toCountedHandler } from '../telemetry/counted.ts'
import type { Access } from './access.ts'
import type { Admission } from './admission.ts'
import { withCompression } from './compression.ts'
import { toCrossOrigin, withCrossOrigin } from './cross-origin.ts'
import { isPrediction, toHandler, toProtocol } from './handler.ts'
import { isProbe } from './health.ts'
import { withTimeLimit } from './time-limit.node.ts'

/** What the two ports of a server share. */
export interface FrontParts extends Counting {
  readonly service: Service
  readonly admission: Admission
  readonly access: Access
}

/**
 * Opens the port of HTTP, which answers from before the models are loaded until after the last prediction.
 * @throws PORT_IN_USE, LISTEN
 */
export async function openFront(parts: FrontParts, options: ServerOptions, limits: Limits): Promise<HttpServer> {
  const { service, metrics, admission, access } = parts
  const { cors, logger, restTimeoutMs } = options
  const plain = withCompression(toHandler(service), { ...limits, reserve: bytes => admission.reserve(bytes) })
  const limited = withTimeLimit(plain, restTimeoutMs)
  const handler = cors === true ? withCrossOrigin(limited) : limited
  const toShown = (response: HttpResponse): HttpResponse => (cors === true ? toCrossOrigin(response) : response)
  return await listenHttp(toCountedHandler(handler, parts), {
    host: options.host ?? '127.0.0.1',
    port: options.httpPort,
    maxBodyBytes: limits.maxBodyBytes,
    maxHeadBytes: MAX_HEAD_BYTES,
    requestTimeoutMs: limits.requestTimeoutMs,
    ...(options.tls?.http && { tls: options.tls.http }),
    admit({ method, path, headers, bodyBytes }) {
      const kind = isPrediction(path) ? 'prediction' : isProbe(path) ? 'probe' : 'question'
      // Browsers ask first whether they may ask, without their token.
      const isOpen = kind === 'probe' || (cors === true && method === 'OPTIONS')
      const stranger = isOpen ? undefined : access(headers['authorization']?.toString())
      const admitted = stranger ?? admission.admit({ kind, bodyBytes })
      if (typeof admitted === 'function') return admitted
      const refusal = toRefusalResponse(admitted)
      metrics.onRequest(toProtocol(path), refusal.status, 0)
      return toShown(refusal)
    },
    toError(status, error) {
      metrics.onRequest('other', status, 0)
      return toShown(toJsonResponse(status, { error }))
    },
    onError: error => logger?.error({ error: toErrorText(error) }, 'a request failed'),
  })
}

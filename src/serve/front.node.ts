import { toErrorText } from '../core/errors.ts'
import { type HttpServer, listenHttp } from '../core/http.node.ts'
import { type HttpHandler, toJsonResponse } from '../core/http.ts'
import type { Access } from './access.ts'
import type { Admission } from './admission.ts'
import { withCompression } from './compression.ts'
import { withCrossOrigin } from './cross-origin.ts'
import { toRefusalResponse } from './errors.ts'
import { isPrediction, toHandler, toTarget } from './handler.ts'
import { isProbe } from './health.ts'
import type { ServerMetrics } from './metrics.ts'
import type { Service } from './model.ts'
import type { Limits, ServerOptions } from './options.ts'
import { withTimeLimit } from './time-limit.node.ts'

/** What the two ports of a server share. */
export interface FrontParts {
  readonly service: Service
  readonly metrics: ServerMetrics
  readonly admission: Admission
  readonly access: Access
}

/**
 * Opens the port of HTTP, which answers from before the models are loaded until after the last prediction.
 * @throws PORT_IN_USE, LISTEN
 */
export async function openFront(
  { service, metrics, admission, access }: FrontParts,
  options: ServerOptions,
  limits: Limits,
): Promise<HttpServer> {
  const { logger } = options
  const count = (path: string, status: number): void => {
    metrics.requests.inc({ ...toLabels(service, path), status: String(status) })
  }
  const { cors, restTimeoutMs } = options
  const plain = withCompression(toHandler(service), { ...limits, reserve: bytes => admission.reserve(bytes) })
  const limited = restTimeoutMs === undefined ? plain : withTimeLimit(plain, restTimeoutMs)
  const handler = cors === true ? withCrossOrigin(limited) : limited
  return await listenHttp(toTimedHandler(handler, service, metrics), {
    host: options.host ?? '127.0.0.1',
    port: options.httpPort,
    maxBodyBytes: limits.maxBodyBytes,
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
      count(path, refusal.status)
      return refusal
    },
    toError(status, error) {
      count('', status)
      return toJsonResponse(status, { error })
    },
    onError: error => logger?.error({ error: toErrorText(error) }, 'a request failed'),
  })
}

/** The labels of a request: few words, whatever clients ask for. */
function toLabels({ catalog }: Service, path: string): { protocol: string; model: string } {
  const { protocol, model } = toTarget(path)
  return { protocol, model: catalog.names.includes(model) ? model : '' }
}

/** Counts and times answers; while the server stops, it also asks clients to connect anew, which is elsewhere. */
function toTimedHandler(handler: HttpHandler, service: Service, metrics: ServerMetrics): HttpHandler {
  return async request => {
    const startedAt = performance.now()
    const response = await handler(request)
    const labels = toLabels(service, request.path)
    metrics.seconds.observe(labels, (performance.now() - startedAt) / 1000)
    metrics.requests.inc({ ...labels, status: String(response.status) })
    if (!service.isDraining) return response
    return { ...response, headers: { ...response.headers, connection: 'close' } }
  }
}

import { toErrorText } from '../core/errors.ts'
import { type HttpServer, listenHttp } from '../core/http.node.ts'
import { type HttpHandler, toJsonResponse } from '../core/http.ts'
import { toAdmission } from './admission.ts'
import { withCompression } from './compression.ts'
import { withCrossOrigin } from './cross-origin.ts'
import { toHandler, toTarget } from './handler.ts'
import type { ServerMetrics } from './metrics.ts'
import type { Service } from './model.ts'
import type { Limits, ServerOptions } from './options.ts'
import { withTimeLimit } from './time-limit.node.ts'

/** The HTTP side of a server, which answers from before the models are loaded until after the last prediction. */
export interface Front {
  readonly http: HttpServer
  /** Requests that are let in and not over yet. */
  readonly inFlight: number
}

/** Opens the port. @throws PORT_IN_USE, LISTEN */
export async function openFront(
  service: Service,
  metrics: ServerMetrics,
  options: ServerOptions,
  limits: Limits,
): Promise<Front> {
  const { logger } = options
  const admission = toAdmission(service, limits)
  const count = (path: string, status: number): void => {
    metrics.requests.inc({ ...toLabels(service, path), status: String(status) })
  }
  const { cors, restTimeoutMs } = options
  const plain = withCompression(toHandler(service), { ...limits, reserve: bytes => admission.reserve(bytes) })
  const limited = restTimeoutMs === undefined ? plain : withTimeLimit(plain, restTimeoutMs)
  const handler = cors === true ? withCrossOrigin(limited) : limited
  const http = await listenHttp(toTimedHandler(handler, service, metrics), {
    host: options.host ?? '127.0.0.1',
    port: options.httpPort,
    maxBodyBytes: limits.maxBodyBytes,
    requestTimeoutMs: limits.requestTimeoutMs,
    admit(head) {
      const admitted = admission.admit(head)
      if (typeof admitted === 'object') count(head.path, admitted.status)
      return admitted
    },
    toError(status, error) {
      count('', status)
      return toJsonResponse(status, { error })
    },
    onError: error => logger?.error({ error: toErrorText(error) }, 'a request failed'),
  })
  options.onListening?.({ url: http.url, port: http.port })
  logger?.info({ url: http.url, models: service.catalog.names }, 'listening')
  return {
    http,
    get inFlight() {
      return admission.inFlight
    },
  }
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

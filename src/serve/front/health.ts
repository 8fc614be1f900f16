import { type HttpRequest, type HttpResponse, toTextResponse } from '../../core/http/http.ts'
import { toNotLoaded } from '../catalog/catalog.ts'
import { Refusal, toRefusalResponse } from '../errors.ts'
import { isReady, type Service } from '../model.ts'
import { SERVER_VERSION } from '../version.ts'
import { checkMethod } from './path.ts'

/** Whether a probe of a path asks for life or for readiness; Kubernetes' names and those of other model servers. */
const PROBES = {
  '/livez': 'live',
  '/healthz': 'live',
  '/readyz': 'ready',
  '/ping': 'ready',
  '/health': 'ready',
} as const satisfies Record<string, 'live' | 'ready'>

/** Whether a path is that of a probe of the whole server. */
export function isProbe(path: string): boolean {
  return Object.hasOwn(PROBES, path) || path === '/v2/health/live' || path === '/v2/health/ready'
}

/** Answers probes, `/version` and pages of metrics, or returns undefined for another path. @throws METHOD */
export function answerHealth(service: Service, request: HttpRequest): HttpResponse | undefined {
  const { path } = request
  if (path === '/version') {
    checkMethod(request, 'GET')
    return toTextResponse(200, SERVER_VERSION)
  }
  if (path === '/metrics' || path === service.tfsMetricsPath) {
    checkMethod(request, 'GET')
    const { metrics, tfsMetricsPath } = service
    const { text, contentType } =
      path === tfsMetricsPath ? metrics.printTfs() : metrics.print(request.headers['accept'])
    return toTextResponse(200, text, contentType)
  }
  if (!Object.hasOwn(PROBES, path)) return undefined
  checkMethod(request, 'GET')
  if (PROBES[path as keyof typeof PROBES] === 'live') return toTextResponse(200, 'live')
  return isReady(service) ? toTextResponse(200, 'ready') : toRefusalResponse(toNotReady(service))
}

/** What clients are told once it is so. */
export const STOPPING = 'The server is stopping'

/** Why the server does not take predictions now. */
export function toNotReady({ catalog, stopping }: Service): Refusal {
  if (stopping.aborted) return new Refusal('NOT_READY', STOPPING)
  const waiting = catalog.names.filter(name => !catalog.versions(name).some(({ state }) => state === 'AVAILABLE'))
  const [only = ''] = waiting
  if (waiting.length === 1) return toNotLoaded(only)
  return new Refusal('NOT_READY', 'No model is loaded yet')
}

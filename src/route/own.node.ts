import { type HttpRequest, type HttpResponse, toJsonResponse, toTextResponse } from '../core/http/http.ts'
import type { Control } from './control.node.ts'
import { refuse } from './http.node.ts'
import type { GatewayMetrics } from './metrics.ts'
import { type OwnPath, toMethods } from './own-path.ts'
import type { LiveRoutes } from './routes/live-routes.node.ts'
import { toTfsPage } from './tfs-page.ts'

/** What clients are told once it is so. */
export const STOPPING = 'The gateway is stopping'

/** What the gateway's own answers work with. */
export interface OwnWorld {
  readonly routes: LiveRoutes
  readonly metrics: GatewayMetrics
  readonly control: Pick<Control, 'sendTruths'>
  /** Aborts once the gateway stops: it answers, and tells balancers to send nothing more. */
  readonly stopping: AbortSignal
}

/** Answers one of the gateway's own paths. */
export async function answerOwn(world: OwnWorld, request: HttpRequest, path: OwnPath): Promise<HttpResponse> {
  const allowed = toMethods(path)
  if (!allowed.includes(request.method)) {
    const text = `Cannot ${request.method} ${path}: expected ${allowed.join(' or ')}`
    const refusal = refuse(world, request, { code: 'METHOD', status: 405, text })
    return { ...refusal, headers: { ...refusal.headers, allow: allowed.join(', ') } }
  }
  switch (path) {
    case '/livez':
    case '/healthz':
      return toJsonResponse(200, { status: 'ok' })
    case '/v2/health/live':
      return toJsonResponse(200, { live: true })
    case '/v2/health/ready': {
      const ready = findObstacle(world) === undefined
      return toJsonResponse(ready ? 200 : 503, { ready })
    }
    case '/readyz':
    case '/ping':
    case '/health':
      return toReadiness(findObstacle(world))
    case '/metrics':
      return toTextResponse(200, await world.metrics.registry.metrics(), world.metrics.registry.contentType)
    case '/monitoring/prometheus/metrics':
      return toTextResponse(
        200,
        await toTfsPage(world.metrics, world.routes.table?.deployment ?? ''),
        world.metrics.registry.contentType,
      )
    case '/truth':
      return await passTruths(world, request)
    default:
      return path satisfies never
  }
}

function toReadiness(obstacle: string | undefined): HttpResponse {
  return obstacle === undefined
    ? toJsonResponse(200, { status: 'ok' })
    : toJsonResponse(503, { status: 'unavailable', reason: obstacle })
}

/** Ready is who can answer a prediction: there is a champion with a replica. Says what is in the way. */
export function findObstacle({ routes, stopping }: Pick<OwnWorld, 'routes' | 'stopping'>): string | undefined {
  if (stopping.aborted) return STOPPING
  if (routes.table === undefined) return 'The gateway knows no routes yet'
  return (routes.table.champion?.live.length ?? 0) === 0 ? 'The champion has no replica yet' : undefined
}

async function passTruths(world: OwnWorld, request: HttpRequest): Promise<HttpResponse> {
  const answer = await world.control.sendTruths(request)
  if (answer !== undefined) return answer
  const text = 'Control does not answer: send the truths again, those that it has will count once'
  return refuse(world, request, { code: 'CONTROL_AWAY', status: 503, text })
}

import { type HttpRequest, type HttpResponse, toJsonResponse, toTextResponse } from '../core/http.ts'
import type { Control } from './control.node.ts'
import { classifyPath, type OwnPath, toOwnPath } from './path.ts'
import { type PredictWorld, pass, predict, refuse } from './predict.node.ts'

/** What answering any request works with. */
export interface HandlerWorld extends PredictWorld {
  readonly control: Pick<Control, 'sendTruths'>
  /** True once the gateway stops: it answers, and tells balancers to send nothing more. */
  readonly state: { readonly draining: boolean }
}

/** Answers one request; a gateway that stops keeps no connection open after its answer. */
export async function handle(world: HandlerWorld, request: HttpRequest): Promise<HttpResponse> {
  const response = await answer(world, request)
  if (!world.state.draining) return response
  return { ...response, headers: { ...response.headers, connection: 'close' } }
}

async function answer(world: HandlerWorld, request: HttpRequest): Promise<HttpResponse> {
  const own = toOwnPath(request.path)
  if (own !== undefined) return await answerOwn(world, request, own)
  const { table } = world.routes
  if (table === undefined)
    return refuse(world, request, { code: 'NO_ROUTES', status: 503, text: 'The gateway knows no routes yet' })
  const use = classifyPath(request.method, request.path, table.deployment)
  return use.kind === 'predict' ? await predict(world, table, request, use) : await pass(world, table, request, use)
}

async function answerOwn(world: HandlerWorld, request: HttpRequest, path: OwnPath): Promise<HttpResponse> {
  const allowed = path === '/truth' ? ['POST'] : ['GET', 'HEAD']
  if (!allowed.includes(request.method)) {
    const text = `Cannot ${request.method} ${path}: expected ${allowed.join(' or ')}`
    const refusal = refuse(world, request, { code: 'METHOD', status: 405, text })
    return { ...refusal, headers: { ...refusal.headers, allow: allowed.join(', ') } }
  }
  switch (path) {
    case '/livez':
    case '/healthz':
      return toJsonResponse(200, { status: 'ok' })
    case '/readyz':
      return toReadiness(world)
    case '/metrics':
      return toTextResponse(200, await world.metrics.registry.metrics(), world.metrics.registry.contentType)
    case '/truth':
      return await passTruths(world, request)
    default:
      return path satisfies never
  }
}

/** Ready is who can answer a prediction: there is a champion with a replica. */
function toReadiness(world: HandlerWorld): HttpResponse {
  const { champion } = world.routes.table ?? {}
  const reason = world.state.draining
    ? 'The gateway is stopping'
    : world.routes.table === undefined
      ? 'The gateway knows no routes yet'
      : champion === undefined || champion.live.length === 0
        ? 'The champion has no replica yet'
        : undefined
  return reason === undefined
    ? toJsonResponse(200, { status: 'ok' })
    : toJsonResponse(503, { status: 'unavailable', reason })
}

async function passTruths(world: HandlerWorld, request: HttpRequest): Promise<HttpResponse> {
  const answer = await world.control.sendTruths(request)
  if (answer !== undefined) return answer
  const text = 'Control does not answer: send the truths again, those that it has will count once'
  return refuse(world, request, { code: 'CONTROL_AWAY', status: 503, text })
}

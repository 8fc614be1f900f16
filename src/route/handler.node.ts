import type { HttpRequest, HttpResponse } from '../core/http/http.ts'
import type { Access } from './access.ts'
import { answerPrediction, type HttpWorld, pass, refuse } from './http.node.ts'
import { answerOwn, type OwnWorld } from './own.node.ts'
import { toOwnPath } from './own-path.ts'
import { classifyPath } from './path.ts'
import { CLOSED, NO_ROUTES, NO_TOKEN } from './refusals.ts'

/** What answering any request works with. */
export interface HandlerWorld extends HttpWorld, OwnWorld {
  readonly routes: HttpWorld['routes']
  readonly metrics: HttpWorld['metrics']
  readonly access: Access
}

/** Answers one request; a gateway that stops keeps no connection open after its answer. */
export async function handle(world: HandlerWorld, request: HttpRequest): Promise<HttpResponse> {
  const { access, stopping } = world
  const isOfPage = request.headers['origin'] !== undefined
  const preflight = isOfPage ? access.toPreflight(request) : undefined
  const response = preflight ?? (await answer(world, request))
  if (!isOfPage && !stopping.aborted) return response
  const close = stopping.aborted ? { connection: 'close' } : {}
  return { ...response, headers: { ...response.headers, ...access.toCorsHeaders(request.headers), ...close } }
}

function answer(world: HandlerWorld, request: HttpRequest): Promise<HttpResponse> | HttpResponse {
  const own = toOwnPath(request.path)
  if (own !== undefined) return answerOwn(world, request, own)
  if (!world.access.mayPredict(request.headers)) return toUnauthorized(world, request)
  const { table } = world.routes
  if (table === undefined) return refuse(world, request, NO_ROUTES)
  const use = classifyPath(request.method, request.path, table.deployment)
  if (use.kind === 'predict') return answerPrediction(world, table, request, use)
  if (use.kind === 'closed') return refuse(world, request, CLOSED)
  return pass(world, table, request, use)
}

function toUnauthorized(world: HandlerWorld, request: HttpRequest): HttpResponse {
  const refusal = refuse(world, request, NO_TOKEN)
  return { ...refusal, headers: { ...refusal.headers, 'www-authenticate': 'Bearer' } }
}

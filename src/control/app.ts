import { RegattaError, toErrorText } from '../core/errors.ts'
import { type HttpHandler, type HttpRequest, type HttpResponse, toJsonResponse } from '../core/http/http.ts'
import type { HttpRequestHead } from '../core/http/world.ts'
import { ENDPOINTS, type Endpoint, findOperation, type Operation } from './endpoints.ts'
import { toControlError, toErrorJson, toErrorResponse } from './errors.ts'
import { checkAccess, checkHost } from './guard.ts'
import type { Logger } from './logger.ts'
import type { ControlMetrics } from './metrics.ts'
import type { ScopeOf } from './tokens.ts'
import { isNdjson } from './truth/truths.ts'

/** One call of an operation: the request, and what its path's braces stood for. */
export interface ApiCall {
  readonly request: HttpRequest
  readonly args: Readonly<Record<string, string>>
}

/** What carries out each operation. Errors are thrown as `RegattaError`. */
export type Operations = Readonly<Record<Operation, (call: ApiCall) => Promise<HttpResponse> | HttpResponse>>

/** What the API needs beside its operations. */
export interface AppOptions {
  readonly operations: Operations
  readonly boundHost: string
  readonly scopeOf: ScopeOf
  readonly metrics: ControlMetrics
  readonly logger: Logger
}

/** Longest body of an operation, bytes: batches are long, commands are not. */
export function toMaxBodyBytes(path: string): number {
  if (path === ENDPOINTS.putBlob.path) return MAX_BLOB_BYTES
  return path === '/truth' || path === ENDPOINTS.records.path ? MAX_BATCH_BYTES : MAX_COMMAND_BYTES
}

/** Whether a request's body is taken in as it arrives: truths of any number. */
export function isTruthStream({ path, headers }: HttpRequestHead): boolean {
  const type = headers['content-type']
  return path === ENDPOINTS.truth.path && isNdjson(typeof type === 'string' ? type : undefined)
}

/** Longest body of any operation. */
export const MAX_BATCH_BYTES = 32 * 1024 * 1024
const MAX_COMMAND_BYTES = 64 * 1024
/** Registries take manifests of so many (distribution-spec, "Pushing Manifests"). */
const MAX_BLOB_BYTES = 4 * 1024 * 1024

/** Answers every request of the API: finds its operation, checks who asks, and gives all errors one form. */
export function toApp(options: AppOptions): HttpHandler {
  return async request => {
    const match = findOperation(request.method, request.path)
    const operation = 'operation' in match ? match.operation : 'none'
    const response = await answer(request, match, options).catch(error => toRefusal(error, match, options))
    options.metrics.requests.inc({ operation, status: String(response.status) })
    return { ...response, headers: { ...SAFE_HEADERS, ...response.headers } }
  }
}

/** No answer is taken for another type, shown in a frame or kept by a cache. */
const SAFE_HEADERS = { 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'cache-control': 'no-store' }

type Match = ReturnType<typeof findOperation>

async function answer(request: HttpRequest, match: Match, options: AppOptions): Promise<HttpResponse> {
  const { boundHost, scopeOf, operations } = options
  checkHost(boundHost, request.headers['host'])
  if ('problem' in match) throw toUnmatched(request, match)
  const endpoint: Endpoint = ENDPOINTS[match.operation]
  checkAccess(endpoint.access, request.headers['authorization'], { scopeOf, boundHost })
  checkBody(request)
  return await operations[match.operation]({ request, args: match.args })
}

function toUnmatched({ method, path }: HttpRequest, match: Match & { readonly problem: string }): RegattaError {
  if (match.problem === 'method') {
    const allowed = 'allowed' in match ? match.allowed.join(', ') : ''
    return toControlError('METHOD', `Cannot ${method} ${path}: expected ${allowed}`, `Use ${allowed}`)
  }
  return toControlError('NOT_FOUND', `Cannot find ${path}`, 'GET /api/v1/openapi.json lists every path')
}

function checkBody({ path, body }: HttpRequest): void {
  const max = toMaxBodyBytes(path)
  if (body.byteLength > max) throw toTooLong(max)
}

/** The error of a body that is too long. */
export function toTooLong(maxBytes: number): RegattaError {
  return toControlError('BODY_TOO_LONG', `Cannot take a body of more than ${maxBytes} bytes`, 'Send it in parts')
}

/** An error that is none of ours is a bug: the caller learns no more than that, the log has its text. */
function toRefusal(error: unknown, match: Match, { logger }: AppOptions): HttpResponse {
  if (!(error instanceof RegattaError)) {
    logger.error({ code: 'INTERNAL', error: toErrorText(error) }, 'A request failed')
    return toJsonResponse(500, toErrorJson('INTERNAL', 'Cannot answer: control failed', 'Its log says why'))
  }
  const response = toErrorResponse(error, toErrorHeaders(error, match))
  if (response.status >= 500) logger.warn({ code: error.code, error: toErrorText(error) }, 'Cannot answer a request')
  return response
}

function toErrorHeaders(error: RegattaError, match: Match): Readonly<Record<string, string>> {
  if (error.code === 'UNAUTHENTICATED') return { 'www-authenticate': 'Bearer' }
  if (error.code === 'METHOD' && 'allowed' in match) return { allow: match.allowed.join(', ') }
  return error.retryable ? { 'retry-after': '1' } : {}
}

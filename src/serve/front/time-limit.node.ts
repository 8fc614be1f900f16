import { type HttpHandler, type HttpRequest, type HttpResponse, toChanged } from '../../core/http/http.ts'
import { parseTimeout, TIMEOUT_HEADER } from '../../core/http/timeout.ts'
import { Refusal, toRefusalResponse } from '../errors.ts'

/** Gives answers up that take longer than the client waits, or than the limit; what still waits for its turn is not run then. */
export function withTimeLimit(handler: HttpHandler, limitMs = Number.POSITIVE_INFINITY): HttpHandler {
  return request => {
    const waitMs = parseTimeout(request.headers[TIMEOUT_HEADER])
    if (typeof waitMs === 'object') return toRefusalResponse(new Refusal('BAD_REQUEST', waitMs.problem))
    const leastMs = Math.min(limitMs, waitMs ?? limitMs)
    return leastMs === Number.POSITIVE_INFINITY ? handler(request) : answerWithin(leastMs, handler, request)
  }
}

async function answerWithin(limitMs: number, handler: HttpHandler, request: HttpRequest): Promise<HttpResponse> {
  const late = Promise.withResolvers<undefined>()
  const abort = new AbortController()
  const timer = setTimeout(() => {
    // First of all, lest the work that is dropped then answers in its own words.
    late.resolve(undefined)
    abort.abort()
  }, limitMs)
  try {
    const signal = AbortSignal.any([request.signal, abort.signal])
    const response = await Promise.race([handler(toChanged(request, { signal })), late.promise])
    return response ?? toRefusalResponse(new Refusal('DEADLINE', `The answer took longer than ${limitMs} ms`))
  } finally {
    clearTimeout(timer)
  }
}

import type { HttpHandler, HttpResponse } from '../../core/http/http.ts'
import { TIMEOUT_HEADER } from '../../core/http/timeout.ts'
import { Refusal, toRefusalResponse } from '../errors.ts'

/** http_rest_api_util.cc, `AddCORSHeaders`, and what else the protocols say in headers. */
const HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'POST, GET',
  'access-control-allow-headers': `Content-Type, Authorization, Content-Encoding, Inference-Header-Content-Length, ${TIMEOUT_HEADER}, traceparent`,
  'access-control-expose-headers': 'Inference-Header-Content-Length, Retry-After',
}

/** Lets pages of other sites ask, as TensorFlow Serving does (http_server.cc, `ProcessRequest`). */
export function withCrossOrigin(handler: HttpHandler): HttpHandler {
  return async request => {
    if (request.method !== 'OPTIONS') return toCrossOrigin(await handler(request))
    if (/https?:\/\//.test(request.headers['origin'] ?? ''))
      return toCrossOrigin({ status: 200, headers: {}, body: NOTHING })
    return toCrossOrigin(toRefusalResponse(new Refusal('PRECONDITION', 'Origin header is missing in CORS preflight')))
  }
}

/** Lets pages of other sites read an answer. */
export function toCrossOrigin(response: HttpResponse): HttpResponse {
  return { ...response, headers: { ...response.headers, ...HEADERS } }
}

const NOTHING = new Uint8Array()

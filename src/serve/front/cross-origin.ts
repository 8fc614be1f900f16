import type { HttpHandler } from '../../core/http/http.ts'
import { Refusal, toRefusalResponse } from '../errors.ts'

/** http_rest_api_util.cc, `AddCORSHeaders`, and the header of a token. */
const HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'POST, GET',
  'access-control-allow-headers': 'Content-Type, Authorization',
}

/** Lets pages of other sites ask, as TensorFlow Serving does (http_server.cc, `ProcessRequest`). */
export function withCrossOrigin(handler: HttpHandler): HttpHandler {
  return async request => {
    if (request.method !== 'OPTIONS') {
      const response = await handler(request)
      return { ...response, headers: { ...response.headers, ...HEADERS } }
    }
    if (/https?:\/\//.test(request.headers['origin'] ?? '')) return { status: 200, headers: HEADERS, body: NOTHING }
    return toRefusalResponse(
      new Refusal('PRECONDITION', 'Origin header is missing in CORS preflight', { headers: HEADERS }),
    )
  }
}

const NOTHING = new Uint8Array()

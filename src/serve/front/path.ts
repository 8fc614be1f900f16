import type { HttpRequest } from '../../core/http/http.ts'
import { Refusal } from '../errors.ts'

/** Checks a request's method; GET allows HEAD. @throws METHOD */
export function checkMethod(request: HttpRequest, allowed: 'GET' | 'POST'): void {
  const { method, path } = request
  if (method === allowed || (allowed === 'GET' && method === 'HEAD')) return
  throw new Refusal('METHOD', `Cannot use ${method} for ${path}: expected ${allowed}`, {
    headers: { allow: allowed === 'GET' ? 'GET, HEAD' : allowed },
  })
}

/** A path's segment as text, or undefined where its escapes are wrong. */
export function decodeSegment(segment: string | undefined): string | undefined {
  try {
    return segment === undefined ? undefined : decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

/** The refusal of a path that no protocol has, in TensorFlow Serving's words (http_rest_api_handler.cc). */
export function toUnknownPath({ method, path }: HttpRequest): Refusal {
  return new Refusal('NOT_FOUND', `Malformed request: ${method} ${path}`)
}

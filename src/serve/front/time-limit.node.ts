import { type HttpHandler, toChanged } from '../../core/http/http.ts'
import { Refusal, toRefusalResponse } from '../errors.ts'

/** Gives answers up that take longer; what still waits for its turn is not run then. */
export function withTimeLimit(handler: HttpHandler, limitMs: number): HttpHandler {
  return async request => {
    const late = Promise.withResolvers<undefined>()
    const abort = new AbortController()
    const timer = setTimeout(() => {
      abort.abort()
      late.resolve(undefined)
    }, limitMs)
    try {
      const signal = AbortSignal.any([request.signal, abort.signal])
      const response = await Promise.race([handler(toChanged(request, { signal })), late.promise])
      return response ?? toRefusalResponse(new Refusal('DEADLINE', `The answer took longer than ${limitMs} ms`))
    } finally {
      clearTimeout(timer)
    }
  }
}

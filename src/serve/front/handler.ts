import type { HttpHandler, HttpRequest, HttpResponse } from '../../core/http/http.ts'
import { TensorError } from '../../tensor/index.ts'
import { Refusal, toRefusalResponse } from '../errors.ts'
import { answerMlflow } from '../mlflow/handler.ts'
import type { Service } from '../model.ts'
import type { Protocol } from '../telemetry/protocols.ts'
import { answerTfs } from '../tfs/handler.ts'
import { answerV2 } from '../v2/handler.ts'
import { answerHealth } from './health.ts'
import { toUnknownPath } from './path.ts'

/** Answers everything that a model server answers; each protocol looks whether a path is its own. */
export function toHandler(service: Service): HttpHandler {
  return async request => {
    try {
      return await answer(service, request)
    } catch (error) {
      if (error instanceof Refusal) return toRefusalResponse(error)
      if (error instanceof TensorError) return toRefusalResponse(new Refusal('BAD_REQUEST', error.message))
      throw error
    }
  }
}

function answer(service: Service, request: HttpRequest): Promise<HttpResponse> | HttpResponse {
  const answered =
    answerTfs(service, request) ??
    answerV2(service, request) ??
    answerMlflow(service, request) ??
    answerHealth(service, request)
  if (answered === undefined) throw toUnknownPath(request)
  return answered
}

/** The protocol that a path belongs to, for metrics: few words, whatever clients ask for. */
export function toProtocol(path: string): Protocol {
  if (/^\/v1\/models/i.test(path)) return 'tfs'
  if (path === '/invocations') return 'mlflow'
  return /^\/v2(\/(models|repository|health)|\/?$)/.test(path) ? 'v2' : 'other'
}

/** Whether a request to a path computes something: such requests are refused before their body is read. */
export function isPrediction(path: string): boolean {
  if (path === '/invocations') return true
  return /^\/v1\/models\/.*:[a-z]+$/i.test(path) || /^\/v2\/models\/.*\/infer$/.test(path)
}

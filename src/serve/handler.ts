import type { HttpHandler, HttpRequest, HttpResponse } from '../core/http.ts'
import { TensorError } from '../tensor/index.ts'
import { Refusal, toRefusalResponse } from './errors.ts'
import { answerHealth } from './health.ts'
import { answerMlflow } from './mlflow/handler.ts'
import type { Service } from './model.ts'
import { decodeSegment, toUnknownPath } from './path.ts'
import { answerTfs } from './tfs/handler.ts'
import { answerV2 } from './v2/handler.ts'

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

async function answer(service: Service, request: HttpRequest): Promise<HttpResponse> {
  const answered =
    (await answerTfs(service, request)) ??
    (await answerV2(service, request)) ??
    (await answerMlflow(service, request)) ??
    (await answerHealth(service, request))
  if (answered === undefined) throw toUnknownPath(request)
  return answered
}

/** What a path is for, as metrics tell it. */
export interface Target {
  readonly protocol: 'tfs' | 'v2' | 'mlflow' | 'other'
  /** As it stands in the path; empty where there is none. */
  readonly model: string
}

/** Tells what a path is for. */
export function toTarget(path: string): Target {
  const tfs = /^\/v1\/models(?:\/([^/:]+))?/i.exec(path)
  if (tfs !== null) return { protocol: 'tfs', model: decodeSegment(tfs[1]) ?? '' }
  if (path === '/invocations') return { protocol: 'mlflow', model: '' }
  const v2 = /^\/v2(?:\/?$|\/(?:repository|health)\/|\/models(?:\/([^/]+))?)/.exec(path)
  return v2 === null ? { protocol: 'other', model: '' } : { protocol: 'v2', model: decodeSegment(v2[1]) ?? '' }
}

/** Whether a request to a path computes something: such requests are refused before their body is read. */
export function isPrediction(path: string): boolean {
  if (path === '/invocations') return true
  return /^\/v1\/models\/.*:[a-z]+$/i.test(path) || /^\/v2\/models\/.*\/infer$/.test(path)
}

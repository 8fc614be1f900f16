import { type HttpRequest, type HttpResponse, toJsonResponse } from '../../core/http/http.ts'
import type { ServedVersion } from '../catalog/catalog.ts'
import { checkInputs } from '../check-inputs.ts'
import { parseBody } from '../front/body.ts'
import { checkMethod, toUnknownPath } from '../front/path.ts'
import type { Service } from '../model.ts'
import { toNoSuchSignature } from './errors.ts'
import { findStatuses } from './find.ts'
import { parseTfsPath } from './path.ts'
import { parsePredictRequest, parseSignatureName } from './request.ts'
import { toMetadataResponse, toPredictResponse, toStatusResponse } from './response.ts'

/**
 * Answers TensorFlow Serving's REST API and the part of KServe V1 beside it, or returns undefined where the path is
 * not theirs. @throws a `Refusal`, or a `TensorError` where a body does not fit the model
 */
export function answerTfs(service: Service, request: HttpRequest): Promise<HttpResponse> | undefined {
  return /^\/v1\/models/i.test(request.path) ? answer(service, request) : undefined
}

async function answer(service: Service, request: HttpRequest): Promise<HttpResponse> {
  const path = parseTfsPath(request.path)
  if (path === undefined) throw toUnknownPath(request)
  checkMethod(request, path.call === 'list' || path.call === 'status' || path.call === 'metadata' ? 'GET' : 'POST')
  switch (path.call) {
    case 'list':
      return toJsonResponse(200, { models: service.catalog.names })
    case 'status':
      return toStatusResponse(path.name, findStatuses(service.catalog, path), service.stopping.aborted)
    case 'metadata':
      return toMetadataResponse(service.catalog.find(path))
    case 'predict':
      return await predict(service.catalog.find(path), request)
    case 'classify':
    case 'regress':
      service.catalog.find(path)
      throw toNoSuchSignature(path.call, parseSignatureName(parseBody(request)), ':predict')
    default:
      return path satisfies never
  }
}

async function predict({ model }: ServedVersion, request: HttpRequest): Promise<HttpResponse> {
  const { form, tensors } = parsePredictRequest(request, model.inputs)
  checkInputs(tensors, model.inputs)
  const names = model.outputs.map(output => output.name)
  return toPredictResponse(form, await model.infer(tensors, names, request.signal))
}

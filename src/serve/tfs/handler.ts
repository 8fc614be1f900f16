import { type HttpRequest, type HttpResponse, toJsonResponse } from '../../core/http.ts'
import { checkInputs } from '../check-inputs.ts'
import { Refusal } from '../errors.ts'
import { type Service, toModel } from '../model.ts'
import { checkMethod, toUnknownPath } from '../path.ts'
import { parseTfsPath, type TfsPath } from './path.ts'
import { parsePredictRequest } from './request.ts'
import { toMetadataResponse, toPredictResponse, toStatusResponse } from './response.ts'

/**
 * Answers TensorFlow Serving's REST API and the part of KServe V1 beside it, or returns undefined where the path is
 * not theirs. @throws a `Refusal`, or a `TensorError` where a body does not fit the model
 */
export async function answerTfs(service: Service, request: HttpRequest): Promise<HttpResponse | undefined> {
  if (!/^\/v1\/models/i.test(request.path)) return undefined
  const path = parseTfsPath(request.path)
  if (path === undefined) throw toUnknownPath(request)
  switch (path.call) {
    case 'status':
      checkMethod(request, 'GET')
      if (path.modelName === undefined) return toJsonResponse(200, { models: [service.modelName] })
      checkStatusOf(service, path)
      return toStatusResponse(service)
    case 'metadata':
      checkMethod(request, 'GET')
      checkServable(service, path)
      return toMetadataResponse(service, toModel(service))
    case 'predict':
      checkMethod(request, 'POST')
      checkServable(service, path)
      return await predict(service, request)
    case 'classify':
    case 'regress':
      checkMethod(request, 'POST')
      checkServable(service, path)
      throw new Refusal('BAD_REQUEST', `Cannot ${path.call}: the model has a predict signature alone; use :predict`)
    default:
      return path.call satisfies never
  }
}

async function predict(service: Service, request: HttpRequest): Promise<HttpResponse> {
  const model = toModel(service)
  const { form, tensors } = parsePredictRequest(request, model.inputs)
  checkInputs(tensors, model.inputs)
  const names = model.outputs.map(output => output.name)
  return toPredictResponse(form, await model.infer(tensors, names, request.signal))
}

/** tensorflow_serving/core/manager.cc and server_core.cc have the words of both checks. */
function checkServable(service: Service, { modelName, version, label }: TfsPath): void {
  if (modelName !== service.modelName || (version !== undefined && Number(version) !== service.version)) {
    const wanted = version === undefined ? `Latest(${modelName})` : `Specific(${modelName}, ${version})`
    throw new Refusal('NOT_FOUND', `Servable not found for request: ${wanted}`)
  }
  if (label !== undefined) throw new Refusal('BAD_REQUEST', `Unrecognized servable version label: ${label}`)
}

/** A label is left alone, as TensorFlow Serving does: there is one version to tell of. */
function checkStatusOf(service: Service, { modelName, version }: TfsPath): void {
  if (modelName !== service.modelName)
    throw new Refusal('NOT_FOUND', `Could not find any versions of model ${modelName}`)
  if (version !== undefined && Number(version) !== service.version)
    throw new Refusal('NOT_FOUND', `Could not find version ${version} of model ${modelName}`)
}

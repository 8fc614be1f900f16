import { type HttpRequest, type HttpResponse, toJsonResponse } from '../../core/http.ts'
import { checkInputs } from '../check-inputs.ts'
import { Refusal } from '../errors.ts'
import { isReady, type Service, toModel } from '../model.ts'
import { checkMethod, toUnknownPath } from '../path.ts'
import { parseV2Path, type V2Path } from './path.ts'
import { parseInferRequest } from './request.ts'
import { toInferResponse, toModelResponse, toServerResponse } from './response.ts'

/**
 * Answers the REST API of the Open Inference Protocol V2, or returns undefined where the path is not its own.
 * @throws a `Refusal`, or a `TensorError` where a body does not fit the model
 */
export async function answerV2(service: Service, request: HttpRequest): Promise<HttpResponse | undefined> {
  if (!/^\/v2(\/|$)/.test(request.path)) return undefined
  const path = parseV2Path(request.path)
  if (path === undefined) throw toUnknownPath(request)
  checkMethod(request, path.call === 'infer' ? 'POST' : 'GET')
  switch (path.call) {
    case 'server':
      return toServerResponse()
    case 'live':
      return toJsonResponse(200, { live: true })
    case 'ready':
      return toJsonResponse(isReady(service) ? 200 : 503, { ready: isReady(service) })
    case 'model-ready':
      checkModel(service, path)
      return toJsonResponse(isReady(service) ? 200 : 503, { name: service.modelName, ready: isReady(service) })
    case 'metadata':
      checkModel(service, path)
      return toModelResponse(service, toModel(service))
    case 'infer':
      checkModel(service, path)
      return await infer(service, request)
    default:
      return path satisfies never
  }
}

async function infer(service: Service, request: HttpRequest): Promise<HttpResponse> {
  const model = toModel(service)
  const { id, tensors, outputs } = parseInferRequest(request, model)
  checkInputs(tensors, model.inputs)
  return toInferResponse(service, id, await model.infer(tensors, outputs, request.signal))
}

function checkModel(service: Service, path: Extract<V2Path, { modelName: string }>): void {
  const { modelName, version } = path
  if (modelName !== service.modelName)
    throw new Refusal('NOT_FOUND', `Request for unknown model: "${modelName}" is not found`)
  if (version !== undefined && version !== String(service.version))
    throw new Refusal('NOT_FOUND', `Request for unknown model: "${modelName}" version ${version} is not found`)
}

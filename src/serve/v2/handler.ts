import { type HttpRequest, type HttpResponse, toJsonResponse } from '../../core/http/http.ts'
import type { ServedVersion } from '../catalog/catalog.ts'
import { checkInputs } from '../check-inputs.ts'
import { checkMethod, toUnknownPath } from '../front/path.ts'
import { isReady, type Service } from '../model.ts'
import { findVersion, isLoaded, listAvailable } from './find.ts'
import { parseV2Path, type V2Path } from './path.ts'
import { toControlResponse, toIndexResponse } from './repository.ts'
import { parseInferRequest } from './request.ts'
import { toInferResponse, toModelResponse, toServerResponse } from './response.ts'
import { toStatisticsResponse } from './statistics.ts'

const POSTED: readonly V2Path['call'][] = ['infer', 'index', 'load', 'unload']

/**
 * Answers the REST API of the Open Inference Protocol V2 with Triton's extensions for statistics and for the model
 * repository, or returns undefined where the path is not its own.
 * @throws a `Refusal`, or a `TensorError` where a body does not fit the model
 */
export function answerV2(service: Service, request: HttpRequest): Promise<HttpResponse> | HttpResponse | undefined {
  return /^\/v2(\/|$)/.test(request.path) ? answer(service, request) : undefined
}

function answer(service: Service, request: HttpRequest): Promise<HttpResponse> | HttpResponse {
  const path = parseV2Path(request.path)
  if (path === undefined) throw toUnknownPath(request)
  checkMethod(request, POSTED.includes(path.call) ? 'POST' : 'GET')
  const { catalog } = service
  switch (path.call) {
    case 'server':
      return toServerResponse()
    case 'live':
      return toJsonResponse(200, { live: true })
    case 'ready':
      return toJsonResponse(isReady(service) ? 200 : 503, { ready: isReady(service) })
    case 'model-ready': {
      const ready = !service.stopping.aborted && isLoaded(catalog, path)
      return toJsonResponse(ready ? 200 : 503, { name: path.modelName, ready })
    }
    case 'metadata':
      return toModelResponse(findVersion(catalog, path), listAvailable(catalog, path.modelName))
    case 'infer':
      return infer(findVersion(catalog, path), request)
    case 'statistics':
      findVersion(catalog, path)
      return toStatisticsResponse(
        path.version === undefined ? listAvailable(catalog, path.modelName) : [findVersion(catalog, path)],
      )
    case 'all-statistics':
      return toStatisticsResponse(catalog.names.flatMap(name => listAvailable(catalog, name)))
    case 'index':
      return toIndexResponse(catalog, request)
    case 'load':
    case 'unload':
      return toControlResponse(service, path, request)
    default:
      return path satisfies never
  }
}

async function infer(served: ServedVersion, request: HttpRequest): Promise<HttpResponse> {
  const { model } = served
  const wish = parseInferRequest(request, model)
  checkInputs(wish.tensors, model.inputs)
  return toInferResponse(served, wish, await model.infer(wish.tensors, wish.outputs, request.signal))
}

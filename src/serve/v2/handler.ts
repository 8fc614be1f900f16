import { type HttpRequest, type HttpResponse, toJsonResponse } from '../../core/http.ts'
import type { ServedVersion } from '../catalog.ts'
import { checkInputs } from '../check-inputs.ts'
import { Refusal } from '../errors.ts'
import { isReady, type Service } from '../model.ts'
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
    case 'model-ready': {
      const ready = !service.isDraining && isLoaded(service, path)
      return toJsonResponse(ready ? 200 : 503, { name: path.modelName, ready })
    }
    case 'metadata':
      return toModelResponse(findVersion(service, path), listAvailable(service, path.modelName))
    case 'infer':
      return await infer(findVersion(service, path), request)
    default:
      return path satisfies never
  }
}

async function infer(served: ServedVersion, request: HttpRequest): Promise<HttpResponse> {
  const { model } = served
  const { id, tensors, outputs } = parseInferRequest(request, model)
  checkInputs(tensors, model.inputs)
  return toInferResponse(served, id, await model.infer(tensors, outputs, request.signal))
}

type ModelPath = Extract<V2Path, { modelName: string }>

/** The version to answer with. @throws NOT_FOUND in Triton's words, NOT_READY */
function findVersion({ catalog }: Service, { modelName, version }: ModelPath): ServedVersion {
  try {
    return catalog.find({ name: modelName, version: version === undefined ? undefined : toNumber(version) })
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'NOT_FOUND') throw error
    throw toUnknownModel({ modelName, version })
  }
}

/** Whether a model that is known can be inferred with. @throws NOT_FOUND */
function isLoaded(service: Service, path: ModelPath): boolean {
  const { catalog } = service
  const statuses = catalog.versions(path.modelName)
  const wanted = statuses.filter(({ version }) => path.version === undefined || version === toNumber(path.version))
  if (wanted.length === 0 && (path.version !== undefined || !catalog.names.includes(path.modelName)))
    throw toUnknownModel(path)
  return wanted.some(({ state }) => state === 'AVAILABLE')
}

function listAvailable({ catalog }: Service, name: string): readonly number[] {
  return catalog.versions(name).flatMap(({ version, state }) => (state === 'AVAILABLE' ? [version] : []))
}

/** Versions are texts in this protocol and numbers here: any other is found nowhere. */
function toNumber(version: string): number {
  return /^[1-9]\d*$|^0$/.test(version) ? Number(version) : Number.NaN
}

function toUnknownModel({ modelName, version }: Pick<ModelPath, 'modelName' | 'version'>): Refusal {
  const which = version === undefined ? '' : ` version ${version}`
  return new Refusal('NOT_FOUND', `Request for unknown model: "${modelName}"${which} is not found`)
}

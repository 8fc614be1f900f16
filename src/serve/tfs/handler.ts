import { type HttpRequest, type HttpResponse, toJsonResponse } from '../../core/http.ts'
import { parseBody } from '../body.ts'
import type { ServedVersion, VersionStatus, WantedVersion } from '../catalog.ts'
import { checkInputs } from '../check-inputs.ts'
import { Refusal } from '../errors.ts'
import type { Service } from '../model.ts'
import { checkMethod, toUnknownPath } from '../path.ts'
import { parseTfsPath } from './path.ts'
import { parsePredictRequest, parseSignatureName, SIGNATURE } from './request.ts'
import { toMetadataResponse, toPredictResponse, toStatusResponse } from './response.ts'

/**
 * Answers TensorFlow Serving's REST API and the part of KServe V1 beside it, or returns undefined where the path is
 * not theirs. @throws a `Refusal`, or a `TensorError` where a body does not fit the model
 */
export async function answerTfs(service: Service, request: HttpRequest): Promise<HttpResponse | undefined> {
  if (!/^\/v1\/models/i.test(request.path)) return undefined
  const path = parseTfsPath(request.path)
  if (path === undefined) throw toUnknownPath(request)
  checkMethod(request, path.call === 'list' || path.call === 'status' || path.call === 'metadata' ? 'GET' : 'POST')
  switch (path.call) {
    case 'list':
      return toJsonResponse(200, { models: service.catalog.names })
    case 'status':
      return toStatusResponse(path.name, findStatuses(service, path), service.isDraining)
    case 'metadata':
      return toMetadataResponse(service.catalog.find(path))
    case 'predict':
      return await predict(service.catalog.find(path), request)
    case 'classify':
    case 'regress':
      service.catalog.find(path)
      throw toNoSuchSignature(path.call, parseSignatureName(parseBody(request)))
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

/** Why a model that only predicts neither classifies nor regresses (classifier.cc and regressor.cc have the words). */
function toNoSuchSignature(call: 'classify' | 'regress', name: string): Refusal {
  if (name !== SIGNATURE) return new Refusal('BAD_REQUEST', `No signature was found with the name: ${name}`)
  const kind = call === 'classify' ? 'classification' : 'regression'
  return new Refusal(
    'BAD_REQUEST',
    `Expected ${kind} signature method_name to be tensorflow/serving/${call}. Was: tensorflow/serving/predict; use :predict`,
  )
}

/** get_model_status_impl.cc, which leaves a label alone. */
function findStatuses({ catalog }: Service, { name, version }: WantedVersion): readonly VersionStatus[] {
  const statuses = catalog.versions(name)
  if (statuses.length === 0) throw new Refusal('NOT_FOUND', `Could not find any versions of model ${name}`)
  const wanted = statuses.filter(status => version === undefined || status.version === version)
  if (wanted.length === 0) throw new Refusal('NOT_FOUND', `Could not find version ${version} of model ${name}`)
  return wanted
}

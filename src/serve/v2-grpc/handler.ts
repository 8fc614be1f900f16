import type { GrpcReply } from '../../core/grpc/grpc.ts'
import { answerInferStream, parseModelInferRequest, toModelInferResponse } from '../../tensor/index.ts'
import { GRPCInferenceService } from '../../tensor/messages.ts'
import { checkInputs } from '../check-inputs.ts'
import { type GrpcCall, type GrpcMethods, toMethod, toPath } from '../front/grpc-method.ts'
import { isReady } from '../model.ts'
import { findVersion, isLoaded, listAvailable } from '../v2/find.ts'
import type { V2ModelPath } from '../v2/path.ts'
import { controlModel, listRows } from '../v2/repository.ts'
import { EXTENSIONS } from '../v2/response.ts'
import { SERVER_VERSION } from '../version.ts'
import { toWish } from './request.ts'
import { toMetadataResponse, toStatisticsResponse } from './response.ts'

const { method } = GRPCInferenceService

/** The service of the Open Inference Protocol V2, with Triton's extensions for statistics and for the model repository. */
export const V2_METHODS: GrpcMethods = new Map([
  [toPath(method.modelInfer), { kind: 'prediction', answer: infer }],
  [toPath(method.modelStreamInfer), { kind: 'prediction', answer: infer, stream: answerInferStream }],
  toMethod(method.serverLive, 'probe', () => ({ live: true })),
  toMethod(method.serverReady, 'probe', ({ service }) => ({ ready: isReady(service) })),
  toMethod(method.modelReady, 'question', (call, { name, version }) => {
    const ready = isLoaded(call.service.catalog, toModelPath(name, version))
    return { ready: ready && !call.service.stopping.aborted }
  }),
  toMethod(method.serverMetadata, 'question', () => ({
    name: 'regatta',
    version: SERVER_VERSION,
    extensions: EXTENSIONS,
  })),
  toMethod(method.modelMetadata, 'question', (call, { name, version }) => {
    const { catalog } = call.service
    return toMetadataResponse(findVersion(catalog, toModelPath(name, version)), listAvailable(catalog, name))
  }),
  toMethod(method.modelStatistics, 'question', (call, { name, version }) => {
    const { catalog } = call.service
    if (name === '') return toStatisticsResponse(catalog.names.flatMap(each => listAvailable(catalog, each)))
    const served = findVersion(catalog, toModelPath(name, version))
    return toStatisticsResponse(version === '' ? listAvailable(catalog, name) : [served])
  }),
  toMethod(method.repositoryIndex, 'question', ({ service }, { ready }) => ({
    models: listRows(service.catalog, ready).map(row => ({ ...row })),
  })),
  toMethod(method.repositoryModelLoad, 'question', async (call, { modelName, parameters }) => {
    await controlModel(call.service, 'load', modelName, Object.keys(parameters))
    return {}
  }),
  toMethod(method.repositoryModelUnload, 'question', async (call, { modelName, parameters }) => {
    await controlModel(call.service, 'unload', modelName, Object.keys(parameters))
    return {}
  }),
])

async function infer(call: GrpcCall): Promise<GrpcReply> {
  const { message, signal, deadlineAt } = call.request
  const request = parseModelInferRequest(message)
  const { model, name, version } = findVersion(
    call.service.catalog,
    toModelPath(request.modelName, request.modelVersion),
  )
  const { tensors, outputs } = toWish(request, model)
  checkInputs(tensors, model.inputs)
  const results = await model.infer(tensors, outputs, signal, deadlineAt)
  return {
    message: toModelInferResponse({
      modelName: name,
      modelVersion: String(version),
      id: request.id,
      parameters: NO_PARAMETERS,
      outputs: [...results].map(([output, tensor]) => ({ name: output, tensor, parameters: NO_PARAMETERS })),
      isRaw: request.isRaw,
    }),
  }
}

const NO_PARAMETERS = new Map()

/** The version that a call is for; an empty one is the server's choice. */
function toModelPath(modelName: string, version: string): V2ModelPath {
  return { modelName, version: version === '' ? undefined : version }
}

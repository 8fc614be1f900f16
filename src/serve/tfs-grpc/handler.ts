import type { GrpcReply } from '../../core/grpc/grpc.ts'
import { parsePredictRequest, toPredictResponse } from '../../tensor/index.ts'
import { type MessageShape, ModelService, PredictionService } from '../../tensor/messages.ts'
import { checkInputs } from '../check-inputs.ts'
import { Refusal } from '../errors.ts'
import { type GrpcCall, type GrpcMethods, toMethod, toPath } from '../front/grpc-method.ts'
import { toNoSuchSignature } from '../tfs/errors.ts'
import { findStatuses } from '../tfs/find.ts'
import { SIGNATURE } from '../tfs/request.ts'
import { reload } from './reload.ts'
import { parseWanted, toWanted, toWish } from './request.ts'
import { SIGNATURE_DEF, toMetadataResponse, toStatusResponse } from './response.ts'

const prediction = PredictionService.method
const model = ModelService.method

/** TensorFlow Serving's two services (tensorflow_serving/apis/prediction_service.proto, model_service.proto). */
export const TFS_METHODS: GrpcMethods = new Map([
  [toPath(prediction.predict), { kind: 'prediction', answer: predict }],
  toMethod(prediction.classify, 'prediction', (call, { modelSpec }) => refuse(call, 'classify', modelSpec)),
  toMethod(prediction.regress, 'prediction', (call, { modelSpec }) => refuse(call, 'regress', modelSpec)),
  toMethod(prediction.multiInference, 'prediction', refuseAll),
  toMethod(prediction.getModelMetadata, 'question', (call, { modelSpec, metadataField }) => {
    const wanted = parseWanted(modelSpec)
    checkFields(metadataField)
    return toMetadataResponse(call.service.catalog.find(wanted))
  }),
  toMethod(model.getModelStatus, 'question', (call, { modelSpec }) =>
    toStatusResponse(findStatuses(call.service.catalog, parseWanted(modelSpec))),
  ),
  toMethod(model.handleReloadConfigRequest, 'question', (call, request) => reload(call.service, request)),
])

async function predict(call: GrpcCall): Promise<GrpcReply> {
  const { message, signal, deadlineAt } = call.request
  const request = parsePredictRequest(message)
  const served = call.service.catalog.find(toWanted(request))
  const { tensors, outputs } = toWish(request, served.model)
  checkInputs(tensors, served.model.inputs)
  const answer = {
    modelName: served.name,
    version: served.version,
    versionLabel: undefined,
    signatureName: SIGNATURE,
    outputs: await served.model.infer(tensors, outputs, signal, deadlineAt),
  }
  return { message: toPredictResponse(answer) }
}

/** get_model_metadata_impl.cc. */
function checkFields(fields: readonly string[]): void {
  if (fields.length === 0)
    throw new Refusal('BAD_REQUEST', 'GetModelMetadataRequest must specify at least one metadata_field')
  const unknown = fields.find(field => field !== SIGNATURE_DEF)
  if (unknown !== undefined) throw new Refusal('BAD_REQUEST', `Metadata field ${unknown} is not supported`)
}

type Spec = Parameters<typeof parseWanted>[0]

function refuse(call: GrpcCall, kind: 'classify' | 'regress', spec: Spec): never {
  call.service.catalog.find(parseWanted(spec))
  throw toNoSuchSignature(kind, spec?.signatureName || SIGNATURE, 'Predict')
}

/** multi_inference.cc: all tasks are of one model, and the first of them fails here. */
function refuseAll(call: GrpcCall, { tasks }: MessageShape<typeof prediction.multiInference.input>): never {
  const [first] = tasks
  const spec = first?.modelSpec
  call.service.catalog.find(parseWanted(spec))
  if (tasks.some(task => task.modelSpec?.name !== spec?.name)) {
    const text = 'All ModelSpecs in a MultiInferenceRequest must access the same model name.'
    throw new Refusal('BAD_REQUEST', text)
  }
  const name = spec?.signatureName || SIGNATURE
  if (name !== SIGNATURE) throw new Refusal('BAD_REQUEST', `Requested signature not found in model graph: ${name}`)
  const kind = /^tensorflow\/serving\/(classify|regress)$/.exec(first?.methodName ?? '')?.[1]
  if (kind === 'classify' || kind === 'regress') throw toNoSuchSignature(kind, name, 'Predict')
  throw new Refusal('UNSUPPORTED', `Unsupported signature method_name: ${first?.methodName}`)
}

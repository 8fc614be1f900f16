import { type TensorSpec, TFS_ELEMENTS } from '../../tensor/index.ts'
import {
  Code,
  type MessageInitShape,
  type ModelService,
  ModelVersionStatus_State,
  type PredictionService,
  SignatureDefMapSchema,
  toMessageBytes,
} from '../../tensor/messages.ts'
import type { ServedVersion, VersionStatus } from '../catalog/catalog.ts'
import { SIGNATURE } from '../tfs/request.ts'

type MetadataResponse = MessageInitShape<typeof PredictionService.method.getModelMetadata.output>
type StatusResponse = MessageInitShape<typeof ModelService.method.getModelStatus.output>

/** The one thing that a client may ask of a model's metadata. */
export const SIGNATURE_DEF = 'signature_def'

/** What a model takes and gives. */
export function toMetadataResponse({ name, version, model }: ServedVersion): MetadataResponse {
  const signature = {
    inputs: toTensorInfos(model.inputs),
    outputs: toTensorInfos(model.outputs),
    methodName: 'tensorflow/serving/predict',
  }
  return {
    modelSpec: { name, versionChoice: { case: 'version', value: { value: BigInt(version) } } },
    metadata: {
      [SIGNATURE_DEF]: {
        typeUrl: `type.googleapis.com/${SignatureDefMapSchema.typeName}`,
        value: toMessageBytes(SignatureDefMapSchema, { signatureDef: { [SIGNATURE]: signature } }),
      },
    },
  }
}

function toTensorInfos(specs: readonly TensorSpec[]) {
  return Object.fromEntries(
    specs.map(({ name, dtype, shape }) => [
      name,
      {
        encoding: { case: 'name', value: name } as const,
        dtype: TFS_ELEMENTS[dtype].type,
        tensorShape: { dim: shape.map(size => ({ size: BigInt(size) })) },
      },
    ]),
  )
}

/** How far versions are. */
export function toStatusResponse(statuses: readonly VersionStatus[]): StatusResponse {
  return {
    modelVersionStatus: statuses.map(({ version, state, error }) => ({
      version: BigInt(version),
      state: ModelVersionStatus_State[state],
      status: { errorCode: Code[error?.code ?? 'OK'], errorMessage: error?.message ?? '' },
    })),
  }
}

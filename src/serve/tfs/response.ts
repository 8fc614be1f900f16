import { type HttpResponse, toJsonResponse } from '../../core/http/http.ts'
import { DTYPES, type NamedTensors, type TensorSpec, toTfsOutputs, toTfsPredictions } from '../../tensor/index.ts'
import type { ServedVersion, VersionStatus } from '../catalog/catalog.ts'
import { SIGNATURE } from './request.ts'

const encoder = new TextEncoder()

/** Answers a prediction in the form of its request. @throws TENSOR_SHAPE where outputs have no rows in common */
export function toPredictResponse(form: 'row' | 'column', outputs: NamedTensors): HttpResponse {
  const text = form === 'row' ? `{"predictions":${toTfsPredictions(outputs)}}` : `{"outputs":${toTfsOutputs(outputs)}}`
  return { status: 200, headers: { 'content-type': 'application/json' }, body: encoder.encode(text) }
}

/**
 * The status of a model: TensorFlow Serving's document, and in it what KServe V1 answers at the same path (`name`,
 * `ready`). Like KServe's, and unlike TensorFlow Serving's, its status tells, too: 503 until a version is available.
 */
export function toStatusResponse(name: string, statuses: readonly VersionStatus[], isDraining: boolean): HttpResponse {
  const ready = !isDraining && statuses.some(({ state }) => state === 'AVAILABLE')
  return toJsonResponse(ready ? 200 : 503, {
    model_version_status: statuses.map(({ version, state, error }) => ({
      version: String(version),
      state,
      status: { error_code: error?.code ?? 'OK', error_message: error?.message ?? '' },
    })),
    name,
    ready,
  })
}

/** The signature of a model, as TensorFlow Serving prints its `GetModelMetadataResponse`. */
export function toMetadataResponse({ name, version, model }: ServedVersion): HttpResponse {
  const signature = {
    inputs: toTensorInfos(model.inputs),
    outputs: toTensorInfos(model.outputs),
    method_name: 'tensorflow/serving/predict',
  }
  return toJsonResponse(200, {
    model_spec: { name, signature_name: '', version: String(version) },
    metadata: { signature_def: { signature_def: { [SIGNATURE]: signature } } },
  })
}

function toTensorInfos(specs: readonly TensorSpec[]): object {
  return Object.fromEntries(
    specs.map(({ name, dtype, shape }) => {
      const dim = shape.map(size => ({ size: String(size), name: '' }))
      return [name, { dtype: DTYPES[dtype].tfs, tensor_shape: { dim, unknown_rank: false }, name }]
    }),
  )
}

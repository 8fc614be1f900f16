import { type HttpResponse, toJsonResponse } from '../../core/http.ts'
import { DTYPES, type NamedTensors, type TensorSpec, toTfsOutputs, toTfsPredictions } from '../../tensor/index.ts'
import type { Model, Service } from '../model.ts'
import { SIGNATURE } from './request.ts'

const encoder = new TextEncoder()

/** Answers a prediction in the form of its request. @throws TENSOR_SHAPE where outputs have no rows in common */
export function toPredictResponse(form: 'row' | 'column', outputs: NamedTensors): HttpResponse {
  const text = form === 'row' ? `{"predictions":${toTfsPredictions(outputs)}}` : `{"outputs":${toTfsOutputs(outputs)}}`
  return { status: 200, headers: { 'content-type': 'application/json' }, body: encoder.encode(text) }
}

const STATES = { starting: 'LOADING', ready: 'AVAILABLE', draining: 'UNLOADING' } as const

/**
 * The status of the model: TensorFlow Serving's document, and in it what KServe V1 answers at the same path (`name`,
 * `ready`). Like KServe's, and unlike TensorFlow Serving's, its status tells, too: 503 until the model is available.
 */
export function toStatusResponse(service: Service): HttpResponse {
  const ready = service.state.kind === 'ready'
  return toJsonResponse(ready ? 200 : 503, {
    model_version_status: [
      {
        version: String(service.version),
        state: STATES[service.state.kind],
        status: { error_code: 'OK', error_message: '' },
      },
    ],
    name: service.modelName,
    ready,
  })
}

/** The signature of the model, as TensorFlow Serving prints its `GetModelMetadataResponse`. */
export function toMetadataResponse(service: Service, model: Model): HttpResponse {
  const signature = {
    inputs: toTensorInfos(model.inputs),
    outputs: toTensorInfos(model.outputs),
    method_name: 'tensorflow/serving/predict',
  }
  return toJsonResponse(200, {
    model_spec: { name: service.modelName, signature_name: '', version: String(service.version) },
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

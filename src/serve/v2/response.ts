import { type HttpResponse, toJsonResponse } from '../../core/http.ts'
import { DTYPES, type NamedTensors, type TensorSpec, toShapeText, toV2Data } from '../../tensor/index.ts'
import type { ModelAbout, ServedVersion } from '../catalog.ts'
import { SERVER_VERSION } from '../version.ts'

const encoder = new TextEncoder()

/** Answers an inference ("Inference Response JSON Object"). */
export function toInferResponse(served: ServedVersion, id: string | undefined, outputs: NamedTensors): HttpResponse {
  const head = [
    `"model_name":${JSON.stringify(served.name)}`,
    `"model_version":"${served.version}"`,
    ...(id === undefined ? [] : [`"id":${JSON.stringify(id)}`]),
  ]
  const tensors = [...outputs].map(
    ([name, tensor]) =>
      `{"name":${JSON.stringify(name)},"datatype":"${DTYPES[tensor.dtype].v2}","shape":${toShapeText(tensor.shape)},` +
      `"data":${toV2Data(tensor)}}`,
  )
  const text = `{${head.join(',')},"outputs":[${tensors.join(',')}]}`
  return { status: 200, headers: { 'content-type': 'application/json' }, body: encoder.encode(text) }
}

/** The extensions of the protocol that this server has, by Triton's names. */
export const EXTENSIONS = ['statistics', 'model_repository']

/** Of ONNX models, among the platforms that the protocol lists. */
export const PLATFORM = 'onnx_onnxv1'

/** What the server is ("Server Metadata Response JSON Object"). */
export function toServerResponse(): HttpResponse {
  return toJsonResponse(200, { name: 'regatta', version: SERVER_VERSION, extensions: EXTENSIONS })
}

/** What the model takes and gives ("Model Metadata Response JSON Object"). */
export function toModelResponse(
  { name, model, about }: ServedVersion,
  versions: readonly Pick<ServedVersion, 'version'>[],
): HttpResponse {
  return toJsonResponse(200, {
    name,
    versions: versions.map(({ version }) => String(version)),
    platform: PLATFORM,
    inputs: model.inputs.map(toSpecJson),
    outputs: model.outputs.map(toSpecJson),
    ...toProperties(about),
  })
}

/** `properties` of the protocol's gRPC message: what the file says of itself. */
function toProperties({ producer, description, properties }: ModelAbout): object {
  const said = [['producer', producer] as const, ['description', description] as const].filter(
    ([, text]) => text !== '',
  )
  const all = { ...Object.fromEntries(properties), ...Object.fromEntries(said) }
  return Object.keys(all).length === 0 ? {} : { properties: all }
}

function toSpecJson({ name, dtype, shape }: TensorSpec): object {
  return { name, datatype: DTYPES[dtype].v2, shape }
}

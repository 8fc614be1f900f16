import { type HttpResponse, toJsonResponse } from '../../core/http/http.ts'
import { DTYPES, type NamedTensors, type TensorSpec, toRaw, toShapeText, toV2Data } from '../../tensor/index.ts'
import type { ModelAbout, ServedVersion } from '../catalog/catalog.ts'
import { SERVER_VERSION } from '../version.ts'
import { JSON_LENGTH_HEADER } from './binary.ts'
import type { InferRequest } from './request.ts'

/** Answers an inference ("Inference Response JSON Object"); the outputs that are wanted so follow it as binary data. */
export function toInferResponse(
  served: ServedVersion,
  { id, binaryOutputs }: Pick<InferRequest, 'id' | 'binaryOutputs'>,
  outputs: NamedTensors,
): HttpResponse {
  let text = `{"model_name":${JSON.stringify(served.name)},"model_version":"${served.version}",`
  if (id !== undefined) text += `"id":${JSON.stringify(id)},`
  const raws: Uint8Array[] = []
  let before = '"outputs":['
  for (const [name, tensor] of outputs) {
    const raw = binaryOutputs.has(name) ? toRaw(tensor) : undefined
    if (raw !== undefined) raws.push(raw)
    const data =
      raw === undefined ? `"data":${toV2Data(tensor)}` : `"parameters":{"binary_data_size":${raw.byteLength}}`
    text += `${before}{"name":${JSON.stringify(name)},"datatype":"${DTYPES[tensor.dtype].v2}","shape":${toShapeText(tensor.shape)},${data}}`
    before = ','
  }
  const json = Buffer.from(`${text}]}`)
  if (raws.length === 0) return { status: 200, headers: { 'content-type': 'application/json' }, body: json }
  const headers = { 'content-type': 'application/octet-stream', [JSON_LENGTH_HEADER]: String(json.byteLength) }
  return { status: 200, headers, body: Buffer.concat([json, ...raws]) }
}

/** The extensions of the protocol that this server has, by Triton's names. */
export const EXTENSIONS = ['binary_tensor_data', 'statistics', 'model_repository']

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

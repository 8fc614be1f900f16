import { DTYPES } from './dtype.ts'
import {
  openWriter,
  type ProtoWriter,
  putBytes,
  putElement,
  putEmbedded,
  putText,
  putTextUnlessEmpty,
  toMessage,
  writtenBytes,
} from './proto-writer.ts'
import { toRaw } from './raw.ts'
import { type Tensor, toSizeBytes } from './tensor.ts'
import type { InferTensor, ModelInferResponse } from './v2-infer.ts'
import { V2_FIELDS, V2_RESPONSE, V2_TENSOR } from './v2-message.ts'
import { putParameters } from './v2-parameters.ts'
import { hasV2Contents, putV2Contents } from './v2-tensor.ts'

/** About what a message, and a tensor of it, takes beside names, parameters and elements. */
const FRAME_BYTES = 64

/** Writes a `ModelInferResponse`. */
export function toModelInferResponse(response: ModelInferResponse): Uint8Array {
  const outputs = response.outputs.toReversed()
  const writer = openWriter(outputs.reduce((sum, { tensor }) => sum + toSizeBytes(tensor) + FRAME_BYTES, FRAME_BYTES))
  const isRaw = response.isRaw || outputs.some(({ tensor }) => !hasV2Contents(tensor))
  if (isRaw) for (const { tensor } of outputs) putBytes(writer, V2_RESPONSE.raw, toRaw(tensor))
  for (const output of outputs) putTensor(writer, output, isRaw)
  putParameters(writer, V2_FIELDS.parameters, response.parameters)
  putTextUnlessEmpty(writer, V2_FIELDS.id, response.id)
  putTextUnlessEmpty(writer, V2_FIELDS.modelVersion, response.modelVersion)
  putTextUnlessEmpty(writer, V2_FIELDS.modelName, response.modelName)
  return toMessage(writer)
}

function putTensor(writer: ProtoWriter, { name, parameters, tensor }: InferTensor, isRaw: boolean): void {
  const since = writtenBytes(writer)
  if (!isRaw) {
    putV2Contents(writer, tensor)
    putEmbedded(writer, V2_TENSOR.contents, since)
  }
  putParameters(writer, V2_TENSOR.parameters, parameters)
  putShape(writer, tensor)
  putText(writer, V2_TENSOR.datatype, DTYPES[tensor.dtype].v2)
  putTextUnlessEmpty(writer, V2_TENSOR.name, name)
  putEmbedded(writer, V2_FIELDS.tensors, since)
}

function putShape(writer: ProtoWriter, { shape }: Tensor): void {
  if (shape.length === 0) return
  const since = writtenBytes(writer)
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) putElement(writer, shape[axis] ?? 0)
  putEmbedded(writer, V2_TENSOR.shape, since)
}

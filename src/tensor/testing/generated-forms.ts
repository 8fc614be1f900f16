import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { DTYPES } from '../dtype.ts'
import {
  type InferParameter,
  InferParameterSchema,
  type InferTensorContents,
  InferTensorContentsSchema,
} from '../generated/inference/infer_pb.js'
import {
  DataType,
  type TensorProto,
  TensorProtoSchema,
  TensorShapeProtoSchema,
} from '../generated/tensorflow/tensor_pb.js'
import type { Tensor } from '../tensor.ts'
import type { InferTensor } from '../v2-infer.ts'
import type { Parameters, ParameterValue } from '../v2-parameters.ts'

const encoder = new TextEncoder()

/** A tensor as the generated code has it: its elements in the field of their type. */
export function toTensorProto(tensor: Tensor): TensorProto {
  return create(TensorProtoSchema, {
    dtype: DataType[DTYPES[tensor.dtype].tfs],
    tensorShape: create(TensorShapeProtoSchema, { dim: tensor.shape.map(length => ({ size: BigInt(length) })) }),
    ...toTfsField(tensor),
  })
}

function toTfsField(tensor: Tensor): MessageInitShape<typeof TensorProtoSchema> {
  switch (tensor.dtype) {
    case 'bool':
      return { boolVal: [...tensor.data].map(Boolean) }
    case 'float16':
      return { halfVal: [...tensor.data] }
    case 'float32':
      return { floatVal: [...tensor.data] }
    case 'float64':
      return { doubleVal: [...tensor.data] }
    case 'int64':
      return { int64Val: [...tensor.data] }
    case 'uint64':
      return { uint64Val: [...tensor.data] }
    case 'uint32':
      return { uint32Val: [...tensor.data] }
    case 'string':
      return { stringVal: tensor.data.map(text => encoder.encode(text)) }
    default:
      return { intVal: [...tensor.data] }
  }
}

/** What a tensor of V2 is in the generated code, whichever way it goes. */
interface InferTensorForm {
  readonly name: string
  readonly datatype: string
  readonly shape: bigint[]
  readonly parameters: Record<string, InferParameter>
  readonly contents?: InferTensorContents
}

/** A tensor of V2 as the generated code has it: whole, or without its elements. */
export function toInferTensor({ name, parameters, tensor }: InferTensor, isRaw: boolean): InferTensorForm {
  return {
    name,
    datatype: DTYPES[tensor.dtype].v2,
    shape: tensor.shape.map(BigInt),
    parameters: toInferParameters(parameters),
    ...(isRaw ? {} : { contents: create(InferTensorContentsSchema, toContents(tensor)) }),
  }
}

/** Parameters as the generated code has them. */
export function toInferParameters(parameters: Parameters): Record<string, InferParameter> {
  return Object.fromEntries(
    [...parameters].map(([name, value]) => [name, create(InferParameterSchema, { parameterChoice: toChoice(value) })]),
  )
}

function toChoice(value: ParameterValue): Exclude<InferParameter['parameterChoice'], { case: undefined }> {
  if (typeof value === 'boolean') return { case: 'boolParam', value }
  if (typeof value === 'string') return { case: 'stringParam', value }
  if (typeof value === 'bigint' && value >= 2n ** 63n) return { case: 'uint64Param', value }
  if (typeof value === 'bigint' || Number.isInteger(value)) return { case: 'int64Param', value: BigInt(value) }
  return { case: 'doubleParam', value }
}

function toContents(tensor: Tensor): MessageInitShape<typeof InferTensorContentsSchema> {
  switch (tensor.dtype) {
    case 'float16':
      throw new Error('FP16 is only sent raw')
    case 'bool':
      return { boolContents: [...tensor.data].map(Boolean) }
    case 'float32':
      return { fp32Contents: [...tensor.data] }
    case 'float64':
      return { fp64Contents: [...tensor.data] }
    case 'int64':
      return { int64Contents: [...tensor.data] }
    case 'uint64':
      return { uint64Contents: [...tensor.data] }
    case 'string':
      return { bytesContents: tensor.data.map(text => encoder.encode(text)) }
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return { uintContents: [...tensor.data] }
    default:
      return { intContents: [...tensor.data] }
  }
}

import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { DTYPES } from '../dtype.ts'
import type {
  InferTensorContentsSchema,
  ModelInferRequest_InferInputTensorSchema,
} from '../generated/inference/infer_pb.js'
import {
  DataType,
  type TensorProto,
  TensorProtoSchema,
  TensorShapeProtoSchema,
} from '../generated/tensorflow/tensor_pb.js'
import type { Tensor } from '../tensor.ts'

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

/** A tensor's elements as the generated code has them in V2, but for FP16, which has no such form. */
export function toInferContents(
  tensor: Exclude<Tensor, { dtype: 'float16' }>,
): MessageInitShape<typeof InferTensorContentsSchema> {
  switch (tensor.dtype) {
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

/** What stands beside a tensor's elements in V2. */
export function toInferHead(
  name: string,
  tensor: Tensor,
): MessageInitShape<typeof ModelInferRequest_InferInputTensorSchema> {
  return { name, datatype: DTYPES[tensor.dtype].v2, shape: tensor.shape.map(BigInt) }
}

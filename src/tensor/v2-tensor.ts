import { DTYPES, type Dtype } from './dtype.ts'
import { TensorError } from './errors.ts'
import { openCursor } from './proto-cursor.ts'
import { parseElements } from './proto-elements.ts'
import { putElements } from './proto-elements-writer.ts'
import { openWriter, type ProtoWriter, toMessage } from './proto-writer.ts'
import { parseRaw } from './raw.ts'
import { checkLengths, type Shape } from './shape.ts'
import { type Tensor, toSizeBytes } from './tensor.ts'

/** The field of `InferTensorContents` for the elements of each type. Source: Open Inference Protocol V2, gRPC. */
const CONTENTS = {
  bool: { field: 1, name: 'bool_contents' },
  int8: { field: 2, name: 'int_contents' },
  int16: { field: 2, name: 'int_contents' },
  int32: { field: 2, name: 'int_contents' },
  int64: { field: 3, name: 'int64_contents' },
  uint8: { field: 4, name: 'uint_contents' },
  uint16: { field: 4, name: 'uint_contents' },
  uint32: { field: 4, name: 'uint_contents' },
  uint64: { field: 5, name: 'uint64_contents' },
  float16: undefined,
  float32: { field: 6, name: 'fp32_contents' },
  float64: { field: 7, name: 'fp64_contents' },
  string: { field: 8, name: 'bytes_contents' },
} as const satisfies Record<Dtype, { readonly field: number; readonly name: string } | undefined>

const DTYPE_OF_NAME: ReadonlyMap<string, Dtype> = new Map(
  Object.entries(DTYPES).map(([dtype, { v2 }]) => [v2, dtype as Dtype]),
)

/** What a message says of a tensor beside its elements. */
export interface V2TensorHead {
  readonly datatype: string
  readonly shape: Shape
}

/** The elements of a tensor: raw (`parseRaw`), or an `InferTensorContents` message. */
export type V2Elements = { readonly raw: Uint8Array } | { readonly contents: Uint8Array }

/**
 * Reads a tensor of an Open Inference V2 message. Numbers may be views of the elements' bytes.
 * @throws TENSOR_MESSAGE, TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE
 */
export function parseV2Tensor(head: V2TensorHead, elements: V2Elements): Tensor {
  const dtype = DTYPE_OF_NAME.get(head.datatype)
  if (dtype === undefined) {
    const names = [...DTYPE_OF_NAME.keys()].join(', ')
    throw new TensorError('TENSOR_TYPE', `Cannot use datatype "${head.datatype}": expected one of ${names}`)
  }
  checkLengths(head.shape)
  if ('raw' in elements) return parseRaw(dtype, head.shape, elements.raw)
  const place = CONTENTS[dtype]
  if (place === undefined) throw new TensorError('TENSOR_TYPE', `Cannot use contents of ${head.datatype}: only raw`)
  return parseElements({ message: openCursor(elements.contents), ...place }, dtype, head.shape)
}

/**
 * Writes a tensor's elements as an `InferTensorContents` message; `toRaw` writes them raw.
 * @throws TENSOR_TYPE for FP16, which is only sent raw
 */
export function toV2Contents(tensor: Tensor): Uint8Array {
  const writer = openWriter(toSizeBytes(tensor) + 16)
  putV2Contents(writer, tensor)
  return toMessage(writer)
}

/** Puts the field of an `InferTensorContents` message. @throws TENSOR_TYPE */
export function putV2Contents(writer: ProtoWriter, tensor: Tensor): void {
  const place = CONTENTS[tensor.dtype]
  if (place === undefined) throw new TensorError('TENSOR_TYPE', 'Cannot write contents of FP16: only raw')
  putElements(writer, place.field, tensor)
}

/** Whether a tensor can be written as contents. */
export function hasV2Contents(tensor: Tensor): boolean {
  return CONTENTS[tensor.dtype] !== undefined
}

import type { Dtype } from './dtype.ts'
import { TensorError } from './errors.ts'
import { nextField, openCursor, type ProtoCursor, readInteger, readSpan, skipField } from './proto-cursor.ts'
import { parseElements, type RepeatBudget } from './proto-elements.ts'
import { putElements } from './proto-elements-writer.ts'
import { openWriter, type ProtoWriter, putBytes, putInteger, toMessage } from './proto-writer.ts'
import { parseRaw, toRaw } from './raw.ts'
import { checkLengths, type Shape, toElementCount } from './shape.ts'
import { type Tensor, toSizeBytes } from './tensor.ts'
import { peekFirstLength, putTfsShape, readTfsShape } from './tfs-shape.ts'
import { parseTextContent, toTextContent } from './tfs-text-content.ts'

/**
 * The number of each element type in TensorFlow's `DataType`, and the field of `TensorProto` for its elements.
 * Sources: tensorflow/core/framework/types.proto, tensor.proto.
 */
export const TFS_ELEMENTS = {
  bool: { type: 10, field: 11, name: 'bool_val' },
  uint8: { type: 4, field: 7, name: 'int_val' },
  uint16: { type: 17, field: 7, name: 'int_val' },
  uint32: { type: 22, field: 16, name: 'uint32_val' },
  uint64: { type: 23, field: 17, name: 'uint64_val' },
  int8: { type: 6, field: 7, name: 'int_val' },
  int16: { type: 5, field: 7, name: 'int_val' },
  int32: { type: 3, field: 7, name: 'int_val' },
  int64: { type: 9, field: 10, name: 'int64_val' },
  float16: { type: 19, field: 13, name: 'half_val' },
  float32: { type: 1, field: 5, name: 'float_val' },
  float64: { type: 2, field: 6, name: 'double_val' },
  string: { type: 7, field: 8, name: 'string_val' },
} as const satisfies Record<Dtype, { readonly type: number; readonly field: number; readonly name: string }>

const DTYPE_OF_TYPE: ReadonlyMap<number, Dtype> = new Map(
  Object.entries(TFS_ELEMENTS).map(([dtype, { type }]) => [type, dtype as Dtype]),
)

const TENSOR = { dtype: 1, shape: 2, content: 4 } as const
/** What the tensors of one message may have filled by repeating elements. */
const MAX_REPEATED_BYTES = 64 * 2 ** 20

/** Opens the budget for the tensors of one message. */
export function openRepeatBudget(): RepeatBudget {
  return { leftBytes: MAX_REPEATED_BYTES }
}

/**
 * Reads a `TensorProto`: its elements stand in `tensor_content` or in the field of their type, whose last one is
 * repeated where the shape has room for more, as TensorFlow does it (tensorflow/core/framework/tensor.cc,
 * `FromProtoField`). Unlike there, none at all, too many, and one that its type cannot hold are refused.
 * @throws TENSOR_MESSAGE, TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE
 */
export function parseTfsTensor(bytes: Uint8Array): Tensor {
  return readTfsTensor(openCursor(bytes), openRepeatBudget())
}

/** Reads the `TensorProto` at a cursor. @throws TENSOR_MESSAGE, TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE */
export function readTfsTensor(cursor: ProtoCursor, budget: RepeatBudget): Tensor {
  const message = openCursor(cursor.bytes, cursor.at, cursor.end)
  const { content, shape, type } = readParts(cursor)
  const dtype = DTYPE_OF_TYPE.get(type)
  if (dtype === undefined) throw new TensorError('TENSOR_TYPE', `Cannot use a tensor of DataType ${type}`)
  checkLengths(shape)
  if (content === undefined || content.at === content.end)
    return parseElements({ message, ...TFS_ELEMENTS[dtype] }, dtype, shape, budget)
  if (dtype === 'string') return { dtype, shape, data: parseTextContent(content, toElementCount(shape)) }
  return parseRaw(dtype, shape, content.bytes.subarray(content.at, content.end))
}

interface TfsParts {
  readonly type: number
  readonly shape: Shape
  readonly content: ProtoCursor | undefined
}

function readParts(cursor: ProtoCursor): TfsParts {
  let type = 0
  let content: ProtoCursor | undefined
  const shape: number[] = []
  while (nextField(cursor)) {
    if (cursor.field === TENSOR.dtype) type = Number(readInteger(cursor))
    else if (cursor.field === TENSOR.shape) readTfsShape(readSpan(cursor), shape)
    else if (cursor.field === TENSOR.content) content = readSpan(cursor)
    else skipField(cursor)
  }
  return { type, shape, content }
}

/**
 * Reads the length of the first dimension of the `TensorProto` at a cursor, and nothing of its elements; undefined
 * where there is none. @throws TENSOR_MESSAGE
 */
export function peekTfsRows(cursor: ProtoCursor): number | undefined {
  while (nextField(cursor)) {
    if (cursor.field === TENSOR.shape) return peekFirstLength(readSpan(cursor))
    skipField(cursor)
  }
  return undefined
}

/** How a tensor is written. */
export interface TfsTensorForm {
  /** In `tensor_content`, rather than in the field of the type, as TensorFlow Serving answers. @default false */
  readonly asContent?: boolean
}

/** Writes a `TensorProto`. */
export function toTfsTensor(tensor: Tensor, form: TfsTensorForm = {}): Uint8Array {
  const writer = openWriter(toTfsTensorBytes(tensor))
  putTfsTensor(writer, tensor, form)
  return toMessage(writer)
}

/** Puts the fields of a `TensorProto`. */
export function putTfsTensor(writer: ProtoWriter, tensor: Tensor, { asContent = false }: TfsTensorForm): void {
  const { field, type } = TFS_ELEMENTS[tensor.dtype]
  if (!asContent) putElements(writer, field, tensor)
  else if (tensor.data.length > 0) {
    putBytes(writer, TENSOR.content, tensor.dtype === 'string' ? toTextContent(tensor.data) : toRaw(tensor))
  }
  putTfsShape(writer, TENSOR.shape, tensor.shape)
  putInteger(writer, TENSOR.dtype, type)
}

/** About how large a `TensorProto` becomes. */
export function toTfsTensorBytes(tensor: Tensor): number {
  return toSizeBytes(tensor) + tensor.shape.length * 8 + 32
}

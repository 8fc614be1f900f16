import { TensorError } from './errors.ts'
import { nextField, type ProtoCursor, readBoolean, readInteger, readSpan, skipField } from './proto-cursor.ts'
import { type ProtoWriter, putEmbedded, putInteger, writtenBytes } from './proto-writer.ts'
import type { Shape } from './shape.ts'

const SHAPE = { dim: 2, unknownRank: 3 } as const
const DIM_SIZE = 1

/**
 * Reads the lengths of a `TensorShapeProto`, which may stand in parts. A length that no number holds comes rounded: no
 * tensor has it anyway. Source: tensorflow/core/framework/tensor_shape.proto.
 * @throws TENSOR_MESSAGE, TENSOR_SHAPE
 */
export function readTfsShape(cursor: ProtoCursor, into: number[]): void {
  while (nextField(cursor)) {
    if (cursor.field === SHAPE.dim) into.push(readLength(readSpan(cursor)))
    else if (cursor.field !== SHAPE.unknownRank) skipField(cursor)
    else if (readBoolean(cursor)) throw new TensorError('TENSOR_SHAPE', 'Cannot use a tensor of unknown rank')
  }
}

/** Reads the first length of a `TensorShapeProto`; undefined where there is none. @throws TENSOR_MESSAGE */
export function peekFirstLength(cursor: ProtoCursor): number | undefined {
  while (nextField(cursor)) {
    if (cursor.field === SHAPE.dim) return readLength(readSpan(cursor))
    skipField(cursor)
  }
  return undefined
}

function readLength(cursor: ProtoCursor): number {
  let length = 0
  while (nextField(cursor)) {
    if (cursor.field === DIM_SIZE) length = Number(readInteger(cursor))
    else skipField(cursor)
  }
  return length
}

/** Puts a `TensorShapeProto` as a field. */
export function putTfsShape(writer: ProtoWriter, field: number, shape: Shape): void {
  const since = writtenBytes(writer)
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const before = writtenBytes(writer)
    const length = shape[axis] ?? 0
    if (length !== 0) putInteger(writer, DIM_SIZE, length)
    putEmbedded(writer, SHAPE.dim, before)
  }
  putEmbedded(writer, field, since)
}

import {
  nextField,
  type ProtoCursor,
  readBoolean,
  readDouble,
  readInteger,
  readSpan,
  readText,
  readUnsigned,
  skipField,
} from './proto-cursor.ts'
import {
  type ProtoWriter,
  putBoolean,
  putDouble,
  putEmbedded,
  putInteger,
  putText,
  writtenBytes,
} from './proto-writer.ts'

/** The value of an `InferParameter`; an integer that a number cannot hold is a bigint. */
export type ParameterValue = boolean | number | bigint | string

/** Parameters of a request, an answer or one of their tensors, by name. */
export type Parameters = ReadonlyMap<string, ParameterValue>

const ENTRY = { key: 1, value: 2 } as const
const CHOICE = { bool: 1, int64: 2, string: 3, double: 4, uint64: 5 } as const
const MAX_INT64 = 2n ** 63n - 1n

/**
 * Reads an entry of a map of parameters; of two with one key the last counts. One without a value is left out.
 * @throws TENSOR_MESSAGE
 */
export function readParameter(cursor: ProtoCursor, into: Map<string, ParameterValue>): void {
  let key = ''
  let value: ParameterValue | undefined
  while (nextField(cursor)) {
    if (cursor.field === ENTRY.key) key = readText(cursor)
    else if (cursor.field === ENTRY.value) value = readValue(readSpan(cursor))
    else skipField(cursor)
  }
  if (value !== undefined) into.set(key, value)
  else into.delete(key)
}

function readValue(cursor: ProtoCursor): ParameterValue | undefined {
  let value: ParameterValue | undefined
  while (nextField(cursor)) {
    switch (cursor.field) {
      case CHOICE.bool:
        value = readBoolean(cursor)
        break
      case CHOICE.int64:
        value = readInteger(cursor)
        break
      case CHOICE.string:
        value = readText(cursor)
        break
      case CHOICE.double:
        value = readDouble(cursor)
        break
      case CHOICE.uint64:
        value = readUnsigned(cursor)
        break
      default:
        skipField(cursor)
    }
  }
  return value
}

/** Puts parameters as a map. Whole numbers are written as integers, whatever they were read from. */
export function putParameters(writer: ProtoWriter, field: number, parameters: Parameters): void {
  for (const [name, value] of [...parameters].reverse()) {
    const since = writtenBytes(writer)
    putValue(writer, value)
    putEmbedded(writer, ENTRY.value, since)
    putText(writer, ENTRY.key, name)
    putEmbedded(writer, field, since)
  }
}

function putValue(writer: ProtoWriter, value: ParameterValue): void {
  if (typeof value === 'boolean') putBoolean(writer, CHOICE.bool, value)
  else if (typeof value === 'string') putText(writer, CHOICE.string, value)
  else if (typeof value === 'bigint') putInteger(writer, value > MAX_INT64 ? CHOICE.uint64 : CHOICE.int64, value)
  else if (Number.isSafeInteger(value)) putInteger(writer, CHOICE.int64, value)
  else putDouble(writer, CHOICE.double, value)
}

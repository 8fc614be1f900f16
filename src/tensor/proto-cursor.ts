import { TensorError } from './errors.ts'
import { parseUtf8 } from './utf8.ts'

/** How the value of a field stands on the wire. Source: protobuf.dev, "Encoding", "Message Structure". */
export const WIRE = { varint: 0, fixed64: 1, span: 2, group: 3, groupEnd: 4, fixed32: 5 } as const

/** How deep groups, which nobody writes any more, may stand in each other. */
const MAX_DEPTH = 100
const MAX_VARINT_BYTES = 10
/** The upper word of 2^53. */
const SAFE_HIGH = 2 ** 21

/** Where a reader stands in a protobuf message. */
export interface ProtoCursor {
  readonly bytes: Uint8Array
  /** Where the message ends: `bytes` may go on. */
  readonly end: number
  at: number
  /** Number of the field that `nextField` came to. */
  field: number
  /** How that field's value stands there. */
  wire: number
}

/** Stands before a message: all of `bytes`, or a part. */
export function openCursor(bytes: Uint8Array, at = 0, end = bytes.length): ProtoCursor {
  return { bytes, end, at, field: 0, wire: WIRE.varint }
}

/** Goes to the next field, whose value must then be read or skipped; false at the end. @throws TENSOR_MESSAGE */
export function nextField(cursor: ProtoCursor): boolean {
  if (cursor.at >= cursor.end) return false
  const tag = readVarint(cursor)
  cursor.field = Math.floor(tag / 8)
  cursor.wire = tag % 8
  if (cursor.field === 0 || tag > 0xffffffff) throw toMessageError(cursor, 'no field has such a number')
  return true
}

/** Leaves the value of the field out, as is the rule for fields that are not known. @throws TENSOR_MESSAGE */
export function skipField(cursor: ProtoCursor, depth = 0): void {
  switch (cursor.wire) {
    case WIRE.varint:
      readVarint(cursor)
      return
    case WIRE.fixed64:
      advance(cursor, 8)
      return
    case WIRE.span:
      advance(cursor, readVarint(cursor))
      return
    case WIRE.group:
      skipGroup(cursor, cursor.field, depth)
      return
    case WIRE.fixed32:
      advance(cursor, 4)
      return
    default:
      throw toMessageError(cursor, `field ${cursor.field} has wire type ${cursor.wire}`)
  }
}

function skipGroup(cursor: ProtoCursor, field: number, depth: number): void {
  if (depth === MAX_DEPTH) throw toMessageError(cursor, `groups are nested deeper than ${MAX_DEPTH}`)
  while (nextField(cursor)) {
    if (cursor.wire === WIRE.groupEnd && cursor.field === field) return
    skipField(cursor, depth + 1)
  }
  throw toMessageError(cursor, `the group of field ${field} has no end`)
}

/** Reads where the value of a field of known length stands: a text, bytes or a message. @throws TENSOR_MESSAGE */
export function readSpan(cursor: ProtoCursor): ProtoCursor {
  expectWire(cursor, WIRE.span)
  const length = readVarint(cursor)
  const start = cursor.at
  advance(cursor, length)
  return openCursor(cursor.bytes, start, cursor.at)
}

/** Reads the bytes of a field; they are a view. @throws TENSOR_MESSAGE */
export function readBytes(cursor: ProtoCursor): Uint8Array {
  const { at, bytes, end } = readSpan(cursor)
  return bytes.subarray(at, end)
}

/** Reads the text of a field. @throws TENSOR_MESSAGE */
export function readText(cursor: ProtoCursor): string {
  const { at, bytes, end } = readSpan(cursor)
  const text = parseUtf8(bytes, at, end)
  if (text === undefined) throw toMessageError(cursor, `the text of field ${cursor.field} is not UTF-8`)
  return text
}

/** Reads the truth of a field. @throws TENSOR_MESSAGE */
export function readBoolean(cursor: ProtoCursor): boolean {
  expectWire(cursor, WIRE.varint)
  return readVarint(cursor) !== 0
}

/** Reads a double. @throws TENSOR_MESSAGE */
export function readDouble(cursor: ProtoCursor): number {
  expectWire(cursor, WIRE.fixed64)
  const { at, bytes } = cursor
  advance(cursor, 8)
  return new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0, true)
}

const words = new Uint32Array(2)
const signed = new BigInt64Array(words.buffer)
const unsigned = new BigUint64Array(words.buffer)

/** Reads an int64 (an int32, an enum); one that a number cannot hold comes as a bigint. @throws TENSOR_MESSAGE */
export function readInteger(cursor: ProtoCursor): number | bigint {
  expectWire(cursor, WIRE.varint)
  readWords(cursor, words, 0)
  const high = (words[1] ?? 0) | 0
  return high >= -SAFE_HIGH && high < SAFE_HIGH ? high * 2 ** 32 + (words[0] ?? 0) : (signed[0] ?? 0n)
}

/** Reads a uint64; one that a number cannot hold comes as a bigint. @throws TENSOR_MESSAGE */
export function readUnsigned(cursor: ProtoCursor): number | bigint {
  expectWire(cursor, WIRE.varint)
  readWords(cursor, words, 0)
  const high = words[1] ?? 0
  return high < SAFE_HIGH ? high * 2 ** 32 + (words[0] ?? 0) : (unsigned[0] ?? 0n)
}

/** Reads a repeated int64: one element, or all of them packed. @throws TENSOR_MESSAGE */
export function readIntegers(cursor: ProtoCursor, into: (number | bigint)[]): void {
  if (cursor.wire !== WIRE.span) {
    into.push(readInteger(cursor))
    return
  }
  // Its elements have no tags: the reader of one finds the wire type that a cursor begins with.
  const packed = readSpan(cursor)
  while (packed.at < packed.end) into.push(readInteger(packed))
}

/** Reads a varint of any length as two words, the lower first. @throws TENSOR_MESSAGE */
export function readWords(cursor: ProtoCursor, into: Uint32Array, to: number): void {
  const { bytes, end } = cursor
  let low = 0
  let high = 0
  for (let shift = 0; shift < MAX_VARINT_BYTES * 7 && cursor.at < end; shift += 7) {
    const byte = bytes[cursor.at] ?? 0
    cursor.at += 1
    const part = byte & 0x7f
    if (shift <= 28) low |= part << shift
    if (shift === 28) high = part >>> 4
    if (shift > 28) high |= part << (shift - 32)
    if (byte > 0x7f) continue
    into[to] = low
    into[to + 1] = high
    return
  }
  throw toVarintError(cursor)
}

/** Reads a varint as a number; beyond 2^53 only its size is right. */
function readVarint(cursor: ProtoCursor): number {
  const { bytes, end } = cursor
  let value = 0
  let scale = 1
  for (let count = 0; count < MAX_VARINT_BYTES && cursor.at < end; count += 1) {
    const byte = bytes[cursor.at] ?? 0
    cursor.at += 1
    value += (byte & 0x7f) * scale
    if (byte <= 0x7f) return value
    scale *= 128
  }
  throw toVarintError(cursor)
}

function toVarintError(cursor: ProtoCursor): TensorError {
  const reason = cursor.at >= cursor.end ? 'is cut off' : `is longer than ${MAX_VARINT_BYTES} bytes`
  return toMessageError(cursor, `a number ${reason}`)
}

function advance(cursor: ProtoCursor, length: number): void {
  if (length > cursor.end - cursor.at)
    throw toMessageError(cursor, `field ${cursor.field} says ${length} bytes, and ${cursor.end - cursor.at} are left`)
  cursor.at += length
}

function expectWire(cursor: ProtoCursor, wire: number): void {
  if (cursor.wire !== wire)
    throw toMessageError(cursor, `field ${cursor.field} has wire type ${cursor.wire} where ${wire} is expected`)
}

/** What is wrong with a message, at the cursor. */
export function toMessageError(cursor: ProtoCursor, reason: string): TensorError {
  return new TensorError('TENSOR_MESSAGE', `Cannot read the protobuf message: ${reason} (byte ${cursor.at})`)
}

/** One field of a protobuf message, with its place in the whole file so that errors can name the byte. */
export interface Field {
  readonly number: number
  /** The value of a varint field; 0 for the others. */
  readonly varint: bigint
  /** Bytes of a length-delimited field; undefined for the others. */
  readonly message: Span | undefined
}

/** A stretch of one buffer: `start` inclusive, `end` exclusive. */
export interface Span {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** Says that bytes are no protobuf message, and at which byte that shows. */
export class ProtobufError extends Error {}

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Lists the fields of one message without entering its sub-messages.
 *
 * Source: protobuf.dev/programming-guides/encoding; groups, which proto2 has deprecated, are refused.
 * @throws ProtobufError
 */
export function readFields(message: Span): Field[] {
  const fields: Field[] = []
  let at = message.start
  while (at < message.end) {
    const tag = readVarint(message, at)
    const number = Number(tag.value >> 3n)
    if (number < 1 || number > MAX_FIELD) throw new ProtobufError(`field number ${number} at byte ${at}`)
    const wire = Number(tag.value & 7n)
    if (wire === VARINT) {
      const { value, next } = readVarint(message, tag.next)
      fields.push({ number, varint: value, message: undefined })
      at = next
    } else if (wire === DELIMITED) {
      const length = readVarint(message, tag.next)
      const end = length.next + Number(length.value)
      checkEnd(message, at, end)
      fields.push({ number, varint: 0n, message: { bytes: message.bytes, start: length.next, end } })
      at = end
    } else if (wire === FIXED64 || wire === FIXED32) {
      const end = tag.next + (wire === FIXED64 ? 8 : 4)
      checkEnd(message, at, end)
      fields.push({ number, varint: 0n, message: undefined })
      at = end
    } else throw new ProtobufError(`wire type ${wire} at byte ${at}`)
  }
  return fields
}

const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2
const FIXED32 = 5
const MAX_FIELD = 2 ** 29 - 1

/** Reads the UTF-8 text of a length-delimited field. @throws ProtobufError */
export function readText({ bytes, start, end }: Span): string {
  try {
    return decoder.decode(bytes.subarray(start, end))
  } catch {
    throw new ProtobufError(`text that is not UTF-8 at byte ${start}`)
  }
}

function checkEnd(message: Span, at: number, end: number): void {
  if (end > message.end) throw new ProtobufError(`a field at byte ${at} that ends after its message (cut off?)`)
}

function readVarint({ bytes, end }: Span, start: number): { readonly value: bigint; readonly next: number } {
  let value = 0n
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i]
    if (byte === undefined || start + i >= end) throw new ProtobufError(`a number cut off at byte ${start + i}`)
    value |= BigInt(byte & 0x7f) << BigInt(7 * i)
    if (byte < 0x80) return { value, next: start + i + 1 }
  }
  throw new ProtobufError(`a number of more than 10 bytes at byte ${start}`)
}

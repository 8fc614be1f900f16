/** One field of a protobuf message, with its place in the whole file so that errors can name the byte. */
export interface Field {
  readonly number: number
  /** The value of a varint field; 0 for the others. */
  readonly varint: bigint
  /** Bytes of a length-delimited field; undefined for the others. */
  readonly message: Span | undefined
  /** The field as it stands, with its tag. */
  readonly whole: Span
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
const encoder = new TextEncoder()

/**
 * Lists the fields of one message without entering its sub-messages.
 *
 * Source: protobuf.dev/programming-guides/encoding; groups, which proto2 has deprecated, are refused.
 * @throws ProtobufError
 */
export function readFields(message: Span): Field[] {
  const fields: Field[] = []
  const { bytes } = message
  let at = message.start
  while (at < message.end) {
    const tag = readVarint(message, at)
    const number = Number(tag.value >> 3n)
    if (number < 1 || number > MAX_FIELD) throw new ProtobufError(`field number ${number} at byte ${at}`)
    const wire = Number(tag.value & 7n)
    if (wire === VARINT) {
      const { value, next } = readVarint(message, tag.next)
      fields.push({ number, varint: value, message: undefined, whole: { bytes, start: at, end: next } })
      at = next
    } else if (wire === DELIMITED) {
      const length = readVarint(message, tag.next)
      const end = length.next + Number(length.value)
      checkEnd(message, at, end)
      const whole = { bytes, start: at, end }
      fields.push({ number, varint: 0n, message: { bytes, start: length.next, end }, whole })
      at = end
    } else if (wire === FIXED64 || wire === FIXED32) {
      const end = tag.next + (wire === FIXED64 ? 8 : 4)
      checkEnd(message, at, end)
      fields.push({ number, varint: 0n, message: undefined, whole: { bytes, start: at, end } })
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

/** The length-delimited fields of a number, in their order. */
export function listMessages(fields: readonly Field[], number: number): readonly Span[] {
  return fields.flatMap(field => (field.number === number && field.message !== undefined ? [field.message] : []))
}

/** The text of a field; the last one wins, and absent is '', as protobuf has it. @throws ProtobufError */
export function readString(fields: readonly Field[], number: number): string {
  const span = listMessages(fields, number).at(-1)
  return span === undefined ? '' : readText(span)
}

/** The last value wins, and absent is 0, as protobuf has it; int64 is two's complement in 64 bits. @throws ProtobufError */
export function readNumber(fields: readonly Field[], number: number): number {
  const field = fields.findLast(field => field.number === number)
  return toInteger(field?.varint ?? 0n, number)
}

/** All values of a repeated integer, one a field or many packed into one. @throws ProtobufError */
export function readNumbers(fields: readonly Field[], number: number): readonly number[] {
  const values: number[] = []
  for (const field of fields) {
    if (field.number !== number) continue
    const { message } = field
    if (message === undefined) values.push(toInteger(field.varint, number))
    for (let at = message?.start ?? 0; message !== undefined && at < message.end; ) {
      const { next, value } = readVarint(message, at)
      values.push(toInteger(value, number))
      at = next
    }
  }
  return values
}

/** The bytes of a span; they are not copied. */
export function toBytes({ bytes, start, end }: Span): Uint8Array {
  return bytes.subarray(start, end)
}

/** A field of a whole number from 0 on, or of text, of bytes or of a message that is written. */
export function toField(number: number, content: number | string | Uint8Array): Uint8Array {
  if (typeof content === 'number') return Uint8Array.of(...toVarint(number * 8 + VARINT), ...toVarint(content))
  const bytes = typeof content === 'string' ? encoder.encode(content) : content
  return Buffer.concat([Uint8Array.of(...toVarint(number * 8 + DELIMITED), ...toVarint(bytes.length)), bytes])
}

function toVarint(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...toVarint(Math.floor(value / 0x80))]
}

function toInteger(bits: bigint, number: number): number {
  const value = Number(BigInt.asIntN(64, bits))
  if (!Number.isSafeInteger(value)) throw new ProtobufError(`the number ${value} in field ${number}`)
  return value
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

import { WIRE } from './proto-cursor.ts'

/**
 * Writes a protobuf message from its end to its start: so the length of what is embedded, which stands before it, is
 * known when its turn comes. Fields, and the elements of lists, are therefore put in reverse.
 */
export interface ProtoWriter {
  bytes: Buffer
  /** Where the message starts so far. */
  at: number
}

/** Begins a message of about so many bytes; more is made room for. */
export function openWriter(sizeBytes: number): ProtoWriter {
  const bytes = Buffer.allocUnsafe(Math.max(sizeBytes, 64))
  return { bytes, at: bytes.length }
}

/** The message, once its first field is put. */
export function toMessage(writer: ProtoWriter): Uint8Array {
  return writer.bytes.subarray(writer.at)
}

/** How many bytes are written; taken before the last field of an embedded message is put, for `putEmbedded`. */
export function writtenBytes(writer: ProtoWriter): number {
  return writer.bytes.length - writer.at
}

/** Makes a field of all that was put since so many bytes were written. */
export function putEmbedded(writer: ProtoWriter, field: number, since: number): void {
  putVarint(writer, writtenBytes(writer) - since)
  putTag(writer, field, WIRE.span)
}

/** Puts a field of bytes, even if there are none. */
export function putBytes(writer: ProtoWriter, field: number, bytes: Uint8Array): void {
  reserve(writer, bytes.length)
  writer.at -= bytes.length
  writer.bytes.set(bytes, writer.at)
  putVarint(writer, bytes.length)
  putTag(writer, field, WIRE.span)
}

/** Puts a field of a text, even if it is empty. */
export function putText(writer: ProtoWriter, field: number, text: string): void {
  const length = Buffer.byteLength(text)
  reserve(writer, length)
  writer.at -= length
  writer.bytes.write(text, writer.at)
  putVarint(writer, length)
  putTag(writer, field, WIRE.span)
}

/** Puts a field of a text, which is left out where it is empty, as protobuf leaves out defaults. */
export function putTextUnlessEmpty(writer: ProtoWriter, field: number, text: string): void {
  if (text !== '') putText(writer, field, text)
}

/** Puts a field of a truth, even of false. */
export function putBoolean(writer: ProtoWriter, field: number, value: boolean): void {
  putVarint(writer, value ? 1 : 0)
  putTag(writer, field, WIRE.varint)
}

/** Puts a field of a double. */
export function putDouble(writer: ProtoWriter, field: number, value: number): void {
  reserve(writer, 8)
  writer.at -= 8
  writer.bytes.writeDoubleLE(value, writer.at)
  putTag(writer, field, WIRE.fixed64)
}

/** Puts a field of an integer of 64 bits. */
export function putInteger(writer: ProtoWriter, field: number, value: number | bigint): void {
  putElement(writer, value)
  putTag(writer, field, WIRE.varint)
}

/** Puts an integer of 64 bits without a tag, as it stands in a pack. */
export function putElement(writer: ProtoWriter, value: number | bigint): void {
  if (typeof value === 'number' && value >= 0) {
    putVarint(writer, value)
    return
  }
  const bits = BigInt.asUintN(64, BigInt(value))
  putWords(writer, Number(bits & 0xffffffffn), Number(bits >> 32n))
}

/** Puts two words, the lower first, as one varint. */
export function putWords(writer: ProtoWriter, low: number, high: number): void {
  const bits = high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high)
  const length = Math.max(1, Math.ceil(bits / 7))
  reserve(writer, length)
  writer.at -= length
  const { at, bytes } = writer
  let [restLow, restHigh] = [low, high]
  for (let index = 0; index < length; index += 1) {
    bytes[at + index] = (restLow & 0x7f) | (index < length - 1 ? 0x80 : 0)
    restLow = (restLow >>> 7) | (restHigh << 25)
    restHigh >>>= 7
  }
}

function putTag(writer: ProtoWriter, field: number, wire: number): void {
  putVarint(writer, field * 8 + wire)
}

/** Puts a number from 0 up to 2^53 as a varint, without a tag. */
export function putVarint(writer: ProtoWriter, value: number): void {
  if (value < 0x80) {
    reserve(writer, 1)
    writer.at -= 1
    writer.bytes[writer.at] = value
    return
  }
  let length = 1
  for (let rest = value; rest >= 0x80; length += 1) rest = Math.floor(rest / 0x80)
  reserve(writer, length)
  writer.at -= length
  const { at, bytes } = writer
  let rest = value
  for (let index = at; index < at + length; index += 1) {
    bytes[index] = rest < 0x80 ? rest : (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
}

function reserve(writer: ProtoWriter, length: number): void {
  if (length <= writer.at) return
  const written = writer.bytes.subarray(writer.at)
  const bytes = Buffer.allocUnsafe(Math.max(writer.bytes.length * 2, written.length + length))
  writer.at = bytes.length - written.length
  bytes.set(written, writer.at)
  writer.bytes = bytes
}

import type { Draw } from '../draw.ts'

/** One field as it stands on the wire. */
interface Field {
  readonly number: number
  readonly wire: number
  /** Of wire type 2: without its length. */
  readonly value: Buffer
}

/** Breaks a message of protobuf somewhere in its tree; lengths around that place stay right, unless they are what is broken. */
export function toWrongMessage(draw: Draw, message: Buffer): Buffer {
  const fields = readFields(message)
  if (fields === undefined || fields.length === 0) return toNoise(draw)
  const at = draw.below(fields.length)
  const field = fields[at] as Field
  const inner = field.wire === 2 && draw.chance(0.6) ? readFields(field.value) : undefined
  const broken =
    inner !== undefined && inner.length > 0
      ? toBytes({ ...field, value: toWrongMessage(draw, field.value) })
      : breakField(draw, field)
  return Buffer.concat(fields.flatMap((other, index) => (index === at ? [broken] : [toBytes(other)])))
}

/** Bytes that are hardly a message. */
function toNoise(draw: Draw): Buffer {
  const nested = (depth: number): Buffer => {
    let bytes: Buffer = Buffer.alloc(0)
    for (let level = 0; level < depth; level++) bytes = toBytes({ number: draw.between(1, 8), wire: 2, value: bytes })
    return bytes
  }
  return draw.chance(0.3) ? nested(draw.pick([10, 100, 2000])) : draw.bytes(draw.below(40))
}

const VARINTS: readonly Buffer[] = [
  Buffer.of(0),
  Buffer.of(1),
  Buffer.from('ffffffff0f', 'hex'),
  Buffer.from('ffffffffffffffff7f', 'hex'),
  Buffer.from('ffffffffffffffffff01', 'hex'),
  // Longer than 64 bits, and without an end.
  Buffer.from('ffffffffffffffffffff01', 'hex'),
  Buffer.from('80808080808080808000', 'hex'),
  Buffer.from('8080808080808080808080808000', 'hex'),
  Buffer.from('8000', 'hex'),
  Buffer.from('ffff', 'hex'),
]
const TEXTS: readonly Buffer[] = [
  '',
  'm',
  'x',
  'y',
  'texts',
  'FP32',
  'BYTES',
  'INT64',
  'é',
  '\0',
  'a'.repeat(5000),
].map(text => Buffer.from(text))
const NOT_UTF8: readonly Buffer[] = ['80', 'c0af', 'eda080', 'f8888080', 'ff'].map(hex => Buffer.from(hex, 'hex'))

function breakField(draw: Draw, field: Field): Buffer {
  const { number, value } = field
  switch (draw.below(9)) {
    case 0:
      return Buffer.alloc(0)
    case 1:
      return Buffer.concat([toBytes(field), toBytes(field)])
    // Another wire type, groups and the two that do not exist among them.
    case 2:
      return toBytes({ ...field, wire: draw.below(8) })
    case 3:
      return toBytes({ ...field, number: draw.pick([0, number + 1, 2 ** 29 - 1, 2 ** 31 - 1]) })
    // A length that lies.
    case 4: {
      const length = draw.pick([value.length + 1, Math.max(0, value.length - 1), 2 ** 31 - 1, 2 ** 32 - 1, 2 ** 40])
      return Buffer.concat([toVarint(number * 8 + 2), toVarint(length), value])
    }
    case 5:
      return Buffer.concat([toVarint(number * 8), draw.pick(VARINTS)])
    case 6:
      return toBytes({ number, wire: 2, value: draw.pick(draw.chance(0.5) ? TEXTS : NOT_UTF8) })
    case 7:
      return toBytes(field).subarray(0, draw.below(toBytes(field).length))
    default:
      return toBytes({ number, wire: 2, value: toNoise(draw) })
  }
}

function toBytes({ number, wire, value }: Field): Buffer {
  const head = toVarint(number * 8 + wire)
  return wire === 2 ? Buffer.concat([head, toVarint(value.length), value]) : Buffer.concat([head, value])
}

function toVarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = BigInt(value)
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Buffer.of(...bytes, Number(rest))
}

/** The fields of a message, or undefined where it is none. */
function readFields(bytes: Buffer): readonly Field[] | undefined {
  const fields: Field[] = []
  let at = 0
  const readVarint = (): number => {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at] ?? 128
      at += 1
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
    }
    return Number.NaN
  }
  while (at < bytes.length) {
    const tag = readVarint()
    const wire = tag % 8
    const start = at
    if (wire === 0) while ((bytes[at++] ?? 0) > 127);
    const size = wire === 0 ? at - start : wire === 1 ? 8 : wire === 5 ? 4 : wire === 2 ? readVarint() : Number.NaN
    const from = wire === 0 ? start : at
    if (!(from + size <= bytes.length) || tag < 8) return undefined
    fields.push({ number: Math.floor(tag / 8), wire, value: bytes.subarray(from, from + size) })
    at = from + size
  }
  return fields
}

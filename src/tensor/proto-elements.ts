import { DTYPES, type Dtype } from './dtype.ts'
import { TensorError } from './errors.ts'
import {
  nextField,
  openCursor,
  type ProtoCursor,
  readSpan,
  readWords,
  skipField,
  toMessageError,
  WIRE,
} from './proto-cursor.ts'
import { parseElementText, parseRaw, toRaw } from './raw.ts'
import { type Shape, toElementCount, toShapeText } from './shape.ts'
import { type Tensor, toZeros } from './tensor.ts'

/** The repeated field of a message in which the elements of a tensor stand. */
export interface ElementField {
  /** The message that has the field, unread. */
  readonly message: ProtoCursor
  readonly field: number
  /** As errors name it. */
  readonly name: string
}

/** Memory that one request may have filled with repetitions of elements that it holds once. */
export interface RepeatBudget {
  leftBytes: number
}

/** What a text takes in a list of texts, beside itself. */
const TEXT_BYTES = 8

/**
 * Reads a tensor out of a repeated field, whose elements may be packed, in several packs, or each on its own. With a
 * budget, the last element is repeated where the shape has room for more. Floats in one pack that stand at a multiple
 * of their size are a view of the message.
 * @throws TENSOR_MESSAGE, TENSOR_SHAPE, TENSOR_VALUE
 */
export function parseElements(source: ElementField, dtype: Dtype, shape: Shape, budget?: RepeatBudget): Tensor {
  const { bytes } = source.message
  const found = measureField(source, dtype)
  const wanted = toElementCount(shape)
  if (found.elements !== wanted) checkRepetition(source, dtype, shape, found.elements, budget)
  else if (found.packs === 1 && DTYPES[dtype].kind === 'float' && dtype !== 'float16')
    return parseRaw(dtype, shape, bytes.subarray(found.start, found.start + wanted * DTYPES[dtype].bytes))
  const tensor =
    dtype === 'string' ? { dtype, shape, data: readTexts(source, wanted) } : readNumbers(source, dtype, shape)
  if (tensor.dtype !== 'string' && found.elements < wanted)
    repeatLast(toRaw(tensor), found.elements * DTYPES[dtype].bytes, DTYPES[dtype].bytes)
  return tensor
}

interface Measure {
  elements: number
  packs: number
  /** Where the first element stands. */
  start: number
}

function measureField(source: ElementField, dtype: Dtype): Measure {
  const found = { elements: 0, packs: 0, start: 0 }
  walkPacks(source, dtype, pack => {
    if (found.packs === 0) found.start = pack.at
    found.packs += 1
    found.elements += countElements(pack, dtype)
  })
  return found
}

function countElements(pack: ProtoCursor, dtype: Dtype): number {
  const { at, bytes, end } = pack
  if (dtype === 'string') return 1
  if (dtype === 'float32' || dtype === 'float64') {
    const count = (end - at) / DTYPES[dtype].bytes
    if (!Number.isInteger(count)) throw toMessageError(pack, `${end - at} bytes of ${dtype} end within an element`)
    return count
  }
  let count = 0
  for (let index = at; index < end; index += 1) if ((bytes[index] ?? 0) < 0x80) count += 1
  return count
}

/** Hands over the packs of a field in their order; an element on its own is a pack of one, and a text always is. */
function walkPacks(source: ElementField, dtype: Dtype, visit: (pack: ProtoCursor) => void): void {
  const { at, bytes, end } = source.message
  const wire = toElementWire(dtype)
  const cursor = openCursor(bytes, at, end)
  while (nextField(cursor)) {
    if (cursor.field !== source.field) skipField(cursor)
    else if (cursor.wire !== wire) visit(readSpan(cursor))
    else {
      const start = cursor.at
      if (wire === WIRE.span) visit(readSpan(cursor))
      else {
        skipField(cursor)
        visit(openCursor(bytes, start, cursor.at))
      }
    }
  }
}

function toElementWire(dtype: Dtype): number {
  if (dtype === 'string') return WIRE.span
  if (dtype === 'float32') return WIRE.fixed32
  return dtype === 'float64' ? WIRE.fixed64 : WIRE.varint
}

function checkRepetition(
  source: ElementField,
  dtype: Dtype,
  shape: Shape,
  found: number,
  budget: RepeatBudget | undefined,
): void {
  const wanted = toElementCount(shape)
  if (budget === undefined || found === 0 || found > wanted) {
    throw new TensorError(
      'TENSOR_SHAPE',
      `Cannot fill shape ${toShapeText(shape)}: expected ${wanted} elements in ${source.name}, found ${found}`,
    )
  }
  budget.leftBytes -= (wanted - found) * (dtype === 'string' ? TEXT_BYTES : DTYPES[dtype].bytes)
  if (budget.leftBytes >= 0) return
  throw new TensorError(
    'TENSOR_SHAPE',
    `Cannot fill shape ${toShapeText(shape)} by repeating the last of ${found} elements in ${source.name}: too large`,
  )
}

function readTexts(source: ElementField, wanted: number): readonly string[] {
  const texts: string[] = []
  walkPacks(source, 'string', ({ at, bytes, end }) => texts.push(parseElementText(bytes, at, end)))
  const last = texts.at(-1) ?? ''
  while (texts.length < wanted) texts.push(last)
  return texts
}

function readNumbers(source: ElementField, dtype: Exclude<Dtype, 'string'>, shape: Shape): Tensor {
  const tensor = toZeros(dtype, shape)
  let at = 0
  walkPacks(source, dtype, pack => {
    at = readPack(pack, tensor, at, source.name)
  })
  return tensor
}

/** Reads the elements of a pack into a tensor from one on, and returns the index after the last. */
function readPack(pack: ProtoCursor, tensor: Tensor, from: number, name: string): number {
  switch (tensor.dtype) {
    case 'string':
      return from
    case 'float32':
    case 'float64':
      toRaw(tensor).set(pack.bytes.subarray(pack.at, pack.end), from * DTYPES[tensor.dtype].bytes)
      return from + (pack.end - pack.at) / DTYPES[tensor.dtype].bytes
    case 'int64':
    case 'uint64':
      return readWide(pack, tensor.data, from)
    case 'bool':
      return readBooleans(pack, tensor.data, from)
    default:
      return readNarrow(pack, tensor.data, from, `${DTYPES[tensor.dtype].label} in ${name}`)
  }
}

const words = new Uint32Array(2)

function readWide(pack: ProtoCursor, data: BigInt64Array | BigUint64Array, from: number): number {
  const into = new Uint32Array(data.buffer, data.byteOffset, data.length * 2)
  let index = from
  for (; pack.at < pack.end; index += 1) readWords(pack, into, index * 2)
  return index
}

function readBooleans(pack: ProtoCursor, data: Uint8Array, from: number): number {
  let index = from
  for (; pack.at < pack.end; index += 1) {
    readWords(pack, words, 0)
    data[index] = words[0] === 0 && words[1] === 0 ? 0 : 1
  }
  return index
}

type NarrowData = Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array

/** What stands on the wire has 32 bits at least: a narrower type must give back what was put in. */
function readNarrow(pack: ProtoCursor, data: NarrowData, from: number, what: string): number {
  let index = from
  for (; pack.at < pack.end; index += 1) {
    let value = pack.bytes[pack.at] ?? 0
    if (value < 0x80) pack.at += 1
    else {
      readWords(pack, words, 0)
      value = (words[0] ?? 0) | 0
    }
    data[index] = value
    if (((data[index] ?? 0) | 0) !== value)
      throw new TensorError('TENSOR_VALUE', `Cannot use ${value} as an element of ${what}: it does not fit`)
  }
  return index
}

/** Repeats the element before `from` up to the end, in steps that double. */
function repeatLast(bytes: Uint8Array, from: number, size: number): void {
  const last = from - size
  for (let at = from; at < bytes.length; ) {
    const length = Math.min(at - last, bytes.length - at)
    bytes.copyWithin(at, last, last + length)
    at += length
  }
}

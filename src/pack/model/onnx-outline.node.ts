import { open } from 'node:fs/promises'
import { RegattaError } from '../../core/errors.ts'
import { listMessages, readFields, readString } from '../../core/protobuf.ts'

/*
 * A model's file without the data of its tensors, which may be gigabytes: a walk over the fields of its messages
 * (protobuf.dev/programming-guides/encoding) that reads what is kept and skips the rest.
 */

/** The fields of a message that are kept, by number: whole, or those fields of theirs. */
interface Outline {
  readonly [field: number]: 'whole' | Outline
}

const TENSOR_NAME: Outline = { 8: 'whole' }
/** What a signature is read from. Source: onnx.proto, ModelProto, GraphProto and TensorProto. */
const MODEL: Outline = {
  1: 'whole',
  7: { 5: TENSOR_NAME, 11: 'whole', 12: 'whole', 15: { 1: TENSOR_NAME } },
  8: 'whole',
  14: 'whole',
}
/** The operator of each node of the graph, but not of the graphs within nodes. Source: onnx.proto, NodeProto. */
const OPERATORS: Outline = { 7: { 1: { 4: 'whole' } } }
const WINDOW_BYTES = 16 * 1024
/** Signatures are far smaller; a file that says otherwise is damaged. */
const MAX_OUTLINE_BYTES = 32 * 1024 * 1024

/** Reads an ONNX model without its weights, in little memory. @throws ONNX_FORMAT */
export async function readOnnxOutline(path: string): Promise<Uint8Array> {
  return await readOutline(path, MODEL)
}

/** The operators of a model's graph, without those of the graphs within them. @throws ONNX_FORMAT, ProtobufError */
export async function readOperators(path: string): Promise<ReadonlySet<string>> {
  const bytes = await readOutline(path, OPERATORS)
  const graphs = listMessages(readFields({ bytes, start: 0, end: bytes.length }), 7)
  const nodes = graphs.flatMap(graph => listMessages(readFields(graph), 1))
  return new Set(nodes.map(node => readString(readFields(node), 4)))
}

async function readOutline(path: string, outline: Outline): Promise<Uint8Array> {
  await using file = await open(path)
  const { size } = await file.stat()
  let window: Buffer = Buffer.alloc(0)
  let windowStart = 0
  const readAt = async (start: number, length: number): Promise<Buffer> => {
    const wanted = Math.min(length, size - start)
    if (start < windowStart || start + wanted > windowStart + window.length) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(wanted, WINDOW_BYTES)), { position: start })
      window = buffer.subarray(0, bytesRead)
      windowStart = start
    }
    return window.subarray(start - windowStart, start - windowStart + wanted)
  }
  return await readMessage(readAt, { start: 0, end: size }, outline)
}

type ReadAt = (start: number, length: number) => Promise<Buffer>

/** A stretch of the file: `start` inclusive, `end` exclusive. */
interface Stretch {
  readonly start: number
  readonly end: number
}

async function readMessage(readAt: ReadAt, { start, end }: Stretch, outline: Outline): Promise<Buffer> {
  const kept: Buffer[] = []
  let keptBytes = 0
  for (let at = start; at < end; ) {
    const field = await readField(readAt, at, end)
    const wish = outline[field.number]
    at = field.content.end
    if (wish === undefined) continue
    const { content } = field
    const bytes =
      wish === 'whole' || field.wire !== DELIMITED
        ? await readWhole(readAt, content)
        : await readMessage(readAt, content, wish)
    const length = field.wire === DELIMITED ? toVarint(bytes.length) : Buffer.alloc(0)
    kept.push(toVarint(field.number * 8 + field.wire), length, Buffer.from(bytes))
    keptBytes += bytes.length
    if (keptBytes > MAX_OUTLINE_BYTES) throw unreadable(`a signature of at most ${MAX_OUTLINE_BYTES} bytes`, at)
  }
  return Buffer.concat(kept)
}

const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2
const FIXED32 = 5
const MAX_VARINT_BYTES = 10

interface Field {
  readonly number: number
  readonly wire: number
  readonly content: Stretch
}

async function readField(readAt: ReadAt, at: number, end: number): Promise<Field> {
  // A tag and the length after it.
  const head = await readAt(at, 2 * MAX_VARINT_BYTES)
  const tag = readVarint(head, 0, at)
  const number = Math.floor(tag.value / 8)
  const wire = tag.value % 8
  const start = at + tag.next
  const content = toContent(wire, head, tag.next, start)
  if (content === undefined || number === 0) throw unreadable('a field', at)
  if (content.end > end) throw unreadable('a field that ends within its message (is the file cut off?)', at)
  return { number, wire, content }
}

function toContent(wire: number, head: Buffer, next: number, start: number): Stretch | undefined {
  if (wire === VARINT) return { start, end: start - next + readVarint(head, next, start).next }
  if (wire === FIXED64) return { start, end: start + 8 }
  if (wire === FIXED32) return { start, end: start + 4 }
  if (wire !== DELIMITED) return undefined
  const length = readVarint(head, next, start)
  const begin = start - next + length.next
  return { start: begin, end: begin + length.value }
}

async function readWhole(readAt: ReadAt, { start, end }: Stretch): Promise<Buffer> {
  if (end - start > MAX_OUTLINE_BYTES) throw unreadable(`a field of at most ${MAX_OUTLINE_BYTES} bytes`, start)
  return await readAt(start, end - start)
}

/** A number of up to 64 bits; above 53 it is inexact, and no place in a file. */
function readVarint(bytes: Buffer, start: number, at: number): { readonly value: number; readonly next: number } {
  let value = 0
  for (let index = 0; index < MAX_VARINT_BYTES; index++) {
    const byte = bytes[start + index]
    if (byte === undefined) break
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return { value, next: start + index + 1 }
  }
  throw unreadable('a number that ends', at)
}

function toVarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

function unreadable(wanted: string, at: number): RegattaError {
  return new RegattaError('ONNX_FORMAT', `Cannot read model: expected ONNX, with ${wanted} at byte ${at}`, {
    fix: 'Export the model to ONNX, for example with torch.onnx.export, tf2onnx or skl2onnx',
  })
}

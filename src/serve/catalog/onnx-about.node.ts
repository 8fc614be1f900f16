import { open } from 'node:fs/promises'
import type { ModelAbout } from './catalog.ts'

/** ModelProto's fields that tell of a model (onnx.proto). */
const FIELDS = { producerName: 2, producerVersion: 3, description: 6, property: 14 } as const
/** StringStringEntryProto. */
const KEY = 1
const VALUE = 2
/** Longer texts are left out: nobody reads them in an answer. */
const MAX_TEXT_BYTES = 64 * 1024
const MAX_FIELDS = 10_000
/** A tag and a length, at most (protobuf.dev/programming-guides/encoding). */
const HEAD_BYTES = 20

/**
 * Reads what an ONNX file says of itself; the graph with its weights is stepped over. A file that cannot be read so says
 * nothing: whether it is a model, ONNX Runtime decides.
 */
export async function readOnnxAbout(path: string): Promise<ModelAbout> {
  const texts = new Map<number, string>()
  const properties = new Map<string, string>()
  try {
    for await (const { number, content } of listFields(path)) {
      if (number === FIELDS.property) addProperty(properties, content)
      else texts.set(number, content.toString('utf8'))
    }
  } catch {
    // As far as it went.
  }
  const producer = [texts.get(FIELDS.producerName), texts.get(FIELDS.producerVersion)].filter(Boolean).join(' ')
  return { producer, description: texts.get(FIELDS.description) ?? '', properties }
}

interface Field {
  readonly number: number
  readonly content: Buffer
}

/** The short texts among the fields of the file's message. */
async function* listFields(path: string): AsyncGenerator<Field> {
  await using file = await open(path)
  const wanted: readonly number[] = Object.values(FIELDS)
  const { size } = await file.stat()
  const read = async (at: number, length: number): Promise<Buffer> => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), { position: at })
    return buffer.subarray(0, bytesRead)
  }
  for (let at = 0, count = 0; at < size && count < MAX_FIELDS; count += 1) {
    const { number, start, end } = readHead(await read(at, HEAD_BYTES))
    if (wanted.includes(number) && end - start <= MAX_TEXT_BYTES)
      yield { number, content: await read(at + start, end - start) }
    at += end
  }
}

/** A field's number, and where its content starts and ends behind the given bytes. */
function readHead(bytes: Buffer): { readonly number: number; readonly start: number; readonly end: number } {
  const tag = readVarint(bytes, 0)
  const number = Math.floor(tag.value / 8)
  const value = readVarint(bytes, tag.next)
  switch (tag.value % 8) {
    case 0:
      return { number, start: tag.next, end: value.next }
    case 1:
      return { number, start: tag.next, end: tag.next + 8 }
    case 2:
      return { number, start: value.next, end: value.next + value.value }
    case 5:
      return { number, start: tag.next, end: tag.next + 4 }
    default:
      throw new Error(`Cannot read wire type ${tag.value % 8}`)
  }
}

function readVarint(bytes: Buffer, at: number): { readonly value: number; readonly next: number } {
  let value = 0
  for (let index = 0; index < 10; index += 1) {
    const byte = bytes[at + index]
    if (byte === undefined) break
    value += (byte & 127) * 2 ** (7 * index)
    if (byte < 128) return { value, next: at + index + 1 }
  }
  throw new Error('Cannot read a number that does not end')
}

function addProperty(properties: Map<string, string>, entry: Buffer): void {
  const texts = new Map<number, string>()
  for (let at = 0; at < entry.length; ) {
    const { number, start, end } = readHead(entry.subarray(at))
    texts.set(number, entry.toString('utf8', at + start, at + end))
    at += end
  }
  const key = texts.get(KEY)
  if (key !== undefined) properties.set(key, texts.get(VALUE) ?? '')
}

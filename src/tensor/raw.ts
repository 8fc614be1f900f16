import { DTYPES, type Dtype } from './dtype.ts'
import { TensorError } from './errors.ts'
import { type Shape, toElementCount, toShapeText } from './shape.ts'
import { type Tensor, toView } from './tensor.ts'
import { parseUtf8 } from './utf8.ts'

/** Of the length that stands before each text. */
const LENGTH_BYTES = 4

/**
 * Reads a tensor of raw elements: little-endian, row-major, without padding; of texts, each begins with its length in
 * bytes as a uint32. The form of V2's raw contents and of its binary tensors over REST.
 *
 * The tensor is a view of `bytes` where they stand at a multiple of an element's size, else of a copy.
 * @throws TENSOR_SHAPE, TENSOR_VALUE
 */
export function parseRaw(dtype: Dtype, shape: Shape, bytes: Uint8Array): Tensor {
  const count = toElementCount(shape)
  if (dtype === 'string') return { dtype, shape, data: parseRawTexts(bytes, count) }
  const size = DTYPES[dtype].bytes
  if (bytes.length !== count * size) {
    throw new TensorError(
      'TENSOR_SHAPE',
      `Cannot fill shape ${toShapeText(shape)} of ${DTYPES[dtype].label}: expected ${count * size} bytes, found ${bytes.length}`,
    )
  }
  if (dtype === 'bool') checkBooleans(bytes)
  if (bytes.byteOffset % size === 0) return toView(dtype, shape, bytes.buffer, bytes.byteOffset)
  const copy = copyAligned(bytes)
  return toView(dtype, shape, copy.buffer, copy.byteOffset)
}

/** Reads a tensor of one text, which is all of the bytes, without its length. @throws TENSOR_VALUE */
export function parseRawText(shape: Shape, bytes: Uint8Array): Tensor {
  return { dtype: 'string', shape, data: [parseElementText(bytes, 0, bytes.length)] }
}

/** Writes a tensor's elements as `parseRaw` reads them; numbers are a view of the tensor's memory. */
export function toRaw(tensor: Tensor): Uint8Array {
  if (tensor.dtype === 'string') return toRawTexts(tensor.data)
  const { data } = tensor
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** Reads the text of one element. @throws TENSOR_VALUE where it is not UTF-8 */
export function parseElementText(bytes: Uint8Array, start: number, end: number): string {
  const text = parseUtf8(bytes, start, end)
  // Texts of ONNX Runtime are UTF-8: other bytes cannot be handed to a model.
  if (text === undefined) throw new TensorError('TENSOR_VALUE', 'Cannot use an element as a text: it is not UTF-8')
  return text
}

/** The largest size of an element, a multiple of that of each. */
const ALIGNMENT = 8
/** Bytes from which on memory of its own is worth getting for a copy: it can be handed to another thread. */
const OWN_MEMORY_BYTES = 4096

/**
 * A copy that starts at a multiple of any element's size. A small one is a part of memory that others have parts of, for
 * memory of its own takes several times as long to get as the copy.
 */
function copyAligned(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= OWN_MEMORY_BYTES) {
    const own = Buffer.allocUnsafeSlow(bytes.length)
    own.set(bytes)
    return own
  }
  const room = Buffer.allocUnsafe(bytes.length + ALIGNMENT)
  const start = (ALIGNMENT - (room.byteOffset % ALIGNMENT)) % ALIGNMENT
  room.set(bytes, start)
  return room.subarray(start, start + bytes.length)
}

/** ONNX Runtime takes a bool for what its byte is: another value than 0 and 1 is neither true nor false to it. */
function checkBooleans(bytes: Uint8Array): void {
  const wrong = bytes.find(byte => byte > 1)
  if (wrong !== undefined)
    throw new TensorError('TENSOR_VALUE', `Cannot use ${wrong} as a bool: expected a byte that is 0 or 1`)
}

function parseRawTexts(bytes: Uint8Array, count: number): readonly string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const texts: string[] = []
  let at = 0
  while (at < bytes.length) {
    const start = at + LENGTH_BYTES
    const end = start <= bytes.length ? start + view.getUint32(at, true) : Number.POSITIVE_INFINITY
    if (end > bytes.length || texts.length === count) throw toTextsError(count, texts.length, bytes.length - at)
    texts.push(parseElementText(bytes, start, end))
    at = end
  }
  if (texts.length !== count) throw toTextsError(count, texts.length, 0)
  return texts
}

function toTextsError(wanted: number, found: number, left: number): TensorError {
  return new TensorError(
    'TENSOR_SHAPE',
    `Cannot read raw texts: expected ${wanted}, each after its length, found ${found} and ${left} bytes more`,
  )
}

function toRawTexts(texts: readonly string[]): Uint8Array {
  const size = texts.reduce((sum, text) => sum + LENGTH_BYTES + Buffer.byteLength(text), 0)
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const text of texts) {
    const length = bytes.write(text, at + LENGTH_BYTES)
    bytes.writeUInt32LE(length, at)
    at += LENGTH_BYTES + length
  }
  return bytes
}

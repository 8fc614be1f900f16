import { DTYPES, type Dtype } from './dtype.ts'
import { TensorError } from './errors.ts'
import { type Shape, toElementCount, toShapeText, type WantedShape } from './shape.ts'

/** The elements of a tensor, by its type; row-major. */
export interface TensorDataByDtype {
  readonly bool: Uint8Array
  readonly uint8: Uint8Array
  readonly uint16: Uint16Array
  readonly uint32: Uint32Array
  readonly uint64: BigUint64Array
  readonly int8: Int8Array
  readonly int16: Int16Array
  readonly int32: Int32Array
  readonly int64: BigInt64Array
  /** The 16 bits of each half (`half.ts`). */
  readonly float16: Uint16Array
  readonly float32: Float32Array
  readonly float64: Float64Array
  readonly string: readonly string[]
}

/** A dense array of one element type. Its data holds exactly as many elements as its shape says. */
export type Tensor = {
  readonly [dtype in Dtype]: {
    readonly dtype: dtype
    readonly shape: Shape
    readonly data: TensorDataByDtype[dtype]
  }
}[Dtype]

/** What a model says of one of its inputs or outputs. */
export interface TensorSpec {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: WantedShape
}

/** Tensors by the name of the input or output they are for. */
export type NamedTensors = ReadonlyMap<string, Tensor>

/** Checks that a tensor's data fills its shape, and returns it. @throws TENSOR_SHAPE */
export function checkTensor(tensor: Tensor): Tensor {
  const wanted = toElementCount(tensor.shape)
  if (tensor.data.length !== wanted || !tensor.shape.every(length => Number.isSafeInteger(length) && length >= 0)) {
    throw new TensorError(
      'TENSOR_SHAPE',
      `Cannot make a tensor of shape ${toShapeText(tensor.shape)}: expected ${wanted} elements, found ${tensor.data.length}`,
    )
  }
  return tensor
}

/** A tensor of zeros (empty texts, false). */
export function toZeros(dtype: Dtype, shape: Shape): Tensor {
  const count = toElementCount(shape)
  if (dtype === 'string') return { dtype, shape, data: new Array<string>(count).fill('') }
  // Node keeps the elements of a short one in the heap, where they cost no memory of their own.
  return ZEROS[dtype](shape, count)
}

/**
 * A tensor over elements that stand in memory already: little-endian, row-major, from `offset` on.
 * @throws RangeError where the offset is not a multiple of an element's size
 */
export function toView(dtype: Exclude<Dtype, 'string'>, shape: Shape, memory: ArrayBufferLike, offset: number): Tensor {
  return VIEWS[dtype](shape, memory, offset, toElementCount(shape))
}

/** Bytes that a tensor's elements take; texts count by their UTF-16 length. */
export function toSizeBytes(tensor: Tensor): number {
  if (tensor.dtype === 'string') return tensor.data.reduce((sum, text) => sum + text.length * 2, 0)
  return tensor.data.length * DTYPES[tensor.dtype].bytes
}

const ZEROS: Readonly<Record<Exclude<Dtype, 'string'>, (shape: Shape, count: number) => Tensor>> = {
  bool: (shape, count) => ({ dtype: 'bool', shape, data: new Uint8Array(count) }),
  uint8: (shape, count) => ({ dtype: 'uint8', shape, data: new Uint8Array(count) }),
  uint16: (shape, count) => ({ dtype: 'uint16', shape, data: new Uint16Array(count) }),
  uint32: (shape, count) => ({ dtype: 'uint32', shape, data: new Uint32Array(count) }),
  uint64: (shape, count) => ({ dtype: 'uint64', shape, data: new BigUint64Array(count) }),
  int8: (shape, count) => ({ dtype: 'int8', shape, data: new Int8Array(count) }),
  int16: (shape, count) => ({ dtype: 'int16', shape, data: new Int16Array(count) }),
  int32: (shape, count) => ({ dtype: 'int32', shape, data: new Int32Array(count) }),
  int64: (shape, count) => ({ dtype: 'int64', shape, data: new BigInt64Array(count) }),
  float16: (shape, count) => ({ dtype: 'float16', shape, data: new Uint16Array(count) }),
  float32: (shape, count) => ({ dtype: 'float32', shape, data: new Float32Array(count) }),
  float64: (shape, count) => ({ dtype: 'float64', shape, data: new Float64Array(count) }),
}

type View = (shape: Shape, memory: ArrayBufferLike, offset: number, count: number) => Tensor
const VIEWS: Readonly<Record<Exclude<Dtype, 'string'>, View>> = {
  bool: (shape, memory, offset, count) => ({ dtype: 'bool', shape, data: new Uint8Array(memory, offset, count) }),
  uint8: (shape, memory, offset, count) => ({ dtype: 'uint8', shape, data: new Uint8Array(memory, offset, count) }),
  uint16: (shape, memory, offset, count) => ({ dtype: 'uint16', shape, data: new Uint16Array(memory, offset, count) }),
  uint32: (shape, memory, offset, count) => ({ dtype: 'uint32', shape, data: new Uint32Array(memory, offset, count) }),
  uint64: (shape, memory, offset, count) => ({
    dtype: 'uint64',
    shape,
    data: new BigUint64Array(memory, offset, count),
  }),
  int8: (shape, memory, offset, count) => ({ dtype: 'int8', shape, data: new Int8Array(memory, offset, count) }),
  int16: (shape, memory, offset, count) => ({ dtype: 'int16', shape, data: new Int16Array(memory, offset, count) }),
  int32: (shape, memory, offset, count) => ({ dtype: 'int32', shape, data: new Int32Array(memory, offset, count) }),
  int64: (shape, memory, offset, count) => ({ dtype: 'int64', shape, data: new BigInt64Array(memory, offset, count) }),
  float16: (shape, memory, offset, count) => ({
    dtype: 'float16',
    shape,
    data: new Uint16Array(memory, offset, count),
  }),
  float32: (shape, memory, offset, count) => ({
    dtype: 'float32',
    shape,
    data: new Float32Array(memory, offset, count),
  }),
  float64: (shape, memory, offset, count) => ({
    dtype: 'float64',
    shape,
    data: new Float64Array(memory, offset, count),
  }),
}

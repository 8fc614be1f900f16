import { DTYPES, type Dtype } from './dtype.ts'
import { type Shape, toElementCount } from './shape.ts'
import type { Tensor, TensorDataByDtype } from './tensor.ts'

/*
 * Tensors as stacks of rows: the first dimension counts them.
 */

/** Gives memory of so many bytes, whose content does not matter. */
export type Memory = (sizeBytes: number) => ArrayBuffer

/** Memory that is the tensor's alone. */
export const freshMemory: Memory = sizeBytes => new ArrayBuffer(sizeBytes)

/** Memory that each call gives again, grown where it is too small: good until the next call. */
export function toReusedMemory(): Memory {
  let buffer = new ArrayBuffer(0)
  return sizeBytes => {
    if (buffer.byteLength < sizeBytes) buffer = new ArrayBuffer(sizeBytes)
    return buffer
  }
}

/** Puts tensors of one element type and one row shape below each other, in the memory given (texts need none). */
export function joinRows(first: Tensor, others: readonly Tensor[], memory: Memory): Tensor {
  const tensors = [first, ...others]
  const rows = tensors.reduce((sum, { shape: [length = 0] }) => sum + length, 0)
  const shape = [rows, ...first.shape.slice(1)]
  if (first.dtype === 'string') {
    return { dtype: 'string', shape, data: tensors.flatMap(({ data }) => [...data].map(String)) }
  }
  const joined = viewBytes(first.dtype, shape, memory(toElementCount(shape) * DTYPES[first.dtype].bytes), 0)
  const target: Settable = joined.data
  let at = 0
  for (const { data } of tensors) {
    target.set(data, at)
    at += data.length
  }
  return joined
}

/** The rows from `start` on, as a view: nothing is copied (but the list of texts). */
export function sliceRows(tensor: Tensor, start: number, rows: number): Tensor {
  const shape = [rows, ...tensor.shape.slice(1)]
  const size = toElementCount(tensor.shape.slice(1))
  if (tensor.dtype === 'string')
    return { dtype: 'string', shape, data: tensor.data.slice(start * size, (start + rows) * size) }
  const { buffer, byteOffset, BYTES_PER_ELEMENT } = tensor.data
  return viewBytes(tensor.dtype, shape, buffer, byteOffset + start * size * BYTES_PER_ELEMENT)
}

/** The same tensor in memory that is its alone. */
export function copyTensor(tensor: Tensor): Tensor {
  if (tensor.dtype === 'string') return { ...tensor, data: [...tensor.data] }
  const copy = viewBytes(tensor.dtype, tensor.shape, new ArrayBuffer(tensor.data.byteLength), 0)
  const target: Settable = copy.data
  target.set(tensor.data, 0)
  return copy
}

/** Sees bytes of this machine's order as a tensor; `byteOffset` is a multiple of the element's size. */
function viewBytes(
  dtype: NumericDtype,
  shape: Shape,
  buffer: ArrayBufferLike,
  byteOffset: number,
): Exclude<Tensor, { dtype: 'string' }> {
  return VIEWS[dtype](shape, buffer, byteOffset, toElementCount(shape))
}

/** Every typed array is such, whatever its elements. */
interface Settable {
  set(elements: ArrayLike<unknown>, at: number): void
}

type NumericDtype = Exclude<Dtype, 'string'>
type View<dtype extends NumericDtype> = (
  shape: Shape,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
) => { readonly dtype: dtype; readonly shape: Shape; readonly data: TensorDataByDtype[dtype] }

const VIEWS: { readonly [dtype in NumericDtype]: View<dtype> } = {
  bool: (shape, ...place) => ({ dtype: 'bool', shape, data: new Uint8Array(...place) }),
  uint8: (shape, ...place) => ({ dtype: 'uint8', shape, data: new Uint8Array(...place) }),
  uint16: (shape, ...place) => ({ dtype: 'uint16', shape, data: new Uint16Array(...place) }),
  uint32: (shape, ...place) => ({ dtype: 'uint32', shape, data: new Uint32Array(...place) }),
  uint64: (shape, ...place) => ({ dtype: 'uint64', shape, data: new BigUint64Array(...place) }),
  int8: (shape, ...place) => ({ dtype: 'int8', shape, data: new Int8Array(...place) }),
  int16: (shape, ...place) => ({ dtype: 'int16', shape, data: new Int16Array(...place) }),
  int32: (shape, ...place) => ({ dtype: 'int32', shape, data: new Int32Array(...place) }),
  int64: (shape, ...place) => ({ dtype: 'int64', shape, data: new BigInt64Array(...place) }),
  float16: (shape, ...place) => ({ dtype: 'float16', shape, data: new Uint16Array(...place) }),
  float32: (shape, ...place) => ({ dtype: 'float32', shape, data: new Float32Array(...place) }),
  float64: (shape, ...place) => ({ dtype: 'float64', shape, data: new Float64Array(...place) }),
}

import fc from 'fast-check'
import type { Dtype } from '../dtype.ts'
import { toElementCount } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

const anyShape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
const integer = (bits: number, signed: boolean): fc.Arbitrary<number> =>
  signed
    ? fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
    : fc.integer({ min: 0, max: 2 ** bits - 1 })

type Make = (shape: readonly number[], fixed: { minLength: number; maxLength: number }) => fc.Arbitrary<Tensor>

const TENSORS: Readonly<Record<Dtype, Make>> = {
  bool: (shape, fixed) =>
    fc.array(integer(1, false), fixed).map(data => ({ dtype: 'bool', shape, data: Uint8Array.from(data) })),
  uint8: (shape, fixed) =>
    fc.array(integer(8, false), fixed).map(data => ({ dtype: 'uint8', shape, data: Uint8Array.from(data) })),
  uint16: (shape, fixed) =>
    fc.array(integer(16, false), fixed).map(data => ({ dtype: 'uint16', shape, data: Uint16Array.from(data) })),
  uint32: (shape, fixed) =>
    fc.array(integer(32, false), fixed).map(data => ({ dtype: 'uint32', shape, data: Uint32Array.from(data) })),
  uint64: (shape, fixed) =>
    fc
      .array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fixed)
      .map(data => ({ dtype: 'uint64', shape, data: BigUint64Array.from(data) })),
  int8: (shape, fixed) =>
    fc.array(integer(8, true), fixed).map(data => ({ dtype: 'int8', shape, data: Int8Array.from(data) })),
  int16: (shape, fixed) =>
    fc.array(integer(16, true), fixed).map(data => ({ dtype: 'int16', shape, data: Int16Array.from(data) })),
  int32: (shape, fixed) =>
    fc.array(integer(32, true), fixed).map(data => ({ dtype: 'int32', shape, data: Int32Array.from(data) })),
  int64: (shape, fixed) =>
    fc
      .array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fixed)
      .map(data => ({ dtype: 'int64', shape, data: BigInt64Array.from(data) })),
  float16: (shape, fixed) =>
    fc.array(integer(16, false), fixed).map(data => ({ dtype: 'float16', shape, data: Uint16Array.from(data) })),
  float32: (shape, fixed) =>
    fc.array(fc.float(), fixed).map(data => ({ dtype: 'float32', shape, data: Float32Array.from(data) })),
  float64: (shape, fixed) =>
    fc.array(fc.double(), fixed).map(data => ({ dtype: 'float64', shape, data: Float64Array.from(data) })),
  string: (shape, fixed) =>
    fc.array(fc.string({ unit: 'grapheme' }), fixed).map(data => ({ dtype: 'string', shape, data })),
}

/** Any tensor of any type, of up to three axes, each up to 4 long. */
export const anyTensor: fc.Arbitrary<Tensor> = fc
  .record({ shape: anyShape, make: fc.constantFrom(...Object.values(TENSORS)) })
  .chain(({ make, shape }) => {
    const count = toElementCount(shape)
    return make(shape, { minLength: count, maxLength: count })
  })

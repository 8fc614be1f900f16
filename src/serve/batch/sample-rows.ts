import { type Dtype, fromHalfBits, type NamedTensors, type Tensor, toHalfBits, toZeros } from '../../tensor/index.ts'

/*
 * Rows that a model may be tried on, and the comparison of what it makes of them.
 */

/** Makes other tensors under the same names. */
export function mapTensors(tensors: NamedTensors, map: (tensor: Tensor, name: string) => Tensor): NamedTensors {
  return new Map([...tensors].map(([name, tensor]) => [name, map(tensor, name)]))
}

/**
 * Floats from 0 to 1, which logarithms take, too; integers and booleans 0 and 1, which most tables have, in turn from
 * `first` on, so that rows differ.
 */
export function toRandomRow(sample: NamedTensors, next: () => number, first: 0 | 1): NamedTensors {
  return mapTensors(sample, ({ dtype, shape }) => {
    const tensor = toZeros(dtype, [1, ...shape.slice(1)])
    const toBit = (_: unknown, at: number): number => (at + first) % 2
    switch (tensor.dtype) {
      case 'string':
        return { ...tensor, data: tensor.data.map((_, at) => (toBit(_, at) === 0 ? 'a' : 'b')) }
      case 'int64':
        tensor.data.set(tensor.data.map((_, at) => BigInt(toBit(_, at))))
        return tensor
      case 'uint64':
        tensor.data.set(tensor.data.map((_, at) => BigInt(toBit(_, at))))
        return tensor
      case 'float16':
        tensor.data.set(tensor.data.map(() => toHalfBits(next())))
        return tensor
      case 'float32':
      case 'float64':
        tensor.data.set(tensor.data.map(next))
        return tensor
      default:
        tensor.data.set(tensor.data.map(toBit))
        return tensor
    }
  })
}

/** Numbers from 0 to 1, the same ones each time: those of Park and Miller. */
export function toChance(): () => number {
  let state = 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** How far floats may be apart, by the largest of them: batches are summed up in another order. */
const TOLERANCES: Partial<Record<Dtype, number>> = { float16: 2e-2, float32: 1e-3, float64: 1e-6 }
/** The largest value of a tensor counts for so much at least. */
const SMALLEST = 1e-6

/** Whether two tensors hold the same, but for what floats lose by another order of sums. */
export function isClose(a: Tensor, b: Tensor): boolean {
  if (a.dtype !== b.dtype || a.data.length !== b.data.length) return false
  const [values, others] = [toValues(a), toValues(b)]
  const largest = values.reduce<number>(
    (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(Number(value))) : most),
    SMALLEST,
  )
  const tolerance = (TOLERANCES[a.dtype] ?? 0) * largest
  return values.every((value, at) => isCloseValue(value, others[at], tolerance))
}

function isCloseValue(a: Value, b: Value | undefined, tolerance: number): boolean {
  if (a === b || Object.is(a, b)) return true
  return typeof a === 'number' && typeof b === 'number' && Math.abs(a - b) <= tolerance
}

type Value = number | bigint | string

function toValues(tensor: Tensor): readonly Value[] {
  const values: Iterable<Value> = tensor.dtype === 'float16' ? Array.from(tensor.data, fromHalfBits) : tensor.data
  return [...values]
}

import { TensorError } from './errors.ts'

/** Lengths of a tensor's dimensions, outermost first; a scalar has none. */
export type Shape = readonly number[]

/** Lengths that a model wants; -1 takes any length. */
export type WantedShape = readonly number[]

/** How many elements a shape holds: 1 for a scalar. */
export function toElementCount(shape: Shape): number {
  let count = 1
  for (const length of shape) count *= length
  return count
}

/** `TensorShape::MaxDimensions` of TensorFlow. */
const MAX_RANK = 254

/**
 * Checks that lengths which stand in a message can be those of a tensor, in TensorFlow's words
 * (tensorflow/core/framework/tensor_shape.cc, `IsValidShape`). @throws TENSOR_SHAPE
 */
export function checkLengths(shape: Shape): void {
  if (shape.length > MAX_RANK)
    throw new TensorError('TENSOR_SHAPE', `Cannot use a tensor of ${shape.length} dimensions: at most ${MAX_RANK}`)
  if (shape.some(length => length < 0))
    throw new TensorError('TENSOR_SHAPE', `Shape ${toShapeText(shape)} is not fully defined`)
  // Beyond 2^53 a product of 0 can hide lengths that no tensor has.
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(toElementCount(shape)))
    throw new TensorError('TENSOR_SHAPE', `Shape ${toShapeText(shape)} is too large`)
}

/** How many rows a tensor has whose first length a message says so; undefined where no tensor has that length. */
export function toRows(length: number | undefined): number | undefined {
  return length !== undefined && Number.isSafeInteger(length) && length >= 0 ? length : undefined
}

/** Whether two shapes are the same. */
export function isSameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis])
}

/** Whether a shape is one that a model takes. */
export function isWantedShape(shape: Shape, wanted: WantedShape): boolean {
  return shape.length === wanted.length && wanted.every((length, axis) => length === -1 || length === shape[axis])
}

/** A shape as both protocols print it: `[-1,4]`. */
export function toShapeText(shape: Shape): string {
  return `[${shape.join(',')}]`
}

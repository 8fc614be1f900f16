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

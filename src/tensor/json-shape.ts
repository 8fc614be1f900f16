import { TensorError } from './errors.ts'
import { isList, isNumbers, type JsonNode, type JsonNumbers } from './json-node.ts'
import { toShownText } from './json-text.ts'
import type { Shape } from './shape.ts'

/** Puts a leaf (one value, or a list of numbers along the last axis) at an element. */
export type PutLeaf = (node: JsonNode, at: number) => void

/** The shape that nested lists have if they are regular: the lengths along the first element at each depth. */
export function toListShape(node: JsonNode): Shape {
  const shape: number[] = []
  let inner: JsonNode | undefined = node
  while (inner !== undefined && isList(inner)) {
    shape.push(toLength(inner))
    inner = isNumbers(inner) ? undefined : inner[0]
  }
  return shape
}

/** How many elements a list has. */
export function toLength(list: JsonNumbers | readonly JsonNode[]): number {
  return isNumbers(list) ? list.values.length : list.length
}

/**
 * Walks nested lists that shall have a shape and hands over their leaves in row-major order, from element `at` on.
 * The errors are TensorFlow Serving's (tensorflow_serving/util/json_tensor.cc, `FillTensorProto`).
 * @returns the element after the last
 * @throws TENSOR_SHAPE
 */
export function walkLists(node: JsonNode, shape: Shape, put: PutLeaf, at: number, level = 0): number {
  const rank = shape.length
  if (!isList(node)) {
    if (level !== rank) {
      throw new TensorError(
        'TENSOR_SHAPE',
        `JSON Value: ${toShownText(node)} found at incorrect level: ${level + 1} in the JSON DOM. Expected at level: ${rank}`,
      )
    }
    put(node, at)
    return at + 1
  }
  checkLength(node, level, shape)
  if (isNumbers(node)) {
    if (level + 1 < rank) {
      throw new TensorError(
        'TENSOR_SHAPE',
        `JSON Value: ${toShownText(node)} found at incorrect level: ${level + 2} in the JSON DOM. Expected at level: ${rank}`,
      )
    }
    put(node, at)
    return at + node.values.length
  }
  let next = at
  for (const inner of node) next = walkLists(inner, shape, put, next, level + 1)
  return next
}

function checkLength(list: JsonNumbers | readonly JsonNode[], level: number, shape: Shape): void {
  if (level >= shape.length) {
    throw new TensorError('TENSOR_SHAPE', `Encountered list at unexpected level: ${level} expected < ${shape.length}`)
  }
  if (toLength(list) !== shape[level]) {
    throw new TensorError(
      'TENSOR_SHAPE',
      `Encountered list at unexpected size: ${toLength(list)} at level: ${level} expected size: ${shape[level]}`,
    )
  }
}

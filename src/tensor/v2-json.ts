import { DTYPES, type Dtype } from './dtype.ts'
import { toElementList } from './element-list.ts'
import { openElements, toTypeError } from './elements.ts'
import { TensorError } from './errors.ts'
import { isList, isMembers, isNumbers, type JsonNode } from './json-node.ts'
import { toLength, walkLists } from './json-shape.ts'
import { type Shape, toElementCount } from './shape.ts'
import type { Tensor } from './tensor.ts'

/**
 * Reads the `data` of one tensor of an Open Inference V2 request: row-major, flat or in nested lists.
 * @throws TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE
 */
export function parseV2Data(data: JsonNode, dtype: Dtype, shape: Shape): Tensor {
  const rules = { label: DTYPES[dtype].v2, lossless: false }
  const count = toElementCount(shape)
  const isNested = isList(data) && !isNumbers(data) && data.some(isList)
  const lists = isNested ? shape : [count]
  // The count comes from the client: nothing is allocated before the data is known to have as many elements.
  if (!isList(data) || toLength(data) !== lists[0] || (isNested && countLeaves(data) !== count)) throw toCountError()
  const elements = openElements(dtype, shape, rules)
  if (isNumbers(data)) {
    elements.put(data, 0)
    return elements.tensor
  }
  walkLists(
    data,
    lists,
    (leaf, at) => {
      if (isMembers(leaf)) throw toTypeError(leaf, rules)
      elements.put(leaf, at)
    },
    0,
  )
  return elements.tensor
}

function countLeaves(node: JsonNode): number {
  if (!isList(node)) return 1
  if (isNumbers(node)) return node.values.length
  return node.reduce((sum: number, inner) => sum + countLeaves(inner), 0)
}

function toCountError(): TensorError {
  return new TensorError('TENSOR_SHAPE', "Unable to parse 'data': Shape does not match true shape of 'data' field")
}

/** The `data` of one tensor of an Open Inference V2 answer: a flat list, row-major. */
export function toV2Data(tensor: Tensor): string {
  if (tensor.dtype === 'string') return JSON.stringify(tensor.data)
  return `[${toElementList(tensor)(0, tensor.data.length)}]`
}

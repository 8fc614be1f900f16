import { DTYPES } from './dtype.ts'
import { type ElementRules, openElements, toTypeError } from './elements.ts'
import { TensorError } from './errors.ts'
import { isList, isMembers, isNumbers, type JsonMembers, type JsonNode } from './json-node.ts'
import { type PutLeaf, toLength, toListShape, walkLists } from './json-shape.ts'
import { toShownText } from './json-text.ts'
import { isSameShape, type Shape, toElementCount, toShapeText } from './shape.ts'
import type { NamedTensors, Tensor, TensorSpec } from './tensor.ts'
import { parseUtf8 } from './utf8.ts'

/**
 * Reads the `instances` of a TensorFlow Serving request: one row per element, each a value (one input) or an object
 * with a value for every input. The tensors get the rows as their first axis.
 * Source: tensorflow_serving/util/json_tensor.cc, `FillTensorMapFromInstancesList`, whose errors these are.
 * @throws TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE
 */
export function parseTfsInstances(instances: JsonNode, specs: readonly TensorSpec[]): NamedTensors {
  if (!isList(instances) || toLength(instances) === 0)
    throw new TensorError('TENSOR_SHAPE', "No values in 'instances' array")
  const [only] = specs
  if (only === undefined) throw new TensorError('TENSOR_SHAPE', 'The model has no inputs')
  if (isNumbers(instances)) {
    if (specs.length > 1) throw toPlainListError()
    return new Map([[only.name, parseDense(instances, only)]])
  }
  const first = instances[0] ?? null
  if (!isMembers(first) && specs.length > 1) throw toPlainListError()
  if (!isNamedRow(first))
    return new Map([[only.name, stackRows(instances, only, (row, index) => plainRow(row, index))]])
  instances.forEach((row, index) => {
    checkNames(row, index, specs)
  })
  return new Map(specs.map(spec => [spec.name, stackRows(instances, spec, row => namedRow(row, spec.name), spec.name)]))
}

/**
 * Reads the `inputs` of a TensorFlow Serving request: one whole tensor as nested lists, or an object with one for
 * every input. @throws TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE
 */
export function parseTfsInputs(inputs: JsonNode, specs: readonly TensorSpec[]): NamedTensors {
  const [only] = specs
  if (only === undefined) throw new TensorError('TENSOR_SHAPE', 'The model has no inputs')
  if (!isNamedRow(inputs)) {
    if (specs.length > 1) {
      throw new TensorError(
        'TENSOR_SHAPE',
        'inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map',
      )
    }
    return new Map([[only.name, parseDense(inputs, only)]])
  }
  return new Map(
    specs.map(spec => {
      const value = inputs.get(spec.name)
      if (value === undefined)
        throw new TensorError('TENSOR_SHAPE', `Missing named input: ${spec.name} in 'inputs' object.`)
      return [spec.name, parseDense(value, spec)]
    }),
  )
}

/** Reads nested lists whose shape is that of their first elements. */
function parseDense(node: JsonNode, spec: TensorSpec): Tensor {
  const rules = toRules(spec)
  const shape = toListShape(node)
  // The first elements may promise more than there is: nothing is allocated before the rest is known to keep to it.
  walkLists(node, shape, nothing, 0)
  const elements = openElements(spec.dtype, shape, rules)
  walkLists(node, shape, (leaf, at) => elements.put(toPlainLeaf(leaf, spec, rules), at), 0)
  return elements.tensor
}

/** Joins the rows' values into one tensor; each must have the first one's shape. */
function stackRows(
  rows: readonly JsonNode[],
  spec: TensorSpec,
  toValue: (row: JsonNode, index: number) => JsonNode,
  key?: string,
): Tensor {
  const rules = toRules(spec)
  const shape = toListShape(toValue(rows[0] ?? null, 0))
  const walkRows = (put: PutLeaf): void => {
    rows.reduce((at, row, index) => {
      const value = toValue(row, index)
      return atRow(index, key, () => walkLists(value, shape, put, at))
    }, 0)
  }
  rows.forEach((row, index) => {
    const value = toValue(row, index)
    if (!isSameShape(toListShape(value), shape)) {
      atRow(index, key, () => {
        throw toOtherShapeError(value, shape, spec)
      })
    }
  })
  walkRows(nothing)
  const elements = openElements(spec.dtype, [rows.length, ...shape], rules)
  walkRows((leaf, at) => elements.put(toPlainLeaf(leaf, spec, rules), at))
  return elements.tensor
}

function nothing(): void {}

/** Adds the row, and the input's name where rows have several, to what `read` throws. */
function atRow(index: number, key: string | undefined, read: () => number): number {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof TensorError)) throw error
    const where = key === undefined ? `element: ${index}` : `element: ${index} key: ${key}`
    throw new TensorError(
      error.code,
      `Failed to process ${where} of 'instances' list. Error: INVALID_ARGUMENT: ${error.message}`,
    )
  }
}

/** A row of another shape than the first: an irregular one is told as such, as TensorFlow Serving does. */
function toOtherShapeError(value: JsonNode, wanted: Shape, spec: TensorSpec): TensorError {
  const { shape } = parseDense(value, spec)
  const [size, wantedSize] = [toElementCount(shape), toElementCount(wanted)]
  return new TensorError(
    'TENSOR_SHAPE',
    size === wantedSize
      ? `Expecting shape ${toShapeText(wanted)} but got: ${toShapeText(shape)}`
      : `Expecting tensor size: ${wantedSize} but got: ${size}`,
  )
}

function plainRow(row: JsonNode, index: number): JsonNode {
  if (isNamedRow(row)) {
    throw new TensorError('TENSOR_SHAPE', `Expecting value/list but got object at item ${index} of input list`)
  }
  return row
}

function namedRow(row: JsonNode, name: string): JsonNode {
  return (isMembers(row) ? row.get(name) : undefined) ?? null
}

function checkNames(row: JsonNode, index: number, specs: readonly TensorSpec[]): void {
  if (!isNamedRow(row)) {
    throw new TensorError('TENSOR_SHAPE', `Expecting object but got list at item ${index} of input list`)
  }
  for (const name of row.keys()) {
    if (specs.some(spec => spec.name === name)) continue
    throw new TensorError(
      'TENSOR_SHAPE',
      `Failed to process element: ${index} key: ${name} of 'instances' list. ` +
        `Error: INVALID_ARGUMENT: JSON object: does not have named input: ${name}`,
    )
  }
  if (row.size !== specs.length) {
    const names = specs.map(spec => spec.name).sort()
    throw new TensorError(
      'TENSOR_SHAPE',
      `Failed to process element: ${index} of 'instances' list. JSON object: ${toShownText(row)} ` +
        `keys must be equal to: ${names.join(',')}`,
    )
  }
}

function toPlainListError(): TensorError {
  return new TensorError(
    'TENSOR_SHAPE',
    'instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map',
  )
}

/** Whether a value is an object of inputs by name; `{"b64": text}` is a single value. */
function isNamedRow(node: JsonNode): node is JsonMembers {
  return isMembers(node) && !isBase64(node)
}

function isBase64(node: JsonMembers): boolean {
  return node.size === 1 && typeof node.get('b64') === 'string'
}

function toPlainLeaf(leaf: JsonNode, spec: TensorSpec, rules: ElementRules): JsonNode {
  if (!isMembers(leaf)) return leaf
  if (spec.dtype !== 'string') throw toTypeError(leaf, rules)
  const base64 = leaf.get('b64')
  if (leaf.size !== 1 || typeof base64 !== 'string') {
    throw new TensorError('TENSOR_TYPE', `JSON Value: ${toShownText(leaf)} not formatted correctly for base64 data`)
  }
  return decodeBase64(base64)
}

/** Texts of ONNX Runtime are UTF-8: other bytes cannot be handed to a model. */
function decodeBase64(text: string): string {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.replaceAll('=', '').length % 4 === 1) {
    throw new TensorError('TENSOR_TYPE', 'Unable to base64 decode')
  }
  const decoded = parseUtf8(Buffer.from(text, 'base64'))
  if (decoded !== undefined) return decoded
  throw new TensorError('TENSOR_VALUE', `JSON Value: ${toShownText(text)} holds bytes that are not UTF-8`)
}

function toRules(spec: TensorSpec): ElementRules {
  return { label: DTYPES[spec.dtype].label, lossless: true }
}

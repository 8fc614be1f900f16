import type { Dtype } from './dtype.ts'
import { TensorError } from './errors.ts'
import { toHalfBits } from './half.ts'
import { isNumber, isNumbers, type JsonNode, type JsonNumbers, NO_EXACT } from './json-node.ts'
import { toShownText, toTypeText } from './json-text.ts'
import { type Shape, toElementCount } from './shape.ts'
import { type Tensor, toZeros } from './tensor.ts'

/** How strictly, and in whose words, JSON values become elements. */
export interface ElementRules {
  /** The element type's name in errors. */
  readonly label: string
  /**
   * Whether a float may not be written as an integer that it cannot hold exactly
   * (tensorflow_serving/util/json_tensor.cc, `IsLosslessDecimal`).
   */
  readonly lossless: boolean
}

/** A tensor being filled from JSON values, in row-major order. */
export interface Elements {
  readonly tensor: Tensor
  /** Puts one value, or a list of numbers, from the given element on. @throws TENSOR_TYPE, TENSOR_VALUE */
  put(node: JsonNode, at: number): void
}

/** Makes an empty tensor to put JSON values into. */
export function openElements(dtype: Dtype, shape: Shape, rules: ElementRules): Elements {
  const texts = dtype === 'string' ? new Array<string>(toElementCount(shape)).fill('') : []
  const tensor: Tensor = dtype === 'string' ? { dtype, shape, data: texts } : toZeros(dtype, shape)
  return {
    tensor,
    put(node, at) {
      if (isNumbers(node)) putNumbers(tensor, node, at, rules)
      else if (isNumber(node)) putNumbers(tensor, toNumbers(node), at, rules)
      else if (typeof node === 'string' && tensor.dtype === 'string') texts[at] = node
      else if (typeof node === 'boolean' && tensor.dtype === 'bool') tensor.data[at] = node ? 1 : 0
      else throw toTypeError(node, rules)
    },
  }
}

function toNumbers(number: Extract<JsonNode, { kind: 'number' }>): JsonNumbers {
  return {
    kind: 'numbers',
    values: [number.value],
    firstDecimal: number.isInteger ? -1 : 0,
    farthestInteger: number.isInteger ? 0 : -1,
    exact: number.exact === undefined ? NO_EXACT : new Map([[0, number.exact]]),
  }
}

function putNumbers(tensor: Tensor, list: JsonNumbers, at: number, rules: ElementRules): void {
  switch (tensor.dtype) {
    case 'float32':
    case 'float64':
      checkFloats(list, FLOATS[tensor.dtype], rules)
      tensor.data.set(list.values, at)
      return
    case 'float16':
      checkFloats(list, FLOATS.float16, rules)
      tensor.data.set(list.values.map(toHalfBits), at)
      return
    case 'int64':
    case 'uint64':
      checkIntegers(list, INTEGERS[tensor.dtype], rules)
      tensor.data.set(
        list.values.map((value, index) => list.exact.get(index) ?? BigInt(value)),
        at,
      )
      return
    case 'bool':
    case 'string':
      throw toTypeError(toNodeAt(list, 0), rules)
    default:
      checkIntegers(list, INTEGERS[tensor.dtype], rules)
      tensor.data.set(list.values, at)
  }
}

/** What each float type holds: its largest integer without gaps, and from where on it rounds to infinity. */
const FLOATS = {
  float16: { largestInteger: 2 ** 11 - 1, overflow: 65520 },
  float32: { largestInteger: 2 ** 24 - 1, overflow: 2 ** 128 - 2 ** 103 },
  float64: { largestInteger: Number.MAX_SAFE_INTEGER, overflow: Number.POSITIVE_INFINITY },
} as const

const INTEGERS = {
  uint8: [0n, 2n ** 8n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
} as const satisfies Partial<Record<Dtype, readonly [bigint, bigint]>>

function checkFloats(list: JsonNumbers, limits: (typeof FLOATS)[keyof typeof FLOATS], rules: ElementRules): void {
  const farthest = list.values[list.farthestInteger] ?? 0
  if (rules.lossless && Math.abs(farthest) > limits.largestInteger) throw toLossError(list, list.farthestInteger, rules)
  const { overflow } = limits
  const { values } = list
  for (let index = 0; index < values.length; index += 1) {
    const size = Math.abs(values[index] ?? 0)
    if (size >= overflow && size !== Number.POSITIVE_INFINITY) throw toLossError(list, index, rules)
  }
}

function checkIntegers(list: JsonNumbers, [min, max]: readonly [bigint, bigint], rules: ElementRules): void {
  if (list.firstDecimal !== -1) throw toTypeError(toNodeAt(list, list.firstDecimal), rules)
  const [low, high] = [Number(min), Number(max)]
  for (const [index, exact] of list.exact)
    if (exact < min || exact > max) throw toTypeError(toNodeAt(list, index), rules)
  const { values } = list
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] ?? 0
    // Beyond 2^53 a double may round over the border that the exact integer keeps.
    if ((value < low || value > high) && !list.exact.has(index)) throw toTypeError(toNodeAt(list, index), rules)
  }
}

function toNodeAt(list: JsonNumbers, index: number): JsonNode {
  const value = list.values[index] ?? 0
  const exact = list.exact.get(index)
  return { kind: 'number', value, isInteger: Number.isInteger(value) && list.firstDecimal !== index, exact }
}

/** @returns the error of a value of another type, in TensorFlow Serving's words */
export function toTypeError(node: JsonNode, rules: ElementRules): TensorError {
  return new TensorError(
    'TENSOR_TYPE',
    `JSON Value: ${toShownText(node)} Type: ${toTypeText(node)} is not of expected type: ${rules.label}`,
  )
}

function toLossError(list: JsonNumbers, index: number, rules: ElementRules): TensorError {
  return new TensorError(
    'TENSOR_VALUE',
    `Cannot convert JSON value: ${toShownText(toNodeAt(list, index))} to ${rules.label} without loss of precision.`,
  )
}

/*
 * Writes small ONNX models for tests, straight in protobuf. Field numbers are those of onnx.proto3.
 */

const encoder = new TextEncoder()

/** TensorProto.DataType. */
export const ONNX_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const

/** Element types that tests make models of. */
export type OnnxType = keyof typeof ONNX_TYPES

/** An input or an output; a text is the name of a free dimension. */
export interface Value {
  readonly name: string
  readonly dtype: OnnxType
  readonly shape: readonly (number | string)[]
  /** The value is a sequence of such tensors. */
  readonly isSequence?: true
}

/** One operator: `Mul x w -> y`. */
export interface Node {
  readonly operator: string
  /** An empty name leaves an optional one out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, number | readonly number[] | readonly string[]>>
}

/** A graph. */
export interface Graph {
  /** What the file says of itself. */
  readonly about?: {
    readonly producer: readonly [name: string, version: string]
    readonly description: string
    readonly properties: Readonly<Record<string, string>>
  }
  readonly nodes: readonly Node[]
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly constants?: Readonly<Record<string, Constant>>
  /** Version of the operator set. @default 13 */
  readonly operators?: number
}

/** A tensor that is part of a graph. */
export interface Constant {
  readonly shape: readonly number[]
  readonly values: Float32Array | BigInt64Array
}

/** A model of IR version 8. */
export function toModel({ about, nodes, inputs, outputs, constants = {}, operators = 13 }: Graph): Uint8Array {
  const graph = [
    ...nodes.map(node => bytes(1, toNode(node))),
    text(2, 'test'),
    ...Object.entries(constants).map(([name, { shape, values }]) =>
      bytes(5, [
        ...shape.map(size => varint(1, size)),
        varint(2, values instanceof Float32Array ? ONNX_TYPES.float32 : ONNX_TYPES.int64),
        text(8, name),
        bytes(9, [new Uint8Array(values.buffer, values.byteOffset, values.byteLength)]),
      ]),
    ),
    ...inputs.map(value => bytes(11, toValue(value))),
    ...outputs.map(value => bytes(12, toValue(value))),
  ]
  const said = about === undefined ? [] : toAbout(about)
  return Buffer.concat([
    varint(1, 8),
    ...said.slice(0, 3),
    bytes(8, [varint(2, operators)]),
    bytes(7, graph),
    ...said.slice(3),
  ])
}

function toAbout({ producer, description, properties }: NonNullable<Graph['about']>): Uint8Array[] {
  const entries = Object.entries(properties).map(([key, value]) => bytes(14, [text(1, key), text(2, value)]))
  return [text(2, producer[0]), text(3, producer[1]), text(6, description), ...entries]
}

function toNode({ operator, inputs, outputs, attributes = {} }: Node): Uint8Array[] {
  return [
    ...inputs.map(name => text(1, name)),
    ...outputs.map(name => text(2, name)),
    text(4, operator),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, [text(1, name), ...toAttribute(value)])),
  ]
}

/** AttributeProto.AttributeType. */
const ATTRIBUTES = { int: 2, ints: 7, strings: 8 } as const

function toAttribute(value: number | readonly number[] | readonly string[]): Uint8Array[] {
  if (typeof value === 'number') return [varint(3, value), varint(20, ATTRIBUTES.int)]
  const isTexts = value.some(item => typeof item === 'string')
  const items = value.map(item => (typeof item === 'string' ? text(9, item) : varint(8, item)))
  return [...items, varint(20, isTexts ? ATTRIBUTES.strings : ATTRIBUTES.ints)]
}

/** A ValueInfoProto. */
function toValue({ name, dtype, shape, isSequence }: Value): Uint8Array[] {
  const sizes = shape.map(size => bytes(1, [typeof size === 'string' ? text(2, size) : varint(1, size)]))
  const tensor = bytes(1, [varint(1, ONNX_TYPES[dtype]), bytes(2, sizes)])
  return [text(1, name), bytes(2, isSequence ? [bytes(4, [bytes(1, [tensor])])] : [tensor])]
}

// Protocol Buffers, "Encoding": a field is its number and wire type, then a varint, or a length and bytes.

const varint = (field: number, number: number): Uint8Array => Buffer.concat([base128(field * 8), base128(number)])
const text = (field: number, content: string): Uint8Array => bytes(field, [encoder.encode(content)])
const bytes = (field: number, parts: readonly Uint8Array[]): Uint8Array => {
  const content = Buffer.concat(parts)
  return Buffer.concat([base128(field * 8 + 2), base128(content.length), content])
}

function base128(number: number): Uint8Array {
  return number < 128
    ? Uint8Array.of(number)
    : Buffer.concat([Uint8Array.of((number % 128) | 128), base128(Math.floor(number / 128))])
}

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
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** A graph; constants are float32. */
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
  readonly constants?: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: Float32Array }>>
}

/** A model of IR version 8 and operator set 13. */
export function toModel({ about, nodes, inputs, outputs, constants = {} }: Graph): Uint8Array {
  const graph = [
    ...nodes.map(node => bytes(1, toNode(node))),
    text(2, 'test'),
    ...Object.entries(constants).map(([name, { shape, values }]) =>
      bytes(5, [
        ...shape.map(size => varint(1, size)),
        varint(2, ONNX_TYPES.float32),
        text(8, name),
        bytes(9, [new Uint8Array(values.buffer)]),
      ]),
    ),
    ...inputs.map(value => bytes(11, toValue(value))),
    ...outputs.map(value => bytes(12, toValue(value))),
  ]
  const said = about === undefined ? [] : toAbout(about)
  return Buffer.concat([
    varint(1, 8),
    ...said.slice(0, 3),
    bytes(8, [varint(2, 13)]),
    bytes(7, graph),
    ...said.slice(3),
  ])
}

function toAbout({ producer, description, properties }: NonNullable<Graph['about']>): Uint8Array[] {
  const entries = Object.entries(properties).map(([key, value]) => bytes(14, [text(1, key), text(2, value)]))
  return [text(2, producer[0]), text(3, producer[1]), text(6, description), ...entries]
}

function toNode({ operator, inputs, outputs }: Node): Uint8Array[] {
  return [...inputs.map(name => text(1, name)), ...outputs.map(name => text(2, name)), text(4, operator)]
}

/** A ValueInfoProto. */
function toValue({ name, dtype, shape, isSequence }: Value): Uint8Array[] {
  const sizes = shape.map(size => bytes(1, [typeof size === 'string' ? text(2, size) : varint(1, size)]))
  const tensor = bytes(1, [varint(1, ONNX_TYPES[dtype]), bytes(2, sizes)])
  return [text(1, name), bytes(2, isSequence ? [bytes(4, [bytes(1, [tensor])])] : [tensor])]
}

// Protocol Buffers, "Encoding": a field is its number and wire type, then a varint, or a length and bytes.

const varint = (field: number, number: number): Uint8Array => Buffer.concat([base128(field << 3), base128(number)])
const text = (field: number, content: string): Uint8Array => bytes(field, [encoder.encode(content)])
const bytes = (field: number, parts: readonly Uint8Array[]): Uint8Array => {
  const content = Buffer.concat(parts)
  return Buffer.concat([base128((field << 3) | 2), base128(content.length), content])
}

function base128(number: number): Uint8Array {
  return number < 128
    ? Uint8Array.of(number)
    : Buffer.concat([Uint8Array.of((number % 128) | 128), base128(Math.floor(number / 128))])
}

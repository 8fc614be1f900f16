import type { Layers } from './network.ts'

/**
 * Writes a network as an ONNX model: input `x` and output `y`, both float32 [n, steps, 1] with `n` left open.
 *
 * The recurrence is one RNN operator, which runtimes have a fast kernel for. Its batch comes second, so:
 * x [n, steps, 1] → Transpose → RNN → [steps, 1, n, hidden] → MatMul, Add → [steps, 1, n, 1] → Squeeze → Transpose → y.
 *
 * Source: onnx.proto3 of ONNX 1.12 (IR version 8, operator set 17); operators RNN-14 and Squeeze-13.
 */
export function toOnnx(layers: Layers, steps: number): Uint8Array {
  const hidden = layers.input.length
  const unusedRecurrentBias = new Float32Array(hidden)
  const graph = message([
    ...[
      node('Transpose', ['x'], ['steps_first'], [intsAttribute('perm', [1, 0, 2])]),
      node(
        'RNN',
        ['steps_first', 'W', 'R', 'B'],
        ['states'],
        [stringsAttribute('activations', ['Relu']), intAttribute('hidden_size', hidden)],
      ),
      node('MatMul', ['states', 'dense'], ['weighted']),
      node('Add', ['weighted', 'dense_bias'], ['answers']),
      node('Squeeze', ['answers', 'direction'], ['answers_steps_first']),
      node('Transpose', ['answers_steps_first'], ['y'], [intsAttribute('perm', [1, 0, 2])]),
    ].map(content => bytes(1, content)),
    text(2, 'forecast'),
    ...[
      floats('W', [1, hidden, 1], layers.input),
      floats('R', [1, hidden, hidden], transpose(layers.recurrent, hidden)),
      floats('B', [1, 2 * hidden], [...layers.bias, ...unusedRecurrentBias]),
      floats('dense', [hidden, 1], layers.dense),
      floats('dense_bias', [1], [layers.denseBias]),
      int64s('direction', [1]),
    ].map(content => bytes(5, content)),
    bytes(11, valueInfo('x', ['n', steps, 1])),
    bytes(12, valueInfo('y', ['n', steps, 1])),
  ])
  const operatorSet = message([text(1, ''), integer(2, 17)])
  return message([integer(1, 8), text(2, 'regatta-example-forecast'), bytes(7, graph), bytes(8, operatorSet)])
}

/** RNN wants [to, from]. */
function transpose(square: Float32Array, size: number): Float32Array {
  return square.map((_, i) => square[(i % size) * size + Math.floor(i / size)] ?? 0)
}

// The messages of onnx.proto3; numbers are its field numbers.

function node(operator: string, inputs: string[], outputs: string[], attributes: Uint8Array[] = []): Uint8Array {
  return message([
    ...inputs.map(name => text(1, name)),
    ...outputs.map(name => text(2, name)),
    text(4, operator),
    ...attributes.map(attribute => bytes(5, attribute)),
  ])
}

const ATTRIBUTE_TYPE = { int: 2, ints: 7, strings: 8 } as const

const intAttribute = (name: string, value: number): Uint8Array =>
  message([text(1, name), integer(3, value), integer(20, ATTRIBUTE_TYPE.int)])
const intsAttribute = (name: string, values: readonly number[]): Uint8Array =>
  message([text(1, name), ...values.map(value => integer(8, value)), integer(20, ATTRIBUTE_TYPE.ints)])
const stringsAttribute = (name: string, values: readonly string[]): Uint8Array =>
  message([text(1, name), ...values.map(value => text(9, value)), integer(20, ATTRIBUTE_TYPE.strings)])

const DATA_TYPE = { float: 1, int64: 7 } as const

function floats(name: string, shape: readonly number[], values: Iterable<number>): Uint8Array {
  const content = Float32Array.from(values)
  return tensor(name, shape, DATA_TYPE.float, new Uint8Array(content.buffer))
}

function int64s(name: string, values: readonly number[]): Uint8Array {
  const content = BigInt64Array.from(values, BigInt)
  return tensor(name, [values.length], DATA_TYPE.int64, new Uint8Array(content.buffer))
}

/** `raw` is little-endian, as the specification wants and every platform of Node is. */
function tensor(name: string, shape: readonly number[], type: number, raw: Uint8Array): Uint8Array {
  return message([...shape.map(size => integer(1, size)), integer(2, type), text(8, name), bytes(9, raw)])
}

function valueInfo(name: string, shape: readonly (number | string)[]): Uint8Array {
  const dimensions = shape.map(size => message([typeof size === 'string' ? text(2, size) : integer(1, size)]))
  const tensorType = message([
    integer(1, DATA_TYPE.float),
    bytes(2, message(dimensions.map(dimension => bytes(1, dimension)))),
  ])
  return message([text(1, name), bytes(2, message([bytes(1, tensorType)]))])
}

// Protocol Buffers, "Encoding": a field is its number and wire type, then a varint, or a length and bytes.

const message = (fields: readonly Uint8Array[]): Uint8Array => Buffer.concat(fields)
const integer = (field: number, value: number): Uint8Array => Buffer.concat([varint(field << 3), varint(value)])
const text = (field: number, value: string): Uint8Array => bytes(field, Buffer.from(value))
const bytes = (field: number, value: Uint8Array): Uint8Array =>
  Buffer.concat([varint((field << 3) | 2), varint(value.length), value])

function varint(value: number): Uint8Array {
  const groups: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...groups, rest])
    groups.push((rest % 128) | 128)
  }
}

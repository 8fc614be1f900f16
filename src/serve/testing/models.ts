import { type OnnxType, toModel, type Value } from './onnx-model.ts'

const x = (shape: Value['shape'], dtype: OnnxType = 'float32'): Value => ({ name: 'x', dtype, shape })
const y = (shape: Value['shape'], dtype: OnnxType = 'float32'): Value => ({ name: 'y', dtype, shape })

/** y = x, for any type and shape. */
export const toIdentity = (dtype: OnnxType, shape: Value['shape']): Uint8Array =>
  toModel({
    nodes: [{ operator: 'Identity', inputs: ['x'], outputs: ['y'] }],
    inputs: [x(shape, dtype)],
    outputs: [y(shape, dtype)],
  })

/** y = 2 · x, shape [rows, 2], rows free unless given. */
export const toDouble = (rows: number | string = 'batch'): Uint8Array =>
  toModel({
    nodes: [{ operator: 'Add', inputs: ['x', 'x'], outputs: ['y'] }],
    inputs: [x([rows, 2])],
    outputs: [y([rows, 2])],
  })

/** x itself, and y = 2 · x. */
export const toPassing = (): Uint8Array =>
  toModel({
    nodes: [{ operator: 'Add', inputs: ['x', 'x'], outputs: ['y'] }],
    inputs: [x(['batch'])],
    outputs: [x(['batch']), y(['batch'])],
  })

/** sum = a + b and difference = a - b, shape [batch, 1] all. */
export const toTwoByTwo = (): Uint8Array => {
  const value = (name: string): Value => ({ name, dtype: 'float32', shape: ['batch', 1] })
  return toModel({
    nodes: [
      { operator: 'Add', inputs: ['a', 'b'], outputs: ['sum'] },
      { operator: 'Sub', inputs: ['a', 'b'], outputs: ['difference'] },
    ],
    inputs: [value('a'), value('b')],
    outputs: [value('sum'), value('difference')],
  })
}

/** y = the constants 10, 20, 30 at the places x: other places make the run fail. */
export const toGather = (): Uint8Array =>
  toModel({
    nodes: [{ operator: 'Gather', inputs: ['table', 'x'], outputs: ['y'] }],
    inputs: [x(['batch'], 'int64')],
    outputs: [y(['batch'])],
    constants: { table: { shape: [3], values: Float32Array.of(10, 20, 30) } },
  })

/** y = x, [1, 1], after matrix products that take tens of milliseconds or more. */
export const toSlow = (products = 4): Uint8Array => {
  const size = 512
  // The unit matrix, so that the answer is known.
  const values = new Float32Array(size * size).map((_, at) => (at % (size + 1) === 0 ? 1 : 0))
  return toModel({
    nodes: [
      { operator: 'Mul', inputs: ['x', 'w'], outputs: ['p0'] },
      ...Array.from({ length: products }, (_, at) => ({
        operator: 'MatMul',
        inputs: [`p${at}`, `p${at}`],
        outputs: [`p${at + 1}`],
      })),
      { operator: 'ReduceMax', inputs: [`p${products}`], outputs: ['y'] },
    ],
    inputs: [x([1, 1])],
    outputs: [y([1, 1])],
    constants: { w: { shape: [size, size], values } },
  })
}

/** y = the sum of each row of x, [batch, n], which can be run with one n alone. */
export const toRowSum = (size: number): Uint8Array =>
  toModel({
    nodes: [{ operator: 'MatMul', inputs: ['x', 'ones'], outputs: ['y'] }],
    inputs: [x(['batch', 'n'])],
    outputs: [y(['batch', 1])],
    constants: { ones: { shape: [size, 1], values: new Float32Array(size).fill(1) } },
  })

/** A model whose every run fails: it looks up places in an empty table. */
export const toFailing = (): Uint8Array =>
  toModel({
    nodes: [{ operator: 'Gather', inputs: ['table', 'x'], outputs: ['y'] }],
    inputs: [x([2], 'int64')],
    outputs: [y([2])],
    constants: { table: { shape: [0], values: new Float32Array() } },
  })

/** A model whose output is a sequence. */
export const toSequence = (): Uint8Array =>
  toModel({
    nodes: [{ operator: 'SequenceConstruct', inputs: ['x'], outputs: ['y'] }],
    inputs: [x(['batch'])],
    outputs: [{ ...y(['batch']), isSequence: true }],
  })

/** Weights that repeat, small enough to keep sums in bounds. */
const toWeights = (shape: readonly number[]): { shape: readonly number[]; values: Float32Array } => {
  const count = shape.reduce((product, size) => product * size, 1)
  return { shape, values: Float32Array.from({ length: count }, (_, at) => (((at * 37) % 101) - 50) / 1000) }
}

/** y = the state of each step of an RNN of `units` relu units, through one linear unit: [batch, steps, 1] to the same. */
export const toRnn = (steps = 100, units = 100): Uint8Array =>
  toModel({
    nodes: [
      { operator: 'Transpose', inputs: ['x'], outputs: ['x_steps'], attributes: { perm: [1, 0, 2] } },
      {
        operator: 'RNN',
        inputs: ['x_steps', 'w', 'r', 'b'],
        outputs: ['states'],
        attributes: { hidden_size: units, activations: ['Relu'] },
      },
      { operator: 'Squeeze', inputs: ['states', 'direction'], outputs: ['by_step'] },
      { operator: 'Transpose', inputs: ['by_step'], outputs: ['by_row'], attributes: { perm: [1, 0, 2] } },
      { operator: 'MatMul', inputs: ['by_row', 'v'], outputs: ['y'] },
    ],
    inputs: [x(['batch', steps, 1])],
    outputs: [y(['batch', steps, 1])],
    constants: {
      w: toWeights([1, units, 1]),
      r: toWeights([1, units, units]),
      b: toWeights([1, 2 * units]),
      v: toWeights([units, 1]),
      direction: { shape: [1], values: BigInt64Array.of(1n) },
    },
  })

/** y = a layer of 16 relu units and one of 3 on x: [batch, 4] to [batch, 3]. */
export const toMlp = (): Uint8Array =>
  toModel({
    nodes: [
      { operator: 'MatMul', inputs: ['x', 'w'], outputs: ['products'] },
      { operator: 'Relu', inputs: ['products'], outputs: ['hidden'] },
      { operator: 'MatMul', inputs: ['hidden', 'v'], outputs: ['scores'] },
      { operator: 'Softmax', inputs: ['scores'], outputs: ['y'] },
    ],
    inputs: [x(['batch', 4])],
    outputs: [y(['batch', 3])],
    constants: { w: toWeights([4, 16]), v: toWeights([16, 3]) },
  })

/** y = x less the mean of all rows: rows depend on each other. */
export const toMixing = (): Uint8Array =>
  toModel({
    nodes: [
      { operator: 'ReduceMean', inputs: ['x'], outputs: ['mean'], attributes: { axes: [0], keepdims: 1 } },
      { operator: 'Sub', inputs: ['x', 'mean'], outputs: ['y'] },
    ],
    inputs: [x(['batch', 2])],
    outputs: [y(['batch', 2])],
  })

/** y = all elements of x in one row after the other: its first dimension is called free, but is not the rows'. */
export const toFlat = (): Uint8Array =>
  toModel({
    nodes: [{ operator: 'Reshape', inputs: ['x', 'flat'], outputs: ['y'] }],
    inputs: [x(['batch', 2])],
    outputs: [y(['elements'])],
    constants: { flat: { shape: [1], values: BigInt64Array.of(-1n) } },
  })

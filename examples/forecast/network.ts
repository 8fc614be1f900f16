import { toRandom } from './random.ts'

/**
 * The weights of a basic recurrent network with relu units and a dense layer to one answer, as one square matrix.
 *
 * A state is the row [hidden… | x | 1 | 0…]. State · matrix = [next hidden before relu… | answer | 0…], so that the
 * recurrent weights, the input's, both biases and the dense layer are blocks of it:
 *
 * | row      | columns 0 … hidden-1 | column hidden |
 * |----------|----------------------|---------------|
 * | hidden…  | recurrent            | dense         |
 * | x        | input                | 0             |
 * | 1        | bias                 | dense bias    |
 */
export interface Network {
  readonly hidden: number
  /** Rows and columns of the matrix: hidden + 2, filled up with zeros to a multiple of 8. */
  readonly width: number
  readonly matrix: Float32Array
}

/** The same weights layer by layer. `recurrent` has shape [from, to]; biases of the units have shape [hidden]. */
export interface Layers {
  readonly input: Float32Array
  readonly recurrent: Float32Array
  readonly bias: Float32Array
  readonly dense: Float32Array
  readonly denseBias: number
}

/** Width of the matrix of a network with so many units. */
export const toWidth = (hidden: number): number => Math.ceil((hidden + 2) / 8) * 8

/**
 * Draws a network's first weights as TensorFlow does for `BasicRNNCell` and `dense`: Glorot-uniform kernels (the
 * cell's joins input and recurrent weights: 1 + hidden in, hidden out), biases 0.
 *
 * Source: Glorot and Bengio 2010, equation 16: uniform within ±sqrt(6 / (in + out)).
 */
export function toNetwork(hidden: number, seed: number): Network {
  const random = toRandom(seed)
  const draw = (length: number, fanIn: number, fanOut: number): Float32Array => {
    const limit = Math.sqrt(6 / (fanIn + fanOut))
    return Float32Array.from({ length }, () => random(-limit, limit))
  }
  return joinLayers({
    input: draw(hidden, 1 + hidden, hidden),
    recurrent: draw(hidden * hidden, 1 + hidden, hidden),
    bias: new Float32Array(hidden),
    dense: draw(hidden, hidden, 1),
    denseBias: 0,
  })
}

/** Lays the layers out as one matrix. */
export function joinLayers(layers: Layers): Network {
  const hidden = layers.input.length
  const width = toWidth(hidden)
  const matrix = new Float32Array(width * width)
  for (let unit = 0; unit < hidden; unit++) {
    matrix.set(layers.recurrent.subarray(unit * hidden, (unit + 1) * hidden), unit * width)
    matrix.set(layers.dense.subarray(unit, unit + 1), unit * width + hidden)
  }
  matrix.set(layers.input, hidden * width)
  matrix.set(layers.bias, (hidden + 1) * width)
  matrix[(hidden + 1) * width + hidden] = layers.denseBias
  return { hidden, width, matrix }
}

/** Takes the layers out of the matrix. */
export function splitLayers({ hidden, width, matrix }: Network): Layers {
  const readRow = (row: number): Float32Array => matrix.slice(row * width, row * width + hidden)
  const units = Array.from({ length: hidden }, (_, unit) => unit)
  const recurrent = new Float32Array(hidden * hidden)
  for (const unit of units) recurrent.set(readRow(unit), unit * hidden)
  return {
    input: readRow(hidden),
    recurrent,
    bias: readRow(hidden + 1),
    dense: Float32Array.from(units, unit => matrix[unit * width + hidden] ?? 0),
    denseBias: matrix[(hidden + 1) * width + hidden] ?? 0,
  }
}

import type { Cell } from './cell.ts'
import type { Steps } from './steps.ts'
import { readDims, readSum } from './sum.ts'
import { Unmatched } from './view.ts'

/** The activations that a step may end in. */
export const ACTIVATIONS: readonly string[] = ['Relu', 'Tanh', 'Sigmoid']

/**
 * Reads the cell of a simple RNN: `f(x·W + h·R + b)`.
 * Source: onnx.ai/onnx/operators, RNN; keras.io/api/layers/recurrent_layers/simple_rnn. @throws Unmatched
 */
export function matchSimple(steps: Steps): Cell {
  const node = steps.view.produce(steps.after)
  const { bias, input, state } = readSum(steps, node?.inputs[0] ?? '')
  if (node === undefined || input === undefined || state === undefined) {
    throw new Unmatched('a step is not the sum of an input and a state, each times a matrix')
  }
  const [hidden = 0, ...width] = readDims(steps, state.weights, 2)
  const sizes = [
    ...width,
    readDims(steps, input.weights, 2)[1],
    ...(bias === undefined ? [] : readDims(steps, bias, 1)),
  ]
  if (sizes.some(size => size !== hidden)) throw new Unmatched('its weights are of unequal sizes')
  return {
    ...{ operator: 'RNN', sequence: input.sequence, hidden, gates: 1 },
    ...{ kernel: input.weights, recurrent: state.weights, bias, hasTwoBiases: false },
    attributes: { activations: [node.op] },
  }
}

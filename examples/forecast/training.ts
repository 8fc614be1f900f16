import { toAdam } from './adam.ts'
import type { Network } from './network.ts'
import { openRnn } from './rnn.ts'
import { toThreads } from './team.ts'
import type { Windows } from './windows.ts'

/** The training's state after `epoch` epochs: sum and mean of the squared errors over all windows and steps. */
export interface Epoch {
  readonly epoch: number
  readonly loss: number
  readonly mse: number
}

/** How to train: every epoch is one step of Adam on all windows. */
export interface TrainingOptions {
  readonly epochs: number
  readonly learningRate: number
  /** The outcome is the same to the bit. @default as many as are worth while */
  readonly threads?: number
}

/** Trains a network on the sum of squared errors, telling of every epoch; the given network is left as it is. */
export function trainNetwork(
  network: Network,
  { count, steps, x, y }: Windows,
  { epochs, learningRate, threads }: TrainingOptions,
  onEpoch: (epoch: Epoch) => void = () => {},
): Network {
  const shape = { hidden: network.hidden, windows: count, steps }
  using rnn = openRnn(shape, { threads: threads ?? toThreads(shape) })
  rnn.weights.set(network.matrix)
  const step = toAdam(rnn.weights, { learningRate })
  let errors = toErrors(rnn.forward(x), y)
  for (let epoch = 1; epoch <= epochs; epoch++) {
    rnn.backward(errors.map(error => 2 * error))
    step(rnn.gradient)
    errors = toErrors(rnn.forward(x), y)
    const loss = toSquaredSum(errors)
    onEpoch({ epoch, loss, mse: loss / errors.length })
  }
  return { ...network, matrix: Float32Array.from(rnn.weights) }
}

const toErrors = (answers: Float64Array, y: Float32Array): Float64Array =>
  answers.map((answer, i) => answer - (y[i] ?? Number.NaN))

const toSquaredSum = (errors: Float64Array): number => errors.reduce((sum, error) => sum + error * error, 0)

import { toWasmMultiplier } from './gemm.ts'
import type { Network } from './network.ts'
import { type RnnShape, toLayout } from './rnn-part.ts'
import { type OpenMultiplier, openTeam } from './team.ts'

/** A network at work on one batch. `weights` and `gradient` are square matrices as in `Network`. */
export interface Rnn extends Disposable {
  readonly weights: Float32Array | Float64Array
  readonly gradient: Float32Array | Float64Array
  /** Answers inputs of shape [windows, steps] in the same shape; hidden states start at 0. */
  forward(x: Float32Array): Float64Array
  /** Fills `gradient` from the slopes of the loss by each answer of the last `forward`, shape [windows, steps]. */
  backward(slopes: Float64Array): void
}

/** How to work: the outcome is the same to the bit. */
export interface RnnOptions {
  /** Threads to work on, this one included; only the WebAssembly multiplier can have more than one. @default 1 */
  readonly threads?: number
  /** @default toWasmMultiplier */
  readonly openMultiplier?: OpenMultiplier
}

/** Opens a network of that shape with all weights 0; the caller writes them. It must be closed. */
export function openRnn(shape: RnnShape, { threads = 1, openMultiplier = toWasmMultiplier }: RnnOptions = {}): Rnn {
  const { hidden } = shape
  const batch = shape.windows * shape.steps
  const layout = toLayout(shape)
  const { width } = layout
  const team = openTeam(shape, { threads, openMultiplier })
  const { memory } = team
  const view = (at: number, length: number): Float32Array | Float64Array => memory.subarray(at, at + length)

  // Hidden columns are cut off below 0, the answer's is not.
  memory[layout.bounds + hidden] = Number.NEGATIVE_INFINITY

  const transposeWeights = (): void => {
    for (let from = 0; from < hidden; from++) {
      for (let to = 0; to <= hidden; to++) {
        memory[layout.transposed + to * width + from] = memory[layout.weights + from * width + to] ?? 0
      }
    }
  }
  return {
    weights: view(layout.weights, width * width),
    gradient: view(layout.gradient, width * width),
    forward(x) {
      view(layout.inputs, batch).fill(0)
      memory.set(x, layout.inputs)
      team.work('forward')
      return Float64Array.from(view(layout.answers, batch))
    },
    backward(slopes) {
      memory.set(slopes, layout.answerSlopes)
      transposeWeights()
      team.work('backward')
      team.work('gradient')
      // The input reaches the answer through the hidden units alone.
      memory[layout.gradient + hidden * width + hidden] = 0
    },
    [Symbol.dispose]: () => team[Symbol.dispose](),
  }
}

/** Answers any number of windows of `steps` values, batch by batch; the same shape comes back. */
export function predict(network: Network, x: Float32Array, steps: number): Float64Array {
  const windows = 64
  using rnn = openRnn({ hidden: network.hidden, windows, steps })
  rnn.weights.set(network.matrix)
  const answers = new Float64Array(x.length)
  for (let at = 0; at < x.length; at += windows * steps) {
    const batch = rnn.forward(x.subarray(at, at + windows * steps))
    answers.set(batch.subarray(0, x.length - at), at)
  }
  return answers
}

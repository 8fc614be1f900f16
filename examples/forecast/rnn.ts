import { type Multiplier, toWasmMultiplier } from './gemm.ts'
import { type Network, toWidth } from './network.ts'

/** Sizes of one batch: all its windows go through the network at once. */
export interface RnnShape {
  readonly hidden: number
  readonly windows: number
  readonly steps: number
}

/** A network at work on one batch. `weights` and `gradient` are square matrices as in `Network`. */
export interface Rnn {
  readonly weights: Float32Array | Float64Array
  readonly gradient: Float32Array | Float64Array
  /** Answers inputs of shape [windows, steps] in the same shape; hidden states start at 0. */
  forward(x: Float32Array): Float64Array
  /** Fills `gradient` from the slopes of the loss by each answer of the last `forward`, shape [windows, steps]. */
  backward(slopes: Float64Array): void
}

/**
 * Opens a network of that shape with all weights 0; the caller writes them.
 *
 * With S[t] the states (see `Network`) before input t and P[t] = S[t]·W, the next states are relu(P[t]) in the hidden
 * columns, and P[t + 1] holds the answers to input t in the column after them. Going back through time, with D[t] the
 * slopes of the loss by P[t]: D[t - 1] = D[t]·Wᵀ where S[t] is above 0, and the gradient is the sum of S[t]ᵀ·D[t].
 */
export function openRnn(shape: RnnShape, openMultiplier: (length: number) => Multiplier = toWasmMultiplier): Rnn {
  const { hidden, windows, steps } = shape
  const width = toWidth(hidden)
  const rows = Math.ceil(windows / 4) * 4
  const slab = rows * width
  // Memory: states of steps + 2 moments, slopes of steps + 1, weights, transposed weights, gradient, lower bounds.
  const states = 0
  const slopes = states + (steps + 2) * slab
  const weights = slopes + (steps + 1) * slab
  const transposed = weights + width * width
  const gradient = transposed + width * width
  const bounds = gradient + width * width
  const multiplier = openMultiplier(bounds + width)
  const { memory } = multiplier
  const view = (at: number): Float32Array | Float64Array => memory.subarray(at, at + width * width)

  // Hidden columns are cut off below 0, the answer's is not.
  memory[bounds + hidden] = Number.NEGATIVE_INFINITY

  const stepForward = (t: number): void =>
    multiplier.floor({
      ...{ a: states + t * slab, aRow: width, aStep: 1, rows },
      ...{ b: weights, bStep: width, columns: width, depth: hidden + 2 },
      ...{ c: states + (t + 1) * slab, cRow: width, gate: bounds, gateRow: 0 },
    })
  const stepBack = (t: number): void =>
    multiplier.gate({
      ...{ a: slopes + t * slab, aRow: width, aStep: 1, rows },
      ...{ b: transposed, bStep: width, columns: width, depth: hidden + 1 },
      ...{ c: slopes + (t - 1) * slab, cRow: width, gate: states + t * slab, gateRow: width },
    })
  const addGradient = (t: number): void =>
    multiplier.add({
      ...{ a: states + t * slab, aRow: 1, aStep: width, rows: width },
      ...{ b: slopes + t * slab, bStep: width, columns: width, depth: windows },
      ...{ c: gradient, cRow: width },
    })

  const transposeWeights = (): void => {
    for (let from = 0; from < hidden; from++) {
      for (let to = 0; to <= hidden; to++) {
        memory[transposed + to * width + from] = memory[weights + from * width + to] ?? 0
      }
    }
  }
  /** Position of the column after the hidden ones, in the row of a window in a slab. */
  const toCell = (slabAt: number, window: number): number => slabAt + window * width + hidden

  const putInputs = (x: Float32Array, t: number): void => {
    for (let window = 0; window < windows; window++) {
      const cell = toCell(states + t * slab, window)
      memory[cell] = t < steps ? (x[window * steps + t] ?? 0) : 0
      memory[cell + 1] = 1
    }
  }
  const takeAnswers = (answers: Float64Array, t: number): void => {
    for (let window = 0; window < windows; window++) {
      answers[window * steps + t] = memory[toCell(states + (t + 2) * slab, window)] ?? 0
    }
  }
  const putSlopes = (answerSlopes: Float64Array, t: number): void => {
    for (let window = 0; window < windows; window++) {
      memory[toCell(slopes + (t + 1) * slab, window)] = t < 0 ? 0 : (answerSlopes[window * steps + t] ?? 0)
    }
  }

  return {
    weights: view(weights),
    gradient: view(gradient),
    forward(x) {
      const answers = new Float64Array(windows * steps)
      for (let t = 0; t <= steps; t++) {
        putInputs(x, t)
        stepForward(t)
        if (t > 0) takeAnswers(answers, t - 1)
      }
      return answers
    },
    backward(answerSlopes) {
      transposeWeights()
      memory.fill(0, gradient, gradient + width * width)
      for (let t = steps; t >= 0; t--) {
        if (t < steps) stepBack(t + 1)
        putSlopes(answerSlopes, t - 1)
        addGradient(t)
      }
      // The input reaches the answer through the hidden units alone.
      memory[toCell(gradient, hidden)] = 0
    },
  }
}

/** Answers any number of windows of `steps` values, batch by batch; the same shape comes back. */
export function predict(network: Network, x: Float32Array, steps: number): Float64Array {
  const windows = 64
  const rnn = openRnn({ hidden: network.hidden, windows, steps })
  rnn.weights.set(network.matrix)
  const answers = new Float64Array(x.length)
  for (let at = 0; at < x.length; at += windows * steps) {
    const batch = rnn.forward(x.subarray(at, at + windows * steps))
    answers.set(batch.subarray(0, x.length - at), at)
  }
  return answers
}

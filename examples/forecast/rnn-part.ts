import type { Multiplier } from './gemm.ts'
import { toWidth } from './network.ts'

/** Sizes of one batch: all its windows go through the network at once. */
export interface RnnShape {
  readonly hidden: number
  readonly windows: number
  readonly steps: number
}

/** Where everything lies in a multiplier's memory; positions count floats. */
export interface Layout {
  /** Moments 0 … steps + 1, each `slab` floats: a row of `width` for every window, filled up to `rows`. */
  readonly states: number
  /** Slopes of the loss by the products of moments 0 … steps, laid out as the states. */
  readonly slopes: number
  readonly rows: number
  readonly width: number
  readonly slab: number
  /** Square matrices. */
  readonly weights: number
  readonly transposed: number
  readonly gradient: number
  /** One row: what each column of a state is cut off below. */
  readonly bounds: number
  /** Shape [windows, steps] each: what is asked, what is answered, and the slopes of the loss by the answers. */
  readonly inputs: number
  readonly answers: number
  readonly answerSlopes: number
  readonly length: number
}

/** Lays out the memory of a batch. */
export function toLayout({ hidden, windows, steps }: RnnShape): Layout {
  const width = toWidth(hidden)
  const rows = Math.ceil(windows / 4) * 4
  const slab = rows * width
  const square = width * width
  const batch = windows * steps
  const sizes = [(steps + 2) * slab, (steps + 1) * slab, square, square, square, width, batch, batch, batch]
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0))
  const [states = 0, slopes = 0, weights = 0, transposed = 0, gradient = 0, bounds = 0] = starts
  const [inputs = 0, answers = 0, answerSlopes = 0] = starts.slice(6)
  const length = answerSlopes + batch
  return {
    ...{ states, slopes, rows, width, slab, weights, transposed, gradient },
    ...{ bounds, inputs, answers, answerSlopes, length },
  }
}

/** One stage of an epoch. Each works on what the one before has left in the memory. */
export type Stage = 'forward' | 'backward' | 'gradient'

/**
 * Makes part `index` of `parts` of the work on a batch: the parts write to different places of one memory, and what
 * they leave does not depend on their number.
 *
 * With S[t] the states (see `Network`) before input t and P[t] = S[t]·W, the next states are relu(P[t]) in the hidden
 * columns, and P[t + 1] holds the answers to input t in the column after them. Going back through time, with D[t] the
 * slopes of the loss by P[t]: D[t - 1] = D[t]·Wᵀ where S[t] is above 0, and the gradient is the sum of S[t]ᵀ·D[t].
 * Forward and backward a part has some of the windows; of the gradient it has some of the rows.
 */
export function toPart(
  { hidden, windows, steps }: RnnShape,
  multiplier: Multiplier,
  { index, parts }: { readonly index: number; readonly parts: number },
): Readonly<Record<Stage, () => void>> {
  const layout = toLayout({ hidden, windows, steps })
  const { memory } = multiplier
  const { width, slab } = layout
  const own = toShare(layout.rows, index, parts)
  const ownWindows = Array.from({ length: Math.min(own.end, windows) - own.start }, (_, i) => own.start + i)
  const ownUnits = toShare(width, index, parts)

  const toStates = (t: number): number => layout.states + t * slab
  const toSlopes = (t: number): number => layout.slopes + t * slab
  /** Position of the column after the hidden ones, in the row of a window in a slab. */
  const toCell = (slabAt: number, window: number): number => slabAt + window * width + hidden

  const stepForward = (t: number): void =>
    multiplier.floor({
      ...{ a: toStates(t) + own.start * width, aRow: width, aStep: 1, rows: own.end - own.start },
      ...{ b: layout.weights, bStep: width, columns: width, depth: hidden + 2 },
      ...{ c: toStates(t + 1) + own.start * width, cRow: width, gate: layout.bounds, gateRow: 0 },
    })
  const stepBack = (t: number): void =>
    multiplier.gate({
      ...{ a: toSlopes(t) + own.start * width, aRow: width, aStep: 1, rows: own.end - own.start },
      ...{ b: layout.transposed, bStep: width, columns: width, depth: hidden + 1 },
      ...{ c: toSlopes(t - 1) + own.start * width, cRow: width },
      ...{ gate: toStates(t) + own.start * width, gateRow: width },
    })
  const addGradient = (t: number): void =>
    multiplier.add({
      ...{ a: toStates(t) + ownUnits.start, aRow: 1, aStep: width, rows: ownUnits.end - ownUnits.start },
      ...{ b: toSlopes(t), bStep: width, columns: width, depth: windows },
      ...{ c: layout.gradient + ownUnits.start * width, cRow: width },
    })

  const putInputs = (t: number): void => {
    for (const window of ownWindows) {
      const cell = toCell(toStates(t), window)
      memory[cell] = t < steps ? (memory[layout.inputs + window * steps + t] ?? 0) : 0
      memory[cell + 1] = 1
    }
  }
  const takeAnswers = (t: number): void => {
    for (const window of ownWindows) {
      memory[layout.answers + window * steps + t] = memory[toCell(toStates(t + 2), window)] ?? 0
    }
  }
  const putSlopes = (t: number): void => {
    for (const window of ownWindows) {
      const slope = t < 0 ? 0 : (memory[layout.answerSlopes + window * steps + t] ?? 0)
      memory[toCell(toSlopes(t + 1), window)] = slope
    }
  }

  return {
    forward() {
      for (let t = 0; t <= steps; t++) {
        putInputs(t)
        stepForward(t)
        if (t > 0) takeAnswers(t - 1)
      }
    },
    backward() {
      for (let t = steps; t >= 0; t--) {
        if (t < steps) stepBack(t + 1)
        putSlopes(t - 1)
      }
    },
    gradient() {
      memory.fill(0, layout.gradient + ownUnits.start * width, layout.gradient + ownUnits.end * width)
      for (let t = steps; t >= 0; t--) addGradient(t)
    },
  }
}

/** A part's rows of so many (a multiple of 4): whole tiles of 4, as evenly as they go. */
function toShare(rows: number, index: number, parts: number): { readonly start: number; readonly end: number } {
  const toRow = (part: number): number => Math.round((part * rows) / 4 / parts) * 4
  return { start: toRow(index), end: toRow(index + 1) }
}

import { matchGru } from './gru.ts'
import { ACTIVATIONS, matchSimple } from './simple.ts'
import type { Steps } from './steps.ts'
import { Unmatched } from './view.ts'

/** What a loop computes in each step, with what ONNX's own operator needs for it. Weights are names of tensors. */
export interface Cell {
  readonly operator: 'RNN' | 'GRU'
  /** The tensor that the loop goes over: [time, batch, input]. */
  readonly sequence: string
  /** Size of the state. */
  readonly hidden: number
  /** How many matrices lie side by side in the weights. */
  readonly gates: number
  /** [input, gates · hidden] */
  readonly kernel: string
  /** [hidden, gates · hidden] */
  readonly recurrent: string
  /** [gates · hidden] of the input, or [2, gates · hidden] of input and state; undefined where there is none. */
  readonly bias: string | undefined
  readonly hasTwoBiases: boolean
  readonly attributes: Readonly<Record<string, number | readonly string[]>>
}

/** Reads the cell of a loop by how its steps end. @throws Unmatched */
export function matchCell(steps: Steps): Cell {
  const op = steps.view.produce(steps.after)?.op ?? ''
  if (ACTIVATIONS.includes(op)) return matchSimple(steps)
  if (op === 'Add') return matchGru(steps)
  throw new Unmatched(`a step ends in ${op === '' ? 'what it began with' : op}`)
}

import type { Cell } from './cell.ts'
import type { Attribute } from './graph.ts'
import type { Steps } from './steps.ts'
import { readDims, readSum } from './sum.ts'
import { Unmatched, type View } from './view.ts'

/** Update, reset, candidate: in this order in Keras and in ONNX. */
const GATES = 3

/**
 * Reads the cell of a GRU whose reset gate comes after the matrix product, Keras' default:
 * `z = σ(x₀ + h₀)`, `r = σ(x₁ + h₁)`, `c = tanh(x₂ + r·h₂)`, and then `z·h + (1 - z)·c`, where x₀, x₁, x₂ are the thirds
 * of `x·W + a`, and h₀, h₁, h₂ those of `h·R + b`.
 * Source: onnx.ai/onnx/operators, GRU with linear_before_reset; keras.io/api/layers/recurrent_layers/gru.
 * @throws Unmatched
 */
export function matchGru(steps: Steps): Cell {
  const { before, view } = steps
  const take = (name: string, op: string): readonly string[] => takeInputs(view, name, op)
  const isOf = (op: string) => (name: string) => view.produce(name)?.op === op
  const isOld = (name: string): boolean =>
    view.produce(name)?.inputs.some(input => view.trace(input) === before) ?? false
  const [old, fresh] = order(take(steps.after, 'Add'), isOld)
  const [, z] = order(take(old, 'Mul'), name => name === before)
  const [rest, candidate] = order(take(fresh, 'Mul'), isOf('Sub'))
  const [one = '', update] = take(rest, 'Sub')
  if (update !== z || view.constant(one)?.read()?.join() !== '1')
    throw new Unmatched('a step mixes otherwise than a GRU')
  const [inner = ''] = take(candidate, 'Tanh')
  const [product, x2] = order(take(inner, 'Add'), isOf('Mul'))
  const [r, h2] = order(take(product, 'Mul'), isOf('Sigmoid'))
  const [zSum = '', rSum = ''] = [z, r].flatMap(gate => take(gate, 'Sigmoid'))
  return toCell(steps, [take(zSum, 'Add'), take(rSum, 'Add'), [x2, h2]])
}

/** The cell whose gates each add these two values, in whatever order. */
function toCell(steps: Steps, gates: readonly (readonly string[])[]): Cell {
  const parts = gates.map(names => names.map(name => readPart(steps.view, name)))
  const sums = [...new Set(parts.flat().map(({ whole }) => whole))].map(whole => ({ whole, ...readSum(steps, whole) }))
  const x = sums.find(({ input, state }) => input !== undefined && state === undefined)
  const h = sums.find(({ input, state }) => input === undefined && state !== undefined)
  if (x?.input === undefined || h?.state === undefined || sums.length !== 2) {
    throw new Unmatched('its gates are not made of an input and a state')
  }
  const [hidden = 0, width] = readDims(steps, h.state.weights, 2)
  const isRight = parts.every(
    (pair, index) => pair[0]?.whole !== pair[1]?.whole && pair.every(({ isThird }) => isThird(index, hidden)),
  )
  if (!isRight) throw new Unmatched('its gates are not in the order of a GRU')
  const bias = readBias(steps.view, x.bias, h.bias)
  const biasWidths = bias === undefined ? [] : readDims(steps, bias, 2).slice(1)
  const widths = [width, ...readDims(steps, x.input.weights, 2).slice(1), ...biasWidths]
  if (widths.some(size => size !== GATES * hidden)) throw new Unmatched('its weights are of unequal sizes')
  return {
    ...{ operator: 'GRU', sequence: x.input.sequence, hidden, gates: GATES },
    ...{ kernel: x.input.weights, recurrent: h.state.weights, bias, hasTwoBiases: true },
    attributes: { linear_before_reset: 1 },
  }
}

/** A part of a value's columns. */
interface Part {
  readonly whole: string
  /** Whether it is the third of this number, from 0 on, each of so many columns. */
  readonly isThird: (index: number, columns: number) => boolean
}

function readPart(view: View, name: string): Part {
  const node = view.produce(name)
  const whole = view.trace(node?.inputs[0] ?? '')
  if (node?.op === 'Split' && isEven(node) && isColumns(toAxis(node.attributes))) {
    return { whole, isThird: index => node.outputs.length === GATES && node.outputs[index] === name }
  }
  if (node?.op !== 'Slice') throw new Unmatched('its gates are not parts of one product')
  const [starts = [], ends = [], axes = [], strides = []] = node.inputs
    .slice(1)
    .map(input => view.constant(input)?.read())
  const isThird: Part['isThird'] = (index, columns) =>
    axes.some(isColumns) &&
    strides.every(stride => stride === 1) &&
    axes.every((axis, at) => {
      const [start, end = 0] = [starts[at], ends[at]]
      if (!isColumns(axis)) return start === 0 && end >= OPEN_END
      return start === index * columns && (end === start + columns || (index === GATES - 1 && end >= OPEN_END))
    })
  return { whole, isThird }
}

/** What exporters write for "to the end". */
const OPEN_END = 2 ** 31 - 1
const isColumns = (axis: number): boolean => axis === 1 || axis === -1
const toAxis = (attributes: ReadonlyMap<string, Attribute>): number => attributes.get('axis')?.int ?? 0
const isEven = ({
  attributes,
  inputs,
}: {
  attributes: ReadonlyMap<string, Attribute>
  inputs: readonly string[]
}): boolean => inputs.length === 1 && !attributes.has('split')

/** The tensor [2, columns] whose first row is the input's bias, and whose second row is that of the state. */
function readBias(view: View, input: string | undefined, state: string | undefined): string | undefined {
  if (input === undefined && state === undefined) return undefined
  const [first, second] = [input, state].map((name, row) => {
    const [half = ''] = takeInputs(view, name ?? '', 'Squeeze')
    const node = view.produce(half)
    const isRow = node?.op === 'Split' && isEven(node) && toAxis(node.attributes) === 0 && node.outputs[row] === half
    return isRow ? view.trace(node.inputs[0] ?? '') : undefined
  })
  if (first === undefined || first !== second) throw new Unmatched('its biases are not the rows of one tensor')
  return first
}

/** The inputs of the operator that computes a value. */
function takeInputs(view: View, name: string, op: string): readonly string[] {
  const node = view.produce(view.trace(name))
  if (node?.op !== op) throw new Unmatched(`a step of a GRU has ${op} where it has ${node?.op ?? 'nothing'}`)
  return node.inputs.map(input => view.trace(input))
}

/** Two values, the one that it holds for first. */
function order([a = '', b = '']: readonly string[], isFirst: (name: string) => boolean): readonly [string, string] {
  if (isFirst(a)) return [a, b]
  if (isFirst(b)) return [b, a]
  throw new Unmatched('a step is neither that of a simple RNN nor that of a GRU')
}

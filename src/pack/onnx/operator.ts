import type { Cell } from './cell.ts'
import type { Steps } from './steps.ts'
import type { NewConstant, NewNode } from './write.ts'

/** What takes the place of a loop. */
export interface OperatorPart {
  readonly nodes: readonly NewNode[]
  readonly constants: readonly NewConstant[]
}

/**
 * The operator of a cell, with what turns Keras' weights and shapes into its own; `name` makes names. ONNX Runtime
 * computes what depends on weights alone once, when it loads the model. Source: onnx.ai/onnx/operators, RNN and GRU.
 *
 * ```
 * X [time, batch, input]              W [1, gates · hidden, input]    Y   [time, 1, batch, hidden]
 * B [1, 2 · gates · hidden]           R [1, gates · hidden, hidden]   Y_h [1, batch, hidden]
 * ```
 */
export function toOperator(cell: Cell, steps: Steps, name: (part: string) => string): OperatorPart {
  const { gates, hidden } = cell
  const nodes: NewNode[] = []
  const constants: NewConstant[] = []
  const apply = (
    op: string,
    inputs: readonly string[],
    output: string,
    attributes: NewNode['attributes'] = {},
  ): string => {
    nodes.push({ op, inputs, outputs: [output], attributes })
    return output
  }
  const constant = (part: string, dims: readonly number[], integers?: readonly number[]): string => {
    constants.push({ name: name(part), dims, ...(integers !== undefined && { integers }) })
    return name(part)
  }
  const reshape = (input: string, part: string, shape: readonly number[], output = name(part)): string =>
    apply('Reshape', [input, constant(`${part}_shape`, [shape.length], shape)], output)
  const turn = (weights: string, part: string): string =>
    reshape(apply('Transpose', [weights], name(`${part}_turned`), { perm: [1, 0] }), part, [1, gates * hidden, -1])
  // The loop takes so many steps, and not one for each of the sequence, which may be longer.
  const bounds = [constant('first', [1], [0]), reshape(steps.count, 'steps', [1]), constant('axis', [1], [0])]
  const x = apply('Slice', [cell.sequence, ...bounds], name('x'))
  const inputs = [x, turn(cell.kernel, 'w'), turn(cell.recurrent, 'r')]
  if (cell.bias !== undefined) {
    // A bias of the input alone: that of the state is zero.
    const both = cell.hasTwoBiases
      ? cell.bias
      : apply('Concat', [cell.bias, constant('no_bias', [gates * hidden])], name('biases'), { axis: 0 })
    inputs.push(reshape(both, 'b', [1, 2 * gates * hidden]))
  }
  const outputs = [steps.each === undefined ? '' : name('y'), steps.last === undefined ? '' : name('y_h')]
  nodes.push({ op: cell.operator, inputs, outputs, attributes: { ...cell.attributes, hidden_size: hidden } })
  if (steps.each !== undefined) reshape(name('y'), 'each', [0, -1, hidden], steps.each)
  if (steps.last !== undefined) reshape(name('y_h'), 'last', [-1, hidden], steps.last)
  return { nodes, constants }
}

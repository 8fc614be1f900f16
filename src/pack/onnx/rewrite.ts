import { ProtobufError } from '../../core/protobuf.ts'
import { type Cell, matchCell } from './cell.ts'
import { type GraphNode, listUses, type Model, readModel } from './graph.ts'
import { toOperator } from './operator.ts'
import { matchSteps, type Steps } from './steps.ts'
import { Unmatched } from './view.ts'
import { type GraphEdit, type NewConstant, type NewNode, writeModel } from './write.ts'

/** One loop of a model. */
export interface LoopFinding {
  readonly name: string
  /** ONNX's own operator that does the same; null where none is known. */
  readonly operator: Cell['operator'] | null
  /** What is in the way. */
  readonly reason: string | null
}

/** A model's loops, and the model without those that are known. */
export interface Rewriting {
  readonly loops: readonly LoopFinding[]
  /** Undefined where no loop is known. */
  readonly bytes: Uint8Array | undefined
}

/** Tensors need not be inputs of the graph too from this version of the format on. */
const LEAST_IR = 4
/** The operator set from which on `Slice` takes its bounds as inputs. */
const LEAST_OPSET = 10

/**
 * Puts ONNX's own recurrent operator in the place of each loop of small operators that computes the same, as the
 * export of TensorFlow has them. The same bytes give the same bytes; a model that cannot be read has no loops.
 */
export function rewriteLoops(bytes: Uint8Array): Rewriting {
  try {
    return rewriteModel(readModel(bytes))
  } catch (error) {
    if (error instanceof ProtobufError) return { loops: [], bytes: undefined }
    throw error
  }
}

function rewriteModel(model: Model): Rewriting {
  const loops: LoopFinding[] = []
  const replaced = new Map<GraphNode, readonly NewNode[]>()
  const constants: NewConstant[] = []
  for (const loop of model.graph.nodes.filter(({ op }) => op === 'Loop')) {
    const output = loop.outputs.find(name => name !== '') ?? 'Loop'
    const name = loop.name || output
    try {
      const { cell, steps } = readLoop(model, loop)
      const part = toOperator(cell, steps, toNamer(model, `${output}/${cell.operator}`))
      replaced.set(loop, part.nodes)
      constants.push(...part.constants)
      loops.push({ name, operator: cell.operator, reason: null })
    } catch (error) {
      if (!(error instanceof Unmatched)) throw error
      loops.push({ name, operator: null, reason: error.message })
    }
  }
  const edit = sweep(model, replaced, constants)
  return { loops, bytes: replaced.size === 0 ? undefined : writeModel(model, edit) }
}

function readLoop(model: Model, loop: GraphNode): { readonly cell: Cell; readonly steps: Steps } {
  const { graph, irVersion, opset } = model
  if ([...graph.constants.values()].some(({ isExternal }) => isExternal)) {
    throw new Unmatched("the model's weights lie in files of their own")
  }
  if (irVersion < LEAST_IR || opset < LEAST_OPSET) throw new Unmatched(`the model is of operator set ${opset}`)
  const steps = matchSteps(loop, graph)
  const cell = matchCell(steps)
  for (const name of [cell.kernel, cell.recurrent, cell.bias]) {
    if (name === undefined) continue
    if (!graph.constants.has(name)) throw new Unmatched('its weights lie within it')
    if (graph.inputs.includes(name)) throw new Unmatched('a caller may pass its weights')
  }
  return { cell, steps }
}

/** Names for a part of the model that nothing in it has. */
function toNamer({ graph }: Model, base: string): (part: string) => string {
  const taken = [
    ...graph.producers.keys(),
    ...graph.constants.keys(),
    ...graph.inputs,
    ...graph.nodes.flatMap(listUses),
  ]
  let prefix = base
  while (taken.some(name => name.startsWith(`${prefix}/`))) prefix += '_'
  return part => `${prefix}/${part}`
}

/** Removes what only the replaced loops needed, and what only that needed. */
function sweep(
  { graph }: Model,
  replaced: ReadonlyMap<GraphNode, readonly NewNode[]>,
  constants: readonly NewConstant[],
): GraphEdit {
  const nodes = new Map(replaced)
  const used = new Set(graph.outputs)
  const doubtful = new Set([...replaced.keys()].flatMap(listUses))
  for (const node of graph.nodes.toReversed()) {
    const next = replaced.get(node)
    if (next !== undefined) for (const { inputs } of next) for (const input of inputs) used.add(input)
    else if (node.outputs.some(name => used.has(name)) || !node.outputs.some(name => doubtful.has(name))) {
      for (const name of listUses(node)) used.add(name)
    } else {
      nodes.set(node, [])
      for (const name of listUses(node)) doubtful.add(name)
    }
  }
  const dropped = [...doubtful].filter(name => !used.has(name) && !graph.inputs.includes(name))
  return { nodes, constants, dropped: new Set(dropped) }
}

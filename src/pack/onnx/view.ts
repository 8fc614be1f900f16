import type { Constant, Graph, GraphNode } from './graph.ts'

/** Says why a loop is none that is known. */
export class Unmatched extends Error {}

/** The values within a loop's body and around it. Names are unique over both (ONNX IR, "Names Within a Graph"). */
export interface View {
  /** The node that computes a value. */
  readonly produce: (name: string) => GraphNode | undefined
  /** The tensor of the file that a value is. */
  readonly constant: (name: string) => Constant | undefined
  /**
   * The value that a name stands for: what operators that change nothing pass on, and what the loop carries through
   * all its steps, are followed to where they come from. `through` names further operators to follow.
   */
  readonly trace: (name: string, through?: ReadonlySet<string>) => string
}

const IDENTITY: ReadonlySet<string> = new Set(['Identity'])

/** A view of a body; `fixed` tells where a value comes from that stays the same in all steps, by its name within. */
export function toView(body: Graph, outer: Graph, fixed: ReadonlyMap<string, string> = new Map()): View {
  const produce: View['produce'] = name => body.producers.get(name) ?? outer.producers.get(name)
  const trace: View['trace'] = (name, through = IDENTITY) => {
    const node = produce(name)
    const [input] = node?.inputs ?? []
    if (node !== undefined && input !== undefined && through.has(node.op)) return trace(input, through)
    const origin = fixed.get(name)
    return origin === undefined ? name : trace(origin, through)
  }
  return { produce, trace, constant: name => body.constants.get(name) ?? outer.constants.get(name) }
}

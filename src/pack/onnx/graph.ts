import {
  type Field,
  listMessages,
  ProtobufError,
  readFields,
  readNumber,
  readNumbers,
  readString,
  readText,
  type Span,
  toBytes,
} from '../../core/protobuf.ts'

/*
 * The parts of an ONNX model that a rewriting looks at, each with its place in the file. Weights are never copied.
 * Field numbers are those of onnx.proto3 of github.com/onnx/onnx.
 */

/** A model: its one graph among the fields around it. */
export interface Model {
  readonly fields: readonly Field[]
  readonly irVersion: number
  /** Version of ONNX's own operator set. */
  readonly opset: number
  readonly graph: Graph
}

/** A graph, of a model or within an operator; its values are known by name. */
export interface Graph {
  readonly fields: readonly Field[]
  /** In an order in which they can be computed. */
  readonly nodes: readonly GraphNode[]
  /** The node that computes a value. */
  readonly producers: ReadonlyMap<string, GraphNode>
  readonly constants: ReadonlyMap<string, Constant>
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** One operator at work. '' stands for an input or output that is left out. */
export interface GraphNode {
  readonly name: string
  /** With the domain before it, where that is not ONNX's own. */
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, Attribute>
}

/** A setting of a node: what it has of these; 0 stands for an absent number. */
export interface Attribute {
  readonly int: number
  readonly float: number
  readonly tensor: Constant | undefined
  readonly graph: Graph | undefined
}

/** A tensor that the file holds. */
export interface Constant {
  readonly dims: readonly number[]
  /** Its elements in their order; undefined where they are of another type than float32, int32, int64 or bool, or lie elsewhere. */
  readonly read: () => readonly number[] | undefined
  /** Its elements are in a file of their own. */
  readonly isExternal: boolean
}

/** Reads a model. @throws ProtobufError */
export function readModel(bytes: Uint8Array): Model {
  const fields = readFields({ bytes, start: 0, end: bytes.length })
  const opsets = listMessages(fields, 8).map(readFields)
  const [graph = { bytes, start: 0, end: 0 }] = listMessages(fields, 7)
  return {
    fields,
    irVersion: readNumber(fields, 1),
    opset: Math.max(0, ...opsets.filter(opset => isOnnx(readString(opset, 1))).map(opset => readNumber(opset, 2))),
    graph: readGraph(graph),
  }
}

/** Every name that a node reads, also from within the graphs that are part of it. */
export function listUses({ attributes, inputs }: GraphNode): readonly string[] {
  const inner = [...attributes.values()].flatMap(({ graph }) => (graph === undefined ? [] : [graph]))
  return [...inputs, ...inner.flatMap(({ nodes, outputs }) => [...nodes.flatMap(listUses), ...outputs])]
}

function readGraph(span: Span): Graph {
  const fields = readFields(span)
  const nodes = listMessages(fields, 1).map(readNode)
  const producers = new Map(nodes.flatMap(node => node.outputs.map(output => [output, node])))
  requireOrder(nodes, producers)
  return {
    fields,
    nodes,
    producers,
    constants: new Map(listMessages(fields, 5).map(readTensor)),
    inputs: listMessages(fields, 11).map(readName),
    outputs: listMessages(fields, 12).map(readName),
  }
}

/** Whoever follows values to where they come from must not go in circles. */
function requireOrder(nodes: readonly GraphNode[], producers: ReadonlyMap<string, GraphNode>): void {
  const computed = new Set<GraphNode>()
  for (const node of nodes) {
    const early = listUses(node).find(name => {
      const producer = producers.get(name)
      return producer !== undefined && !computed.has(producer)
    })
    if (early !== undefined) throw new ProtobufError(`a node that needs "${early}" before it is computed`)
    computed.add(node)
  }
}

function readNode(span: Span): GraphNode {
  const fields = readFields(span)
  const domain = readString(fields, 7)
  return {
    name: readString(fields, 3),
    op: `${isOnnx(domain) ? '' : `${domain}.`}${readString(fields, 4)}`,
    inputs: listMessages(fields, 1).map(readText),
    outputs: listMessages(fields, 2).map(readText),
    attributes: new Map(listMessages(fields, 5).map(readAttribute)),
  }
}

function readAttribute(span: Span): readonly [string, Attribute] {
  const fields = readFields(span)
  const [tensor] = listMessages(fields, 5)
  const [graph] = listMessages(fields, 6)
  const float = fields.findLast(({ number }) => number === 2)
  return [
    readString(fields, 1),
    {
      int: readNumber(fields, 3),
      float: float === undefined ? 0 : (readElements(FLOAT32, toBytes(float.whole).subarray(-4))[0] ?? 0),
      tensor: tensor === undefined ? undefined : readTensor(tensor)[1],
      graph: graph === undefined ? undefined : readGraph(graph),
    },
  ]
}

const FLOAT32 = 1
/** Bytes of one element and how it is read, by `TensorProto.DataType`. */
const ELEMENTS: Readonly<Record<number, { bytes: number; read: (view: DataView, at: number) => number }>> = {
  [FLOAT32]: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  6: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  7: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  9: { bytes: 1, read: (view, at) => view.getUint8(at) },
}

function readTensor(span: Span): readonly [string, Constant] {
  const fields = readFields(span)
  const dims = readNumbers(fields, 1)
  const type = readNumber(fields, 2)
  const count = dims.reduce((product, size) => product * size, 1)
  const read = (): readonly number[] | undefined => {
    const [raw] = listMessages(fields, 9)
    const values = raw === undefined ? [] : readElements(type, toBytes(raw))
    return values.length === count ? values : undefined
  }
  return [readString(fields, 8), { dims, read, isExternal: readNumber(fields, 14) !== 0 }]
}

function readElements(type: number, raw: Uint8Array): readonly number[] {
  const element = ELEMENTS[type]
  if (element === undefined) return []
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  return Array.from({ length: raw.length / element.bytes }, (_, index) => element.read(view, index * element.bytes))
}

function readName(span: Span): string {
  return readString(readFields(span), 1)
}

function isOnnx(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx'
}

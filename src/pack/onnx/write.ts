import { readFields, readString, toBytes, toField } from '../../core/protobuf.ts'
import type { GraphNode, Model } from './graph.ts'

/** A node that is written; strings are settings of texts, one each. */
export interface NewNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, number | readonly number[] | readonly string[]>>
}

/** A tensor that is written: whole numbers as int64, or zeros in float32. */
export interface NewConstant {
  readonly name: string
  readonly dims: readonly number[]
  /** @default zeros in float32 */
  readonly integers?: readonly number[]
}

/** What becomes of a graph. */
export interface GraphEdit {
  /** What stands in the place of a node; nothing removes it. */
  readonly nodes: ReadonlyMap<GraphNode, readonly NewNode[]>
  /** Names of tensors that go. */
  readonly dropped: ReadonlySet<string>
  readonly constants: readonly NewConstant[]
}

/** Writes a model anew: every field that the edit does not name stays as it is, byte for byte, and in its place. */
export function writeModel(model: Model, edit: GraphEdit): Uint8Array {
  return Buffer.concat(
    model.fields.map(field => (field.number === 7 ? toField(7, writeGraph(model, edit)) : toBytes(field.whole))),
  )
}

function writeGraph({ graph }: Model, { constants, dropped, nodes }: GraphEdit): Uint8Array {
  const old = graph.nodes.values()
  const kept = graph.fields.flatMap(field => {
    const bytes = [toBytes(field.whole)]
    const node = field.number === 1 ? old.next().value : undefined
    if (node !== undefined) return nodes.get(node)?.map(toNodeField) ?? bytes
    const isDropped = field.number === 5 && field.message && dropped.has(readString(readFields(field.message), 8))
    return isDropped === true ? [] : bytes
  })
  return Buffer.concat([...kept, ...constants.map(toConstantField)])
}

function toNodeField({ attributes = {}, inputs, op, outputs }: NewNode): Uint8Array {
  return toField(
    1,
    Buffer.concat([
      ...inputs.map(name => toField(1, name)),
      ...outputs.map(name => toField(2, name)),
      toField(3, outputs.find(name => name !== '') ?? ''),
      toField(4, op),
      ...Object.entries(attributes).map(([name, value]) => toField(5, toAttribute(name, value))),
    ]),
  )
}

/** `AttributeProto`: fields 3, 7, 8 and 9 hold a value of type 2, 6, 7 or 8. */
function toAttribute(name: string, value: number | readonly number[] | readonly string[]): Uint8Array {
  if (typeof value === 'number') return Buffer.concat([toField(1, name), toField(3, value), toField(20, 2)])
  const isText = value.some(item => typeof item === 'string')
  const items = value.map(item => toField(isText ? 9 : 8, item))
  return Buffer.concat([toField(1, name), ...items, toField(20, isText ? 8 : 7)])
}

function toConstantField({ dims, integers, name }: NewConstant): Uint8Array {
  const count = dims.reduce((product, size) => product * size, 1)
  const raw = integers === undefined ? Buffer.alloc(4 * count) : Buffer.alloc(8 * count)
  integers?.forEach((integer, index) => void raw.writeBigInt64LE(BigInt(integer), 8 * index))
  const type = integers === undefined ? 1 : 7
  const parts = [...dims.map(size => toField(1, size)), toField(2, type), toField(8, name), toField(9, raw)]
  return toField(5, Buffer.concat(parts))
}

import { RegattaError } from '../core/errors.ts'
import {
  type Field,
  listMessages,
  ProtobufError,
  readFields,
  readNumber,
  readString,
  type Span,
} from '../core/protobuf.ts'

/** What an ONNX model says of itself. */
export interface ModelSignature {
  readonly irVersion: number
  /** The operator sets it needs; domain '' is ONNX's own. */
  readonly opsets: readonly { readonly domain: string; readonly version: number }[]
  /** What a caller must pass: the graph's inputs that have no initializer. */
  readonly inputs: readonly ValueSignature[]
  readonly outputs: readonly ValueSignature[]
  readonly metadata: Readonly<Record<string, string>>
}

/** One input or output. */
export interface ValueSignature {
  readonly name: string
  /** `float32`, `int64`, …, or `sequence`, `map`, `sparse` or `optional` for what is no tensor. */
  readonly dtype: string
  /** A size, the name of a size (`batch`), or null for any size; null as a whole where the rank is open. */
  readonly shape: readonly (number | string | null)[] | null
}

/** Element types by their number. Source: onnx.proto, `TensorProto.DataType`. */
const DTYPES: readonly (string | undefined)[] = [
  undefined,
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
]

/** The kinds of `TypeProto` that are no dense tensor, by field number. */
const OTHER_TYPES: Readonly<Record<number, string>> = { 4: 'sequence', 5: 'map', 8: 'sparse', 9: 'optional' }

/** What is often saved in place of ONNX, by its first bytes. */
const OTHER_FORMATS = [
  { start: 'PK\x03\x04', name: 'a ZIP archive, as torch.save writes it' },
  { start: '\x89HDF', name: 'an HDF5 file, as Keras writes it' },
  { start: '\x80', name: 'a Python pickle' },
  { start: '{', name: 'JSON' },
  { start: 'version https://git-lfs', name: 'a pointer of Git LFS: the model itself is not checked out' },
] as const

/**
 * Reads the signature of an ONNX model: a walk over ModelProto and GraphProto that never enters a tensor's data.
 *
 * Source: onnx.proto3 of github.com/onnx/onnx (field numbers are its own).
 * @throws ONNX_FORMAT
 */
export function readOnnxSignature(bytes: Uint8Array): ModelSignature {
  try {
    return readModel({ bytes, start: 0, end: bytes.length })
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error
    const found = describeOther(bytes) ?? error.message
    throw new RegattaError('ONNX_FORMAT', `Cannot read model: expected ONNX, found ${found}`, {
      fix: 'Export the model to ONNX, for example with torch.onnx.export, tf2onnx or skl2onnx',
      cause: error,
    })
  }
}

function describeOther(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'an empty file'
  const head = String.fromCharCode(...bytes.subarray(0, 32))
  return OTHER_FORMATS.find(format => head.startsWith(format.start))?.name
}

function readModel(span: Span): ModelSignature {
  const model = readFields(span)
  const irVersion = readNumber(model, 1)
  const opsets = listMessages(model, 8).map(readOpset)
  const [graph, ...more] = listMessages(model, 7)
  if (irVersion < 1) throw new ProtobufError('no version of the format (ir_version)')
  if (graph === undefined) throw new ProtobufError('no graph')
  if (more.length > 0) throw new ProtobufError(`${more.length + 1} graphs`)
  if (opsets.length === 0) throw new ProtobufError('no operator sets (opset_import)')
  const metadata = Object.fromEntries(listMessages(model, 14).map(readEntry))
  return { irVersion, opsets, ...readGraph(readFields(graph)), metadata }
}

function readGraph(graph: readonly Field[]): Pick<ModelSignature, 'inputs' | 'outputs'> {
  const initialized = new Set([
    ...listMessages(graph, 5).map(tensor => readString(readFields(tensor), 8)),
    ...listMessages(graph, 15).flatMap(sparse =>
      listMessages(readFields(sparse), 1).map(t => readString(readFields(t), 8)),
    ),
  ])
  const inputs = listMessages(graph, 11).map(readValue)
  const outputs = listMessages(graph, 12).map(readValue)
  if (outputs.length === 0) throw new ProtobufError('a graph without outputs')
  // Up to IR version 3 weights had to be listed as inputs too; a caller need not pass them.
  return { inputs: inputs.filter(input => !initialized.has(input.name)), outputs }
}

function readOpset(span: Span): ModelSignature['opsets'][number] {
  const fields = readFields(span)
  return { domain: readString(fields, 1), version: readNumber(fields, 2) }
}

function readEntry(span: Span): readonly [string, string] {
  const fields = readFields(span)
  return [readString(fields, 1), readString(fields, 2)]
}

function readValue(span: Span): ValueSignature {
  const fields = readFields(span)
  const name = readString(fields, 1)
  if (name === '') throw new ProtobufError('an input or output without a name')
  const type = listMessages(fields, 2).at(-1)
  return { name, ...readType(name, type === undefined ? [] : readFields(type)) }
}

function readType(name: string, type: readonly Field[]): Omit<ValueSignature, 'name'> {
  const tensor = listMessages(type, 1).at(-1)
  if (tensor === undefined) {
    const other = type.map(field => OTHER_TYPES[field.number]).find(kind => kind !== undefined)
    if (other === undefined) throw new ProtobufError(`no type for "${name}"`)
    return { dtype: other, shape: null }
  }
  const fields = readFields(tensor)
  const dtype = DTYPES[readNumber(fields, 1)]
  if (dtype === undefined) throw new ProtobufError(`element type ${readNumber(fields, 1)} for "${name}"`)
  const shape = listMessages(fields, 2).at(-1)
  return { dtype, shape: shape === undefined ? null : listMessages(readFields(shape), 1).map(readDimension) }
}

function readDimension(span: Span): number | string | null {
  const fields = readFields(span)
  const label = readString(fields, 2)
  if (label !== '') return label
  if (!fields.some(field => field.number === 1)) return null
  // Some exporters write -1 for "any size".
  const size = readNumber(fields, 1)
  return size < 0 ? null : size
}

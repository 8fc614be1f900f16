import { isObject, type JsonObject } from '../../core/json.ts'
import type { RestProtocol } from '../path.ts'
import { toBinaryData } from './binary-data.ts'
import type { ParsedBody } from './body.ts'

/** The rows of one body, or why it has none. */
export type Rows = { readonly rows: readonly unknown[] } | { readonly problem: string }

/**
 * Splits an answer into rows: `predictions`, `outputs` or (classify, regress) `results` of TensorFlow Serving's REST
 * API, `predictions` of MLflow's, or the first of V2's `outputs`, whose data is flat, nested or binary, row-major.
 */
export function toAnswerRows(protocol: RestProtocol, { json, binary }: ParsedBody): Rows {
  if (!isObject(json)) return { problem: 'Cannot read the answer: expected a JSON object' }
  if (protocol === 'v2') {
    const [first] = withBinary(json['outputs'], binary)
    return isObject(first) ? toTensorRows(first) : { problem: 'Cannot read the answer: expected outputs[0]' }
  }
  if (Array.isArray(json['predictions'])) return { rows: json['predictions'] }
  if (Array.isArray(json['results'])) return { rows: json['results'] }
  const columns = protocol === 'mlflow' ? json['predictions'] : json['outputs']
  return toColumnRows(columns, 'Cannot read the answer: expected predictions, outputs or results')
}

/**
 * Splits a request into rows: `instances`, `examples` or `inputs` by column; MLflow's frames of records or columns; of
 * V2, objects of each input's slice by its name, over which stand the items of `parameters` that are arrays.
 */
export function toRequestRows(protocol: RestProtocol, { json, binary }: ParsedBody): Rows {
  if (!isObject(json)) return { problem: 'Cannot read the request: expected a JSON object' }
  if (protocol === 'v2') return toInputRows(json, binary)
  for (const key of ['instances', 'examples', 'dataframe_records'])
    if (Array.isArray(json[key])) return { rows: json[key] }
  if (isObject(json['dataframe_split'])) return toFrameRows(json['dataframe_split'])
  return toColumnRows(json['inputs'], 'Cannot read the request: expected instances, examples, inputs or a dataframe')
}

function toInputRows(body: JsonObject, binary: Uint8Array): Rows {
  const columns: Record<string, readonly unknown[]> = {}
  for (const input of withBinary(body['inputs'], binary)) {
    if (!isObject(input)) return { problem: 'Cannot read the request: expected objects in inputs' }
    const sliced = toTensorRows(input)
    if ('problem' in sliced) return sliced
    columns[String(input['name'])] = sliced.rows
  }
  const parameters = isObject(body['parameters']) ? body['parameters'] : {}
  for (const [name, value] of Object.entries(parameters)) if (Array.isArray(value)) columns[name] = value
  return { rows: toRowObjects(columns) }
}

/** pandas' "split" orientation: names of columns, and rows as arrays. */
function toFrameRows({ columns, data }: JsonObject): Rows {
  if (!Array.isArray(columns) || !Array.isArray(data) || !data.every(Array.isArray))
    return { problem: 'Cannot read the request: expected columns and data in dataframe_split' }
  const names = columns.map(String)
  return { rows: data.map(row => Object.fromEntries(names.map((name, index) => [name, row[index]]))) }
}

/** Tensors whose data stands behind the JSON get it as if it stood in it (V2, "Binary tensor data extension"). */
function withBinary(tensors: unknown, binary: Uint8Array): readonly unknown[] {
  let at = 0
  return (Array.isArray(tensors) ? tensors : []).map((tensor: unknown) => {
    const parameters = isObject(tensor) ? tensor['parameters'] : undefined
    const size = isObject(parameters) ? parameters['binary_data_size'] : undefined
    if (!isObject(tensor) || typeof size !== 'number') return tensor
    const bytes = binary.subarray(at, at + size)
    at += size
    return { ...tensor, data: toBinaryData(String(tensor['datatype']), bytes) }
  })
}

/** Columns by name, or one array: rows as objects, or the array's items. */
function toColumnRows(value: unknown, problem: string): Rows {
  if (Array.isArray(value)) return { rows: value }
  if (!isObject(value)) return { problem }
  const columns: Record<string, readonly unknown[]> = {}
  for (const [name, column] of Object.entries(value)) {
    if (!Array.isArray(column)) return { problem: `${problem}; ${name} is not an array` }
    columns[name] = column
  }
  return { rows: toRowObjects(columns) }
}

/** Rows as objects, of columns by name. */
export function toRowObjects(columns: Readonly<Record<string, readonly unknown[]>>): readonly JsonObject[] {
  const count = Math.max(0, ...Object.values(columns).map(column => column.length))
  const entries = Object.entries(columns)
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(entries.map(([name, column]) => [name, column[row]])),
  )
}

/** Rows of one V2 tensor: its shape's first dimension. Data may be flat although the shape is not. */
function toTensorRows(tensor: JsonObject): Rows {
  const { data, shape } = tensor
  const name = String(tensor['name'])
  if (!Array.isArray(data)) return { problem: `Cannot read tensor "${name}": expected data in JSON or behind it` }
  if (!isShape(shape)) return { problem: `Cannot read tensor "${name}": expected a shape of whole numbers` }
  if (shape.length <= 1 || Array.isArray(data[0])) return { rows: data }
  const size = shape.reduce((product, dim) => product * dim, 1)
  // Rows without values hold no prediction, and a shape may claim any number of them.
  if (size === 0 && data.length === 0) return { rows: [] }
  if (size !== data.length)
    return { problem: `Cannot read tensor "${name}": expected ${size} values as by its shape, found ${data.length}` }
  return { rows: nest(data, shape) }
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(dim => Number.isSafeInteger(dim) && dim >= 0)
}

/** Nests flat row-major data as its shape says: the items of the first dimension. */
export function nest(flat: readonly unknown[], shape: readonly number[]): readonly unknown[] {
  const [rows = 0, ...inner] = shape
  if (inner.length === 0) return flat
  const stride = flat.length / Math.max(1, rows)
  return Array.from({ length: rows }, (_, row) => nest(flat.slice(row * stride, (row + 1) * stride), inner))
}

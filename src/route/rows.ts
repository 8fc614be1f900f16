import { isObject, type JsonObject } from '../core/json.ts'
import type { Protocol } from './path.ts'

/** The rows of one body, or why it has none. */
export type Rows = { readonly rows: readonly unknown[] } | { readonly problem: string }

/**
 * Splits an answer into rows: `predictions` or `outputs` of TensorFlow Serving's REST API, or the first of V2's
 * `outputs`, whose data is flat or nested, row-major.
 */
export function toAnswerRows(protocol: Protocol, body: unknown): Rows {
  if (!isObject(body)) return { problem: 'Cannot read the answer: expected a JSON object' }
  if (protocol === 'v2') {
    const first = Array.isArray(body['outputs']) ? body['outputs'][0] : undefined
    return isObject(first) ? toTensorRows(first) : { problem: 'Cannot read the answer: expected outputs[0]' }
  }
  if (Array.isArray(body['predictions'])) return { rows: body['predictions'] }
  return toColumnRows(body['outputs'], 'Cannot read the answer: expected predictions or outputs')
}

/**
 * Splits a request into rows: `instances`, or `inputs` by column; of V2, objects of each input's slice by its name,
 * over which stand the items of `parameters` that are arrays.
 */
export function toRequestRows(protocol: Protocol, body: unknown): Rows {
  if (!isObject(body)) return { problem: 'Cannot read the request: expected a JSON object' }
  if (protocol === 'v2') return toInputRows(body)
  if (Array.isArray(body['instances'])) return { rows: body['instances'] }
  return toColumnRows(body['inputs'], 'Cannot read the request: expected instances or inputs')
}

function toInputRows(body: JsonObject): Rows {
  const inputs: readonly unknown[] = Array.isArray(body['inputs']) ? body['inputs'] : []
  const columns: Record<string, readonly unknown[]> = {}
  for (const input of inputs) {
    if (!isObject(input)) return { problem: 'Cannot read the request: expected objects in inputs' }
    const sliced = toTensorRows(input)
    if ('problem' in sliced) return sliced
    columns[String(input['name'])] = sliced.rows
  }
  const parameters = isObject(body['parameters']) ? body['parameters'] : {}
  for (const [name, value] of Object.entries(parameters)) if (Array.isArray(value)) columns[name] = value
  return { rows: toRowObjects(columns) }
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

function toRowObjects(columns: Readonly<Record<string, readonly unknown[]>>): readonly JsonObject[] {
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
  if (!Array.isArray(data)) return { problem: `Cannot read tensor "${name}": expected data in JSON` }
  if (!isShape(shape)) return { problem: `Cannot read tensor "${name}": expected a shape of whole numbers` }
  if (shape.length <= 1 || Array.isArray(data[0])) return { rows: data }
  const size = shape.reduce((product, dim) => product * dim, 1)
  if (size !== data.length)
    return { problem: `Cannot read tensor "${name}": expected ${size} values as by its shape, found ${data.length}` }
  return { rows: nest(data, shape) }
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(dim => Number.isSafeInteger(dim) && dim >= 0)
}

/** Nests flat row-major data as its shape says: the items of the first dimension. */
function nest(flat: readonly unknown[], shape: readonly number[]): readonly unknown[] {
  const [rows = 0, ...inner] = shape
  if (inner.length === 0) return flat
  const stride = flat.length / Math.max(1, rows)
  return Array.from({ length: rows }, (_, row) => nest(flat.slice(row * stride, (row + 1) * stride), inner))
}

import type { HttpRequest } from '../../core/http/http.ts'
import {
  isList,
  isMembers,
  type JsonMembers,
  type JsonNode,
  type NamedTensors,
  parseTfsInputs,
  parseTfsInstances,
} from '../../tensor/index.ts'
import type { ModelInput } from '../engine/engine.ts'
import { Refusal } from '../errors.ts'
import { checkCharset, parseBody, toContentType } from '../front/body.ts'
import { parseCsv } from './csv.ts'
import { type Frame, toFrameTensors } from './frame.ts'

/** A request to predict: what is asked by rows is answered by rows. */
export interface Invocation {
  readonly form: 'rows' | 'tensors'
  readonly tensors: NamedTensors
}

const FIELDS = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const

/**
 * Reads the body of `/invocations`. Source: mlflow/pyfunc/scoring_server, "_split_data_and_params".
 * @throws BAD_REQUEST, BODY_TYPE; TENSOR_JSON, TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE
 */
export function parseInvocation(request: HttpRequest, inputs: readonly ModelInput[]): Invocation {
  if (toContentType(request) === 'text/csv') {
    checkCharset(request)
    return { form: 'rows', tensors: toFrameTensors(parseCsv(request.body, inputs), inputs) }
  }
  const body = parseBody(request)
  const given = FIELDS.filter(field => body.has(field))
  const [field] = given
  if (field === undefined || given.length > 1) {
    const names = FIELDS.map(name => `"${name}"`).join(', ')
    throw toRefusal(`The input must be a JSON dictionary with exactly one of the input fields ${names}`)
  }
  checkOthers(body, field)
  return parseField(field, body.get(field) ?? null, inputs)
}

function parseField(field: (typeof FIELDS)[number], node: JsonNode, inputs: readonly ModelInput[]): Invocation {
  switch (field) {
    case 'dataframe_split':
      return { form: 'rows', tensors: toFrameTensors(parseSplit(node), inputs) }
    case 'dataframe_records':
      return { form: 'rows', tensors: toFrameTensors(parseRecords(node), inputs) }
    case 'instances':
      return { form: 'rows', tensors: parseTfsInstances(node, inputs) }
    case 'inputs':
      return { form: 'tensors', tensors: parseTfsInputs(node, inputs) }
    default:
      return field satisfies never
  }
}

/** Models have no parameters of a call; whoever sends some would get an answer without them. */
function checkOthers(body: JsonMembers, field: string): void {
  const params = body.get('params')
  if (isMembers(params) && params.size > 0) throw toRefusal('Cannot use "params": the model takes none')
  const other = [...body.keys()].find(name => name !== field && name !== 'params')
  if (other !== undefined) throw toRefusal(`Cannot use "${other}" beside "${field}"`)
}

/** `{"columns": [...], "data": [[...], ...]}`, with or without an index, which says nothing to a model. */
function parseSplit(node: JsonNode): Frame {
  const columns = isMembers(node) ? node.get('columns') : undefined
  const data = isMembers(node) ? node.get('data') : undefined
  if (columns === undefined || !isList(columns) || data === undefined || !isList(data)) {
    throw toRefusal('Unable to parse "dataframe_split": expected an object with "columns" and "data", both lists')
  }
  return { columns: listNodes(columns).map(toColumnName), rows: listNodes(data).map(listNodes) }
}

/** `[{column: value, ...}, ...]` */
function parseRecords(node: JsonNode): Frame {
  const records = listNodes(node).filter(isMembers)
  const columns = [...(records[0]?.keys() ?? [])]
  if (records.length === 0 || records.length !== listNodes(node).length) {
    throw toRefusal('Unable to parse "dataframe_records": expected a list of objects')
  }
  const rows = records.map((record, index) => {
    const other = [...record.keys()].find(name => !columns.includes(name))
    if (other !== undefined || record.size !== columns.length) {
      throw toRefusal(`Cannot use record ${index} of "dataframe_records": it has other columns than the first`)
    }
    return columns.map(name => record.get(name) ?? null)
  })
  return { columns, rows }
}

/** The elements of a list; none of what is no list. */
function listNodes(node: JsonNode): readonly JsonNode[] {
  if (!isList(node)) return []
  if ('kind' in node) {
    return node.values.map((value, index) => {
      const isInteger = Number.isInteger(value) && index !== node.firstDecimal
      return { kind: 'number', value, isInteger, exact: node.exact.get(index) }
    })
  }
  return node
}

function toColumnName(node: JsonNode): string {
  if (typeof node === 'string') return node
  if (node !== null && typeof node === 'object' && 'kind' in node && node.kind === 'number') return String(node.value)
  throw toRefusal('Unable to parse "columns": expected names')
}

function toRefusal(text: string): Refusal {
  return new Refusal('BAD_REQUEST', text)
}

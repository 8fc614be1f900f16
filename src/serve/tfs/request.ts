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
import { parseBody } from '../front/body.ts'

/** The one signature of an ONNX model, by TensorFlow's name for the default one. */
export const SIGNATURE = 'serving_default'

/** A request to predict, in the form in which it is to be answered. */
export interface PredictRequest {
  readonly form: 'row' | 'column'
  readonly tensors: NamedTensors
}

/**
 * Reads the body of `:predict`. Unknown members are left alone, as TensorFlow Serving does.
 * Source: tensorflow_serving/util/json_tensor.cc, `FillPredictRequestFromJson`, whose errors these are.
 * @throws BAD_REQUEST, BODY_TYPE; TENSOR_JSON, TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE
 */
export function parsePredictRequest(request: HttpRequest, inputs: readonly ModelInput[]): PredictRequest {
  const body = parseBody(request)
  const signature = parseSignatureName(body)
  if (signature !== SIGNATURE) {
    throw new Refusal('BAD_REQUEST', `Serving signature name: "${signature}" not found in signature def`)
  }
  const rows = body.get('instances')
  const columns = body.get('inputs')
  if (rows !== undefined && columns !== undefined) {
    throw new Refusal(
      'BAD_REQUEST',
      "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist",
    )
  }
  if (rows !== undefined) {
    if (!isList(rows)) throw new Refusal('BAD_REQUEST', "Expecting 'instances' to be an list/array")
    return { form: 'row', tensors: parseTfsInstances(rows, inputs) }
  }
  if (columns === undefined) throw new Refusal('BAD_REQUEST', "Missing 'inputs' or 'instances' key")
  checkNames(columns, inputs)
  return { form: 'column', tensors: parseTfsInputs(columns, inputs) }
}

/** The signature that a body asks for, by its name; the default one where it names none. @throws BAD_REQUEST */
export function parseSignatureName(body: JsonMembers): string {
  const name = body.get('signature_name') ?? ''
  if (typeof name !== 'string') throw new Refusal('BAD_REQUEST', "'signature_name' key must be a string value.")
  return name === '' ? SIGNATURE : name
}

/** Inputs that the model lacks would be read and forgotten. */
function checkNames(columns: JsonNode, inputs: readonly ModelInput[]): void {
  if (!isMembers(columns) || columns.has('b64')) return
  const extra = [...columns.keys()].filter(name => !inputs.some(input => input.name === name))
  if (extra.length === 0) return
  const wanted = inputs.map(input => input.name)
  throw new Refusal(
    'BAD_REQUEST',
    `input size does not match signature: ${columns.size}!=${inputs.length} len({${[...columns.keys()]}}) != ` +
      `len({${wanted}}). Sent extra: {${extra}}.`,
  )
}

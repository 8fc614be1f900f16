import type { HttpRequest } from '../../core/http.ts'
import {
  DTYPES,
  isList,
  isMembers,
  isNumber,
  isNumbers,
  type JsonMembers,
  type JsonNode,
  type NamedTensors,
  parseV2Data,
  type Shape,
  type Tensor,
  TensorError,
} from '../../tensor/index.ts'
import { parseBody } from '../body.ts'
import { checkShape } from '../check-inputs.ts'
import type { ModelInput } from '../engine.ts'
import { Refusal } from '../errors.ts'
import type { Model } from '../model.ts'
import { checkOnce, findInput, toNoClassification, toOutputNames } from './signature.ts'

/** A request to infer. */
export interface InferRequest {
  readonly id: string | undefined
  readonly tensors: NamedTensors
  /** Names of the wanted outputs, in the order of the answer. */
  readonly outputs: readonly string[]
}

/**
 * Reads the body of `/infer`. Parameters that this server does not know are left alone, as the protocol has it.
 * Source: Open Inference Protocol V2, "Inference Request JSON Object".
 * @throws BAD_REQUEST, BODY_TYPE; TENSOR_JSON, TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE
 */
export function parseInferRequest(request: HttpRequest, model: Model): InferRequest {
  if (request.headers['inference-header-content-length'] !== undefined) throw toBinaryRefusal()
  const body = parseBody(request)
  const id = body.get('id')
  if (id !== undefined && typeof id !== 'string') throw toRefusal("Unable to parse 'id': expected a string")
  checkParameters(body)
  return { id, tensors: parseInputs(body.get('inputs'), model), outputs: parseOutputs(body.get('outputs'), model) }
}

function parseInputs(node: JsonNode | undefined, model: Model): NamedTensors {
  const tensors = new Map<string, Tensor>()
  for (const item of parseObjects(node, 'inputs')) {
    const name = parseName(item, 'inputs')
    const input = findInput(model, name)
    checkOnce(name, tensors)
    tensors.set(name, parseInput(item, input))
  }
  return tensors
}

function parseInput(item: JsonMembers, input: ModelInput): Tensor {
  const { v2 } = DTYPES[input.dtype]
  const datatype = item.get('datatype')
  if (datatype !== v2) {
    const found = typeof datatype === 'string' ? datatype : 'none'
    throw toRefusal(`Cannot use input "${input.name}": expected datatype ${v2}, found ${found}`)
  }
  checkParameters(item)
  const parameters = item.get('parameters')
  if (isMembers(parameters) && parameters.has('binary_data_size')) throw toBinaryRefusal()
  const shape = parseShape(item.get('shape'), input.name)
  const data = item.get('data')
  if (data === undefined) throw toRefusal(`Cannot use input "${input.name}": it has no 'data'`)
  // A wrong shape is told as such, rather than as data that do not fill it.
  checkShape(input, shape)
  return atInput(input.name, () => parseV2Data(data, input.dtype, shape))
}

function parseShape(node: JsonNode | undefined, name: string): Shape {
  const sizes = node === undefined || !isList(node) ? undefined : isNumbers(node) ? node.values : []
  const isEmptyList = Array.isArray(node) && node.length === 0
  if (sizes === undefined || (sizes.length === 0 && !isEmptyList) || !sizes.every(isSize)) {
    throw toRefusal(`Cannot use input "${name}": expected a 'shape' of whole numbers from 0 on`)
  }
  return sizes
}

function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0
}

/** Adds the input's name to what is wrong with its data. */
function atInput(name: string, read: () => Tensor): Tensor {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof TensorError)) throw error
    throw new TensorError(error.code, `Cannot use input "${name}": ${error.message}`)
  }
}

function parseOutputs(node: JsonNode | undefined, model: Model): readonly string[] {
  return toOutputNames(model, node === undefined ? [] : parseObjects(node, 'outputs').map(parseOutputName))
}

/** Parameters that are not known are left alone, but they must be such. */
function checkParameters(object: JsonMembers): void {
  const parameters = object.get('parameters')
  if (parameters === undefined) return
  if (!isMembers(parameters)) throw toRefusal("Unable to parse 'parameters': expected an object")
  const wrong = [...parameters].find(([, value]) => typeof value === 'object' && (value === null || !isNumber(value)))
  if (wrong !== undefined)
    throw toRefusal(`Unable to parse 'parameters': expected a string, a number or a boolean as "${wrong[0]}"`)
}

/** An output that is wanted in another form than the server has must not come in this one. */
function checkOutputParameters(item: JsonMembers, name: string): void {
  checkParameters(item)
  const parameters = item.get('parameters')
  if (!isMembers(parameters) || !parameters.has('classification')) return
  throw toNoClassification(name)
}

function parseOutputName(item: JsonMembers): string {
  const name = parseName(item, 'outputs')
  checkOutputParameters(item, name)
  return name
}

function parseObjects(node: JsonNode | undefined, key: 'inputs' | 'outputs'): readonly JsonMembers[] {
  const items = node !== undefined && isList(node) && !isNumbers(node) ? node : undefined
  const objects = items?.filter(isMembers)
  if (objects === undefined || objects.length !== items?.length) {
    throw toRefusal(`Unable to parse '${key}': expected a list of objects`)
  }
  return objects
}

function parseName(item: JsonMembers, key: 'inputs' | 'outputs'): string {
  const name = item.get('name')
  if (typeof name !== 'string') throw toRefusal(`Unable to parse '${key}': expected a 'name' in each object`)
  return name
}

function toBinaryRefusal(): Refusal {
  return toRefusal("Cannot read binary tensor data: send the tensors' 'data' as JSON")
}

function toRefusal(text: string): Refusal {
  return new Refusal('BAD_REQUEST', text)
}

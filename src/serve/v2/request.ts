import type { HttpRequest } from '../../core/http/http.ts'
import {
  DTYPES,
  isList,
  isMembers,
  isNumbers,
  type JsonMembers,
  type JsonNode,
  type NamedTensors,
  parseRaw,
  parseRawText,
  parseV2Data,
  type Shape,
  type Tensor,
  TensorError,
} from '../../tensor/index.ts'
import { checkShape } from '../check-inputs.ts'
import type { ModelInput, Signature } from '../engine/engine.ts'
import { Refusal } from '../errors.ts'
import { parseBody, parseObject } from '../front/body.ts'
import { BinaryTail, parseBinaryBody, toRawShape } from './binary.ts'
import { isSize, parseFlag, parseParameters, parseSize } from './parameters.ts'
import { checkOnce, findInput, toNoClassification, toOutputNames } from './signature.ts'

/** A request to infer. */
export interface InferRequest {
  readonly id: string | undefined
  readonly tensors: NamedTensors
  /** Names of the wanted outputs, in the order of the answer. */
  readonly outputs: readonly string[]
  /** Those of them that are to come as binary data. */
  readonly binaryOutputs: ReadonlySet<string>
}

/**
 * Reads the body of `/infer`. Parameters that this server does not know are left alone, as the protocol has it.
 * Source: Open Inference Protocol V2, "Inference Request JSON Object".
 * @throws BAD_REQUEST, BODY_TYPE; TENSOR_JSON, TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE
 */
export function parseInferRequest(request: HttpRequest, model: Signature): InferRequest {
  const parts = parseBinaryBody(request)
  if (parts === undefined) return parseInferBody(parseBody(request), model)
  if (parts.json.byteLength === 0) return parseRawRequest(request.body, model)
  return parseInferBody(parseObject(parts.json), model, parts.tail)
}

/** Reads the document of a request, and of what is behind it. @throws what `parseInferRequest` does, but for BODY_TYPE */
export function parseInferBody(body: JsonMembers, model: Signature, tail = new BinaryTail(NOTHING)): InferRequest {
  const id = body.get('id')
  if (id !== undefined && typeof id !== 'string') throw toRefusal("Unable to parse 'id': expected a string")
  const isBinary = parseFlag(parseParameters(body), 'binary_data_output') ?? false
  const tensors = parseInputs(body.get('inputs'), model, tail)
  tail.finish()
  return { id, tensors, ...parseOutputs(body.get('outputs'), model, isBinary) }
}

const NOTHING = new Uint8Array()

/** "Raw Binary Request": the body is the elements of the only input. */
function parseRawRequest(body: Uint8Array, model: Signature): InferRequest {
  const [input, ...others] = model.inputs
  if (input === undefined || others.length > 0)
    throw toRefusal(`Cannot use a body without JSON: expected a model with one input, found ${model.inputs.length}`)
  const { name, dtype } = input
  const shape = toRawShape(input, body.byteLength)
  const tensor = atInput(name, () => (dtype === 'string' ? parseRawText(shape, body) : parseRaw(dtype, shape, body)))
  const outputs = toOutputNames(model, [])
  return { id: undefined, tensors: new Map([[name, tensor]]), outputs, binaryOutputs: new Set(outputs) }
}

function parseInputs(node: JsonNode | undefined, model: Signature, tail: BinaryTail): NamedTensors {
  const tensors = new Map<string, Tensor>()
  for (const item of parseObjects(node, 'inputs')) {
    const name = parseName(item, 'inputs')
    const input = findInput(model, name)
    checkOnce(name, tensors)
    tensors.set(name, parseInput(item, input, tail))
  }
  return tensors
}

function parseInput(item: JsonMembers, input: ModelInput, tail: BinaryTail): Tensor {
  const { name, dtype } = input
  const { v2 } = DTYPES[dtype]
  const datatype = item.get('datatype')
  if (datatype !== v2) {
    const found = typeof datatype === 'string' ? datatype : 'none'
    throw toRefusal(`Cannot use input "${name}": expected datatype ${v2}, found ${found}`)
  }
  const sizeBytes = parseSize(parseParameters(item), name)
  const shape = parseShape(item.get('shape'), name)
  const data = item.get('data')
  if (data !== undefined && sizeBytes !== undefined)
    throw toRefusal(`Cannot use input "${name}": expected either 'data' or 'binary_data_size', found both`)
  // A wrong shape is told as such, rather than as data that do not fill it.
  checkShape(input, shape)
  if (data !== undefined) return atInput(name, () => parseV2Data(data, dtype, shape))
  if (sizeBytes === undefined) throw toRefusal(`Cannot use input "${name}": it has no 'data'`)
  const bytes = tail.take(name, sizeBytes)
  return atInput(name, () => parseRaw(dtype, shape, bytes))
}

function parseShape(node: JsonNode | undefined, name: string): Shape {
  const sizes = node === undefined || !isList(node) ? undefined : isNumbers(node) ? node.values : []
  const isEmptyList = Array.isArray(node) && node.length === 0
  if (sizes === undefined || (sizes.length === 0 && !isEmptyList) || !sizes.every(isSize)) {
    throw toRefusal(`Cannot use input "${name}": expected a 'shape' of whole numbers from 0 on`)
  }
  return sizes
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

function parseOutputs(
  node: JsonNode | undefined,
  model: Signature,
  isBinary: boolean,
): Pick<InferRequest, 'outputs' | 'binaryOutputs'> {
  if (node === undefined) {
    const outputs = toOutputNames(model, [])
    return { outputs, binaryOutputs: isBinary ? new Set(outputs) : NO_NAMES }
  }
  const forms = new Map(parseObjects(node, 'outputs').map(item => parseOutput(item, isBinary)))
  const outputs = toOutputNames(model, [...forms.keys()])
  return { outputs, binaryOutputs: new Set(outputs.filter(name => forms.get(name) ?? isBinary)) }
}

const NO_NAMES: ReadonlySet<string> = new Set()

function parseOutput(item: JsonMembers, isBinary: boolean): readonly [name: string, isBinary: boolean] {
  const name = parseName(item, 'outputs')
  const parameters = parseParameters(item)
  // One that is wanted in another form than the server has must not come in this one.
  if (parameters.has('classification')) throw toNoClassification(name)
  return [name, parseFlag(parameters, 'binary_data') ?? isBinary]
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

function toRefusal(text: string): Refusal {
  return new Refusal('BAD_REQUEST', text)
}

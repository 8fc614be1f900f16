import { TensorError } from './errors.ts'
import { nextField, openCursor, type ProtoCursor, readSpan, readText, skipField } from './proto-cursor.ts'
import type { RepeatBudget } from './proto-elements.ts'
import { openWriter, putEmbedded, putText, toMessage, writtenBytes } from './proto-writer.ts'
import { toRows } from './shape.ts'
import type { NamedTensors, Tensor } from './tensor.ts'
import { type ModelChoice, NO_MODEL, putModel, readModel } from './tfs-model.ts'
import {
  openRepeatBudget,
  peekTfsRows,
  putTfsTensor,
  readTfsTensor,
  type TfsTensorForm,
  toTfsTensorBytes,
} from './tfs-tensor.ts'

/** A `PredictRequest`. */
export interface PredictRequest extends ModelChoice {
  readonly inputs: NamedTensors
  /** Names of the wanted outputs; none: all. */
  readonly outputFilter: readonly string[]
}

/** A `PredictResponse`. */
export interface PredictResponse extends ModelChoice {
  readonly outputs: NamedTensors
}

/** What a message says without its elements being read. */
export interface PredictPeek extends ModelChoice {
  /** Length of the first tensor's first dimension; undefined where there is none. */
  readonly rows: number | undefined
}

const REQUEST = { model: 1, tensors: 2, filter: 3 } as const
const RESPONSE = { model: 2, tensors: 1, filter: undefined } as const
type Fields = typeof REQUEST | typeof RESPONSE
const ENTRY = { key: 1, value: 2 } as const
/** About what a message takes beside its tensors. */
const FRAME_BYTES = 96

/**
 * Reads a `PredictRequest`. Numbers may be views of `bytes`.
 * Source: tensorflow_serving/apis/predict.proto.
 * @throws TENSOR_MESSAGE, TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE
 */
export function parsePredictRequest(bytes: Uint8Array): PredictRequest {
  const { filter, model, tensors } = readMessage(bytes, REQUEST)
  return { ...model, inputs: readTensors(tensors), outputFilter: filter }
}

/** Reads a `PredictResponse`. @throws TENSOR_MESSAGE, TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE */
export function parsePredictResponse(bytes: Uint8Array): PredictResponse {
  const { model, tensors } = readMessage(bytes, RESPONSE)
  return { ...model, outputs: readTensors(tensors) }
}

/** Reads of a `PredictRequest` what routing wants to know. @throws TENSOR_MESSAGE, TENSOR_VALUE */
export function peekPredictRequest(bytes: Uint8Array): PredictPeek {
  return peek(bytes, REQUEST)
}

/** Reads of a `PredictResponse` what routing wants to know. @throws TENSOR_MESSAGE, TENSOR_VALUE */
export function peekPredictResponse(bytes: Uint8Array): PredictPeek {
  return peek(bytes, RESPONSE)
}

/** Writes a `PredictResponse`. */
export function toPredictResponse(response: PredictResponse, form: TfsTensorForm = {}): Uint8Array {
  const outputs = [...response.outputs].reverse()
  const writer = openWriter(outputs.reduce((sum, [, tensor]) => sum + toTfsTensorBytes(tensor), FRAME_BYTES))
  putModel(writer, RESPONSE.model, response)
  for (const [name, tensor] of outputs) {
    const since = writtenBytes(writer)
    putTfsTensor(writer, tensor, form)
    putEmbedded(writer, ENTRY.value, since)
    putText(writer, ENTRY.key, name)
    putEmbedded(writer, RESPONSE.tensors, since)
  }
  return toMessage(writer)
}

interface Message {
  readonly model: ModelChoice
  /** Each tensor, unread. */
  readonly tensors: ReadonlyMap<string, ProtoCursor>
  readonly filter: readonly string[]
}

function readMessage(bytes: Uint8Array, fields: Fields): Message {
  const cursor = openCursor(bytes)
  let model = NO_MODEL
  const tensors = new Map<string, ProtoCursor>()
  const filter: string[] = []
  while (nextField(cursor)) {
    if (cursor.field === fields.tensors) readEntry(readSpan(cursor), tensors)
    else if (cursor.field === fields.model) model = readModel(readSpan(cursor), model)
    else if (cursor.field === fields.filter) filter.push(readText(cursor))
    else skipField(cursor)
  }
  return { model, tensors, filter }
}

/** Reads an entry of a map; of two with one key the last counts. */
function readEntry(cursor: ProtoCursor, into: Map<string, ProtoCursor>): void {
  let key = ''
  let value = openCursor(cursor.bytes, cursor.end, cursor.end)
  while (nextField(cursor)) {
    if (cursor.field === ENTRY.key) key = readText(cursor)
    else if (cursor.field === ENTRY.value) value = readSpan(cursor)
    else skipField(cursor)
  }
  into.set(key, value)
}

function readTensors(messages: ReadonlyMap<string, ProtoCursor>): NamedTensors {
  const budget = openRepeatBudget()
  const tensors = new Map<string, Tensor>()
  for (const [name, message] of messages) tensors.set(name, readNamed(name, message, budget))
  return tensors
}

/** Adds the tensor's name to what is wrong with it, in TensorFlow Serving's words (servables/tensorflow/predict_util.cc). */
function readNamed(name: string, message: ProtoCursor, budget: RepeatBudget): Tensor {
  try {
    return readTfsTensor(message, budget)
  } catch (error) {
    if (!(error instanceof TensorError)) throw error
    throw new TensorError(error.code, `tensor parsing error: ${name}: ${error.message}`)
  }
}

function peek(bytes: Uint8Array, fields: Fields): PredictPeek {
  const { model, tensors } = readMessage(bytes, fields)
  const [first] = tensors.values()
  return { ...model, rows: first === undefined ? undefined : toRows(peekTfsRows(first)) }
}

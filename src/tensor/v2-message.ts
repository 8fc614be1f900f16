import {
  nextField,
  openCursor,
  type ProtoCursor,
  readBytes,
  readIntegers,
  readSpan,
  readText,
  skipField,
} from './proto-cursor.ts'
import type { Shape } from './shape.ts'
import { type Parameters, type ParameterValue, readParameter } from './v2-parameters.ts'
import type { V2TensorHead } from './v2-tensor.ts'

/** What is at the same place in a `ModelInferRequest` and a `ModelInferResponse`. */
export interface V2Head {
  readonly modelName: string
  /** Empty: the server's choice. */
  readonly modelVersion: string
  readonly id: string
  readonly parameters: Parameters
}

/** An output that a request wants. */
export interface RequestedOutput {
  readonly name: string
  readonly parameters: Parameters
}

/** A tensor whose elements are not read. */
export interface UnreadTensor extends RequestedOutput, V2TensorHead {
  readonly contents: Uint8Array | undefined
}

/** A message whose tensors' elements are not read. */
export interface V2Message extends V2Head {
  readonly tensors: readonly UnreadTensor[]
  /** The raw elements of each tensor, or none. */
  readonly raw: readonly Uint8Array[]
  readonly requested: readonly RequestedOutput[]
}

/** Numbers of the fields that requests and answers share. */
export const V2_FIELDS = { modelName: 1, modelVersion: 2, id: 3, parameters: 4, tensors: 5 } as const
/** Numbers of the fields of a tensor, whichever way it goes. */
export const V2_TENSOR = { name: 1, datatype: 2, shape: 3, parameters: 4, contents: 5 } as const
/** Numbers of the fields that a request has alone. */
export const V2_REQUEST = { requested: 6, raw: 7 } as const
/** Numbers of the fields that an answer has alone. */
export const V2_RESPONSE = { requested: undefined, raw: 6 } as const
const REQUESTED = { name: 1, parameters: 2 } as const

/** Reads a `ModelInferRequest` or a `ModelInferResponse` but for its tensors' elements. @throws TENSOR_MESSAGE */
export function readV2Message(bytes: Uint8Array, own: typeof V2_REQUEST | typeof V2_RESPONSE): V2Message {
  const cursor = openCursor(bytes)
  let [modelName, modelVersion, id] = ['', '', '']
  const parameters = new Map<string, ParameterValue>()
  const tensors: UnreadTensor[] = []
  const raw: Uint8Array[] = []
  const requested: RequestedOutput[] = []
  while (nextField(cursor)) {
    const { field } = cursor
    if (field === V2_FIELDS.modelName) modelName = readText(cursor)
    else if (field === V2_FIELDS.modelVersion) modelVersion = readText(cursor)
    else if (field === V2_FIELDS.id) id = readText(cursor)
    else if (field === V2_FIELDS.parameters) readParameter(readSpan(cursor), parameters)
    else if (field === V2_FIELDS.tensors) tensors.push(readTensor(readSpan(cursor)))
    else if (field === own.raw) raw.push(readBytes(cursor))
    else if (field === own.requested) requested.push(readRequested(readSpan(cursor)))
    else skipField(cursor)
  }
  return { modelName, modelVersion, id, parameters, tensors, raw, requested }
}

function readTensor(cursor: ProtoCursor): UnreadTensor {
  let [name, datatype] = ['', '']
  const shape: (number | bigint)[] = []
  const parameters = new Map<string, ParameterValue>()
  let contents: Uint8Array | undefined
  while (nextField(cursor)) {
    const { field } = cursor
    if (field === V2_TENSOR.name) name = readText(cursor)
    else if (field === V2_TENSOR.datatype) datatype = readText(cursor)
    else if (field === V2_TENSOR.shape) readIntegers(cursor, shape)
    else if (field === V2_TENSOR.parameters) readParameter(readSpan(cursor), parameters)
    else if (field === V2_TENSOR.contents) contents = readBytes(cursor)
    else skipField(cursor)
  }
  return { name, datatype, shape: toShape(shape), parameters, contents }
}

/** A length that no number holds is too large for any tensor, whatever it is rounded to. */
function toShape(lengths: readonly (number | bigint)[]): Shape {
  return lengths.map(Number)
}

function readRequested(cursor: ProtoCursor): RequestedOutput {
  let name = ''
  const parameters = new Map<string, ParameterValue>()
  while (nextField(cursor)) {
    if (cursor.field === REQUESTED.name) name = readText(cursor)
    else if (cursor.field === REQUESTED.parameters) readParameter(readSpan(cursor), parameters)
    else skipField(cursor)
  }
  return { name, parameters }
}

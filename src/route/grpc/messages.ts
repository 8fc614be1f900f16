import { type Field, listMessages, readFields, readString, toBytes, toField } from '../../core/protobuf.ts'
import { type ModelChoice, type Parameters, peekModelInferRequest, peekTfsModel } from '../../tensor/index.ts'
import type { GrpcForm, Pin } from '../path.ts'

/** What a message says about who shall answer it. */
export interface CallTarget {
  /** The model's name; undefined where the message names none. */
  readonly model: string | undefined
  readonly pin: Pin | undefined
  /** Of the request, in V2. */
  readonly parameters: Parameters
}

const NO_PARAMETERS: Parameters = new Map()
/** Numbers of fields: of a request's model, or of the tasks of `MultiInference`; of a task's model. */
const MODEL = 1
const TASK = 1
/** `ModelSpec.version`, and the one field of google.protobuf.Int64Value. */
const VERSION = 2
const WRAPPED = 1
const V2_NAME = 1
const V2_VERSION = 2

/** Reads who shall answer a prediction; tensors are not read. @throws TENSOR_MESSAGE, TENSOR_VALUE, ProtobufError */
export function readPredictionTarget(form: GrpcForm, message: Uint8Array): CallTarget {
  if (form === 'v2-infer') {
    const { modelName, modelVersion, parameters } = peekModelInferRequest(message)
    return { model: modelName, pin: toVersionPin(modelVersion), parameters }
  }
  return form === 'tfs-multi' ? toTfsTarget(peekTasks(message)) : toTfsTarget(peekTfsModel(message))
}

/** Reads of which model a message asks something else. @throws TENSOR_MESSAGE, TENSOR_VALUE, ProtobufError */
export function readModelTarget(names: 'tfs' | 'v2', message: Uint8Array): CallTarget {
  if (names === 'tfs') return toTfsTarget(peekTfsModel(message))
  const fields = toFields(message)
  const pin = toVersionPin(readString(fields, V2_VERSION))
  return { model: readString(fields, V2_NAME), pin, parameters: NO_PARAMETERS }
}

/**
 * A message of TensorFlow Serving's for a replica, which knows no labels: its version stands in the label's place. Of two
 * values for a `oneof` the later counts, and a field of one message that comes twice is merged, so it is only added.
 * Source: protobuf.dev, "Encoding", "Last One Wins".
 */
export function withVersion(form: GrpcForm | 'tfs', message: Uint8Array, version: number): Uint8Array {
  const model = toField(MODEL, toField(VERSION, toField(WRAPPED, version)))
  if (form !== 'tfs-multi') return Buffer.concat([message, model])
  const parts = toFields(message).map(({ number, message: task, whole }) =>
    number === TASK && task !== undefined ? toField(TASK, Buffer.concat([toBytes(task), model])) : toBytes(whole),
  )
  return Buffer.concat(parts)
}

/** All tasks of a request ask one model: the first one says which. */
function peekTasks(message: Uint8Array): ModelChoice {
  const [task] = listMessages(toFields(message), TASK)
  return peekTfsModel(task === undefined ? new Uint8Array(0) : toBytes(task))
}

function toTfsTarget({ modelName: model, version, versionLabel }: ModelChoice): CallTarget {
  const label = versionLabel === undefined ? undefined : ({ kind: 'label', text: versionLabel } as const)
  const pin = version === undefined ? label : ({ kind: 'version', text: String(version) } as const)
  return { model, pin, parameters: NO_PARAMETERS }
}

function toVersionPin(text: string): Pin | undefined {
  return text === '' ? undefined : { kind: 'version', text }
}

function toFields(message: Uint8Array): readonly Field[] {
  return readFields({ bytes: message, start: 0, end: message.byteLength })
}

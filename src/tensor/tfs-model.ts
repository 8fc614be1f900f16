import { TensorError } from './errors.ts'
import { nextField, openCursor, type ProtoCursor, readInteger, readSpan, readText, skipField } from './proto-cursor.ts'
import { type ProtoWriter, putEmbedded, putInteger, putText, putTextUnlessEmpty, writtenBytes } from './proto-writer.ts'

/** A `ModelSpec`: which version of which model is asked, or answered. */
export interface ModelChoice {
  /** Undefined where the message has no `ModelSpec`. */
  readonly modelName: string | undefined
  /** A message has a version, a label or neither. */
  readonly version: number | undefined
  readonly versionLabel: string | undefined
  /** Empty: `serving_default`. */
  readonly signatureName: string
}

/** Of a message without a `ModelSpec`. */
export const NO_MODEL: ModelChoice = {
  modelName: undefined,
  version: undefined,
  versionLabel: undefined,
  signatureName: '',
}

const MODEL = { name: 1, version: 2, signature: 3, label: 4 } as const
/** The one field of google.protobuf.Int64Value. */
const WRAPPED = 1

/**
 * Reads a `ModelSpec` over another: where it stands twice in a message, the second one counts where it says something.
 * Source: tensorflow_serving/apis/model.proto.
 * @throws TENSOR_MESSAGE, TENSOR_VALUE
 */
export function readModel(cursor: ProtoCursor, before: ModelChoice): ModelChoice {
  let { modelName = '', signatureName, version, versionLabel } = before
  while (nextField(cursor)) {
    switch (cursor.field) {
      case MODEL.name:
        modelName = readText(cursor)
        break
      case MODEL.version:
        version = readVersion(readSpan(cursor))
        versionLabel = undefined
        break
      case MODEL.label:
        version = undefined
        versionLabel = readText(cursor)
        break
      case MODEL.signature:
        signatureName = readText(cursor)
        break
      default:
        skipField(cursor)
    }
  }
  return { modelName, version, versionLabel, signatureName }
}

/** Where a request has its `ModelSpec`. */
const IN_REQUEST = 1

/**
 * Reads which model a request asks, and nothing else of it: of any request of TensorFlow Serving's but `MultiInference`.
 * @throws TENSOR_MESSAGE, TENSOR_VALUE
 */
export function peekTfsModel(bytes: Uint8Array): ModelChoice {
  const cursor = openCursor(bytes)
  let model = NO_MODEL
  while (nextField(cursor)) {
    if (cursor.field === IN_REQUEST) model = readModel(readSpan(cursor), model)
    else skipField(cursor)
  }
  return model
}

function readVersion(cursor: ProtoCursor): number {
  let version: number | bigint = 0
  while (nextField(cursor)) {
    if (cursor.field === WRAPPED) version = readInteger(cursor)
    else skipField(cursor)
  }
  if (typeof version === 'number') return version
  throw new TensorError('TENSOR_VALUE', `Cannot use ${version} as a version: expected a whole number below 2^53`)
}

/** Puts a `ModelSpec` as a field, unless there is none. */
export function putModel(writer: ProtoWriter, field: number, model: ModelChoice): void {
  if (model.modelName === undefined) return
  const since = writtenBytes(writer)
  if (model.versionLabel !== undefined) putText(writer, MODEL.label, model.versionLabel)
  putTextUnlessEmpty(writer, MODEL.signature, model.signatureName)
  if (model.version !== undefined) {
    const before = writtenBytes(writer)
    if (model.version !== 0) putInteger(writer, WRAPPED, model.version)
    putEmbedded(writer, MODEL.version, before)
  }
  putTextUnlessEmpty(writer, MODEL.name, model.modelName)
  putEmbedded(writer, field, since)
}

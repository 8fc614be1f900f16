import { nextField, openCursor, type ProtoCursor, readSpan, skipField } from './proto-cursor.ts'
import { type PredictRequest, parsePredictRequest } from './tfs-predict.ts'

/** The kinds of log of a `PredictionLog`, of which it has one: classify, regress, several, predict, a stream of those. */
const KINDS = [2, 3, 4, 6, 7]
const PREDICT = 6
/** Of a `PredictLog`. */
const REQUEST = 1

/**
 * Reads of a `PredictionLog` its request to predict; undefined where it is of another kind.
 * Source: tensorflow_serving/apis/prediction_log.proto.
 * @throws TENSOR_MESSAGE, TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE
 */
export function parsePredictionLog(bytes: Uint8Array): PredictRequest | undefined {
  const cursor = openCursor(bytes)
  let log: ProtoCursor | undefined
  while (nextField(cursor)) {
    if (cursor.field === PREDICT) log = readSpan(cursor)
    else {
      if (KINDS.includes(cursor.field)) log = undefined
      skipField(cursor)
    }
  }
  return log === undefined ? undefined : parsePredictRequest(findRequest(log))
}

function findRequest(log: ProtoCursor): Uint8Array {
  let request: Uint8Array = new Uint8Array()
  while (nextField(log)) {
    if (log.field !== REQUEST) skipField(log)
    else {
      const { bytes, at, end } = readSpan(log)
      request = bytes.subarray(at, end)
    }
  }
  return request
}

import { parsePredictionLog } from '../../tensor/index.ts'
import type { Signature } from '../engine/engine.ts'
import { toWish, type Wish } from '../tfs-grpc/request.ts'

/**
 * Reads a record of TensorFlow Serving's warm-up file, a `PredictionLog`, as a request to a model; undefined for a kind
 * that an ONNX model has no signature for. The model that the record names does not matter, as there.
 * @throws PRECONDITION, BAD_REQUEST; TENSOR_MESSAGE, TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE
 */
export function parseWarmUpRecord(record: Uint8Array, model: Signature): Wish | undefined {
  const request = parsePredictionLog(record)
  return request === undefined ? undefined : toWish(request, model)
}

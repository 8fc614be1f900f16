/**
 * The other door of this room: the messages of the gRPC protocols that are not on the path of a prediction, as Buf
 * generates them from `proto/`, and their services. They are apart because their library takes its time to load.
 */
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import { toErrorText } from '../core/errors.ts'
import { TensorError } from './errors.ts'

export { Health, HealthCheckResponse_ServingStatus } from './generated/grpc/health_pb.js'
export { GRPCInferenceService } from './generated/inference/grpc_service_pb.js'
export { Code } from './generated/tensorflow/error_pb.js'
export type { ClassificationResult, Input, RegressionResult } from './generated/tensorflow/serving/inference_pb.js'
export { SignatureDefMapSchema } from './generated/tensorflow/serving/metadata_pb.js'
export { type ModelSpec, ModelSpecSchema } from './generated/tensorflow/serving/model_pb.js'
export {
  type ModelServerConfig,
  ModelServerConfigSchema,
} from './generated/tensorflow/serving/model_server_config_pb.js'
export { ModelService, ModelVersionStatus_State } from './generated/tensorflow/serving/model_service_pb.js'
export { type PredictionLog, PredictionLogSchema } from './generated/tensorflow/serving/prediction_log_pb.js'
export { PredictionService } from './generated/tensorflow/serving/prediction_service_pb.js'
export { DataType } from './generated/tensorflow/tensor_pb.js'

/** A generated message; what is given to `toMessageBytes` to write one; and a unary method, with its messages. */
export type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape }

/**
 * Reads a generated message: `parseMessage(ModelService.method.getModelStatus.input, bytes)`.
 * @throws TENSOR_MESSAGE
 */
export function parseMessage<schema extends DescMessage>(schema: schema, bytes: Uint8Array): MessageShape<schema> {
  try {
    return fromBinary(schema, bytes)
  } catch (error) {
    throw new TensorError(
      'TENSOR_MESSAGE',
      `Cannot read the protobuf message ${schema.typeName}: ${toErrorText(error)}`,
    )
  }
}

/** Writes a generated message; fields that are left out have their defaults. */
export function toMessageBytes<schema extends DescMessage>(
  schema: schema,
  init: MessageInitShape<schema>,
): Uint8Array<ArrayBuffer> {
  return toBinary(schema, create(schema, init))
}

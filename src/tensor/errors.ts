import { RegattaError } from '../core/errors.ts'

/**
 * What is wrong with a tensor or its text: `JSON` (not a JSON text), `MESSAGE` (not a protobuf message), `TYPE` (a
 * value of another type), `SHAPE` (another shape), `VALUE` (the right type, but it cannot be kept without loss).
 */
export type TensorErrorCode = 'TENSOR_JSON' | 'TENSOR_MESSAGE' | 'TENSOR_TYPE' | 'TENSOR_SHAPE' | 'TENSOR_VALUE'

/** A tensor, or the JSON or the message of one, that cannot be used as it is. */
export class TensorError extends RegattaError {
  declare readonly code: TensorErrorCode

  constructor(code: TensorErrorCode, what: string) {
    super(code, what)
  }
}

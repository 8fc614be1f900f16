import { GrpcError, type GrpcStatus } from '../../core/grpc/grpc.ts'
import { TensorError } from '../../tensor/index.ts'
import { cutText, Refusal, type RefusalCode } from '../errors.ts'

/** Status of each reason for which a call is refused, as TensorFlow Serving and Triton tell it where they have it. */
const STATUSES = {
  BAD_REQUEST: 'INVALID_ARGUMENT',
  PRECONDITION: 'FAILED_PRECONDITION',
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  FORBIDDEN: 'PERMISSION_DENIED',
  NOT_FOUND: 'NOT_FOUND',
  METHOD: 'UNIMPLEMENTED',
  BODY_SIZE: 'RESOURCE_EXHAUSTED',
  BODY_TYPE: 'INVALID_ARGUMENT',
  OVERLOADED: 'RESOURCE_EXHAUSTED',
  GONE: 'CANCELLED',
  INFERENCE: 'INTERNAL',
  // server_core.cc, `WaitUntilModelsAvailable`.
  LOAD_FAILED: 'UNKNOWN',
  UNSUPPORTED: 'UNIMPLEMENTED',
  NOT_READY: 'UNAVAILABLE',
  DEADLINE: 'DEADLINE_EXCEEDED',
} as const satisfies Record<RefusalCode, GrpcStatus>

/** Words a refusal, and what is wrong with a message, as the end of a call. Anything else stays as it is: a bug. */
export function toGrpcError(error: Refusal): GrpcError
export function toGrpcError(error: unknown): unknown
export function toGrpcError(error: unknown): unknown {
  if (error instanceof Refusal) return new GrpcError(STATUSES[error.code], cutText(error.message), { cause: error })
  if (error instanceof TensorError) return new GrpcError('INVALID_ARGUMENT', cutText(error.message), { cause: error })
  return error
}

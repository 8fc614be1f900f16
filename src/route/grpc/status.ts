import { GrpcError, type GrpcMetadata, type GrpcStatus } from '../../core/grpc/grpc.ts'
import { HTTP_STATUSES } from '../../core/grpc/http-status.ts'
import type { GatewayErrorCode, Refusal } from '../errors.ts'

const REFUSED_AS: Readonly<Record<GatewayErrorCode, Exclude<GrpcStatus, 'OK'>>> = {
  HINT: 'INVALID_ARGUMENT',
  METHOD: 'UNIMPLEMENTED',
  MESSAGE: 'INVALID_ARGUMENT',
  UNKNOWN_CALL: 'UNIMPLEMENTED',
  NO_ROUTES: 'UNAVAILABLE',
  TOKEN: 'UNAUTHENTICATED',
  CLOSED: 'PERMISSION_DENIED',
  NO_VERSION: 'NOT_FOUND',
  NO_REPLICA: 'UNAVAILABLE',
  OVERLOADED: 'RESOURCE_EXHAUSTED',
  REPLICA_LOST: 'UNAVAILABLE',
  REPLICA_TIMEOUT: 'DEADLINE_EXCEEDED',
  ANSWER_TOO_LONG: 'RESOURCE_EXHAUSTED',
  UNSENDABLE: 'INVALID_ARGUMENT',
  CONTROL_AWAY: 'UNAVAILABLE',
}

/** When a client may try again; gRPC's clients with a retry policy heed it (gRFC A6, "Pushback"). */
const RETRY: GrpcMetadata = { 'grpc-retry-pushback-ms': '1000' }

/** The HTTP status that a status of gRPC stands for, in records and for whoever judges a variant by its answers. */
export function toHttpStatus(status: GrpcStatus): number {
  return HTTP_STATUSES[status]
}

/** Words a refusal of the gateway's own as gRPC does; `trailers` say more about the call. */
export function toRefusalError({ code, text }: Refusal, trailers: GrpcMetadata = {}): GrpcError {
  const retry = code === 'OVERLOADED' || code === 'NO_REPLICA' || code === 'NO_ROUTES' ? RETRY : {}
  return new GrpcError(REFUSED_AS[code], text, { trailers: { ...trailers, 'x-regatta-error': code, ...retry } })
}

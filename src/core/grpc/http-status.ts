import type { GrpcStatus } from './grpc.ts'

/**
 * The HTTP status that says what a call's status says. Source: tensorflow_serving/util/net_http, `ToHTTPStatusCode`
 * (http_rest_api_util.cc), and google.rpc.Code.
 */
export const HTTP_STATUSES = {
  OK: 200,
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
} as const satisfies Record<GrpcStatus, number>

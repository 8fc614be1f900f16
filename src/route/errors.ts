import { type HttpResponse, toJsonResponse } from '../core/http/http.ts'

/** Why the gateway itself refuses a request; sent as `x-regatta-error`. */
export type GatewayErrorCode =
  | 'HINT'
  | 'METHOD'
  | 'MESSAGE'
  | 'UNKNOWN_CALL'
  | 'NO_ROUTES'
  | 'TOKEN'
  | 'CLOSED'
  | 'NO_VERSION'
  | 'NO_REPLICA'
  | 'OVERLOADED'
  | 'REPLICA_LOST'
  | 'REPLICA_TIMEOUT'
  | 'ANSWER_TOO_LONG'
  | 'UNSENDABLE'
  | 'CONTROL_AWAY'

/** A refusal in the words of the protocol that the path belongs to. */
export interface Refusal {
  readonly code: GatewayErrorCode
  readonly status: number
  readonly text: string
}

const RETRY_AFTER_SECONDS = '1'

/**
 * Words a refusal as the protocol of `path` does. TensorFlow Serving's REST API and Open Inference V2 both answer
 * `{"error": text}`; MLflow's scoring server (`/invocations`) answers `{"error_code", "message"}`.
 */
export function toRefusalResponse(path: string, refusal: Refusal): HttpResponse {
  const { code, status, text } = refusal
  const body = path === '/invocations' ? { error_code: code, message: text } : { error: text }
  const retry = status === 503 || status === 429 ? { 'retry-after': RETRY_AFTER_SECONDS } : {}
  return toJsonResponse(status, body, { 'x-regatta-error': code, ...retry })
}

import { RegattaError } from '../core/errors.ts'
import { type HttpResponse, toJsonResponse } from '../core/http/http.ts'

/** Why a model server does not start, or stops by itself. */
export type ServerErrorCode = 'MODEL_MISSING' | 'MODEL_LOAD' | 'MODEL_SIGNATURE' | 'MODEL_WARM_UP' | 'ENGINE_LOST'

/** HTTP status of each reason for which a request is refused. Both protocols map their own codes so. */
const STATUSES = {
  /** Not what the protocol or the model's signature wants. */
  BAD_REQUEST: 400,
  /** Not what the server's state allows. */
  PRECONDITION: 400,
  /** No token, or a wrong one. */
  UNAUTHENTICATED: 401,
  /** Something that this server is set up not to do. */
  FORBIDDEN: 403,
  /** No such path, model or version. */
  NOT_FOUND: 404,
  METHOD: 405,
  /** A body that is longer than the server takes. */
  BODY_SIZE: 413,
  /** A body of another type, or compressed in another way. */
  BODY_TYPE: 415,
  /** More requests wait than the server keeps. */
  OVERLOADED: 429,
  /** The client went away before its turn; nobody reads the answer. */
  GONE: 499,
  /** ONNX Runtime failed. */
  INFERENCE: 500,
  /** A model that was asked for could not be loaded. */
  LOAD_FAILED: 500,
  /** Something that the protocol has and this server has not. */
  UNSUPPORTED: 501,
  /** The model is being loaded, or the server stops. */
  NOT_READY: 503,
  /** The time for an answer was over. */
  DEADLINE: 504,
} as const satisfies Record<string, number>

/** Why a request is refused. */
export type RefusalCode = keyof typeof STATUSES

/** A request that is refused; the message goes to the client. */
export class Refusal extends RegattaError {
  declare readonly code: RefusalCode
  readonly headers: Readonly<Record<string, string>>

  constructor(code: RefusalCode, what: string, more: { cause?: unknown; headers?: Record<string, string> } = {}) {
    super(code, what, { cause: more.cause, retryable: code === 'OVERLOADED' || code === 'NOT_READY' })
    this.headers = more.headers ?? {}
  }
}

/** The longest text of a refusal: requests may be quoted in it, and over gRPC it travels in a header (grpc_status_util.cc). */
const MAX_TEXT = 1024

/** Cuts what a refusal says to what is sent of it. */
export function cutText(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}...TRUNCATED`
}

/** Seconds after which a client may try again. */
const RETRY_AFTER = '1'

/**
 * Words a refusal: `{"error": text}`, the form of both TensorFlow Serving's REST API and Open Inference V2
 * ("$inference_error_response"; TensorFlow Serving api_rest.md, "Error conditions").
 */
export function toRefusalResponse(refusal: Refusal): HttpResponse {
  const retry = refusal.retryable ? { 'retry-after': RETRY_AFTER } : {}
  return toJsonResponse(STATUSES[refusal.code], { error: cutText(refusal.message) }, { ...retry, ...refusal.headers })
}

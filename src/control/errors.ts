import { RegattaError } from '../core/errors.ts'
import { type HttpResponse, toJsonResponse } from '../core/http/http.ts'
import type { ErrorJson } from './api/events.ts'

/** HTTP status of each error that control makes. */
const OWN = {
  REQUEST: 400,
  TRUTH: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  HOST_REFUSED: 403,
  IMAGE_MISSING: 404,
  NOT_FOUND: 404,
  NOTHING_DEPLOYED: 404,
  PREDICTION_UNKNOWN: 404,
  RACE_NONE: 404,
  RACE_UNKNOWN: 404,
  VARIANT_UNKNOWN: 404,
  METHOD: 405,
  ALREADY_CHAMPION: 409,
  CHALLENGERS_SEVERAL: 409,
  NAME_TAKEN: 409,
  NO_CHALLENGER: 409,
  NO_CHAMPION: 409,
  NO_STANDBY: 409,
  NOT_READY: 409,
  RACES_SEVERAL: 409,
  RAMP_NONE: 409,
  SHARES_TAKEN: 409,
  BODY_TOO_LONG: 413,
  DIGEST_UNKNOWN: 422,
  VERSION_UNKNOWN: 422,
  BUSY: 503,
  CLOSING: 503,
} as const satisfies Record<string, number>

/** Errors of other rooms that a request of the caller causes. */
const OTHERS: Readonly<Record<string, number>> = {
  DIGEST: 400,
  LOG_NONE: 404,
  INSTANT: 400,
  PREDICTION_ID: 400,
  RECORDS: 400,
  VARIANT_NAME: 400,
  STORE_AWAY: 503,
  STORE_BUSY: 503,
  STORE_FULL: 507,
  TARGET_PLAN: 422,
  DISK_FULL: 507,
}

/** Codes of control's own errors. */
export type ControlErrorCode = keyof typeof OWN

/** An error of control's API. */
export function toControlError(code: ControlErrorCode, what: string, fix: string, cause?: unknown): RegattaError {
  return new RegattaError(code, what, { fix, cause, retryable: OWN[code] === 503 })
}

/** The HTTP answer to an error; a status that no table knows is 500. */
export function toErrorResponse(error: RegattaError, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  const statuses: Readonly<Record<string, number>> = { ...OTHERS, ...OWN }
  const status = statuses[error.code] ?? (error.retryable ? 503 : 500)
  return toJsonResponse(status, toErrorJson(error.code, error.message, error.fix), headers)
}

/** The body of every error. */
export function toErrorJson(code: string, message: string, fix: string | undefined): ErrorJson {
  return { error: { code, message, fix: fix ?? null } }
}

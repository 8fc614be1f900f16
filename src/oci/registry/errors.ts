import { type ErrorDetail, RegattaError } from '../../core/errors.ts'
import { isObject } from '../../core/json.ts'
import { toPublicText } from './endpoint.ts'

/** Codes of what can go wrong between here and a registry. */
export type RegistryErrorCode =
  | 'REGISTRY_UNREACHABLE'
  | 'REGISTRY_NONE'
  | 'REGISTRY_AUTH'
  | 'REGISTRY_DENIED'
  | 'REGISTRY_MISSING'
  | 'REGISTRY_BUSY'
  | 'REGISTRY_SLOW'
  | 'REGISTRY_ANSWER'
  | 'REGISTRY_DIGEST'
  | 'REGISTRY_LOCATION'

/** An error whose answer may be acted on. */
export class RegistryError extends RegattaError {
  readonly status: number
  /** The start of the body, which holds the registry's own codes, such as `MANIFEST_BLOB_UNKNOWN`. */
  readonly said: string
  /** How long the registry asks to wait, ms. */
  readonly askedMs: number | undefined

  constructor(code: RegistryErrorCode, what: string, answer: FailedAnswer, more: ErrorDetail) {
    super(code, what, more)
    this.status = answer.status
    this.said = answer.text
    this.askedMs = answer.askedMs
  }
}

/** What a registry answered, as far as an error tells of it. */
export interface FailedAnswer {
  readonly method: string
  readonly url: URL
  readonly status: number
  /** The start of the body. */
  readonly text: string
  /** What `Retry-After` asks for, ms. */
  readonly askedMs?: number | undefined
}

/** Statuses that may be another one next time (RFC 9110 section 15.6, RFC 6585 section 4). */
export function isRetryable(status: number): boolean {
  return status === 429 || status === 408 || status === 500 || (status >= 502 && status <= 504)
}

/**
 * The error of an answer that is not the wished one. `action` tells what was tried: `push forecast:1`.
 * Source of the body's form: distribution-spec v1.1.1, "Error Codes".
 */
export function toAnswerError(action: string, answer: FailedAnswer): RegistryError {
  const { method, status, text, url } = answer
  const said = toSaid(text)
  const where = `${method} ${toPublicText(url)}: ${status}`
  const what = `Cannot ${action}: ${toReason(status)}${said === '' ? '' : `: ${said}`}`
  return new RegistryError(toCode(status), what, answer, { where, retryable: isRetryable(status), ...toFix(answer) })
}

/** The registry's own words: those of its JSON, or the first line of plain text; never a page of HTML. */
function toSaid(text: string): string {
  const fromJson = toJsonWords(text)
  if (fromJson !== undefined) return fromJson
  return /^\s*</.test(text) ? '' : toOneLine(text)
}

function toJsonWords(text: string): string | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const errors = isObject(value) && Array.isArray(value['errors']) ? value['errors'] : [value]
  return errors
    .slice(0, 3)
    .filter(isObject)
    .map(({ code, details, message }) => [code, message ?? details].filter(part => typeof part === 'string').join(' '))
    .map(toOneLine)
    .filter(words => words !== '')
    .join('; ')
}

/** Words of a registry as they can be shown: a line, without what moves a terminal. */
export function toOneLine(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 300)
}

function toCode(status: number): RegistryErrorCode {
  if (status === 401) return 'REGISTRY_AUTH'
  if (status === 403 || status === 405) return 'REGISTRY_DENIED'
  if (status === 404) return 'REGISTRY_MISSING'
  if (status === 429) return 'REGISTRY_BUSY'
  return 'REGISTRY_ANSWER'
}

function toReason(status: number): string {
  if (status === 401) return 'the registry does not take the credentials'
  if (status === 403) return 'the registry does not allow it'
  if (status === 404) return 'the registry does not have it'
  if (status === 405) return 'the registry does not take changes'
  if (status === 429) return 'the registry asks for fewer requests'
  return `the registry answered ${status}`
}

function toFix({ status, url }: FailedAnswer): { readonly fix?: string } {
  if (status === 401) return { fix: `docker login ${url.host}, or skopeo login ${url.host}` }
  if (status === 403) return { fix: 'Ask for the right to the repository, or log in as somebody who has it' }
  if (status === 404) return { fix: 'Check the name, and that you may see it' }
  if (status === 405) return { fix: 'Name a repository that may be written' }
  if (isRetryable(status)) return { fix: 'Try again later: nothing half-written was left' }
  return {}
}

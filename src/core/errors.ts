/**
 * Says what failed, where, and how to fix it. `code` is stable and machine-readable; the message alone is
 * enough in a log line. Work that failed (exit code 1); wrong usage is a `UsageError` (exit code 2).
 */
export class RegattaError extends Error {
  readonly code: string
  readonly where: string | undefined
  readonly fix: string | undefined
  /** Whether the same call may succeed later without any change by the caller. */
  readonly retryable: boolean

  constructor(code: string, what: string, more: ErrorDetail = {}) {
    super(more.where === undefined ? what : `${what} (${more.where})`, { cause: more.cause })
    this.name = new.target.name
    this.code = code
    this.where = more.where
    this.fix = more.fix
    this.retryable = more.retryable ?? false
  }
}

/** The parts of an error beside its code and its sentence. */
export interface ErrorDetail {
  readonly where?: string
  readonly fix?: string
  readonly cause?: unknown
  readonly retryable?: boolean
}

/** The caller used a command, a flag or a configuration wrongly: nothing was attempted (exit code 2). */
export class UsageError extends RegattaError {}

/** One line for any thrown value, with the messages of its causes; never a stack. */
export function toErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `: ${toErrorText(error.cause)}`
  return `${error.message}${cause}`
}

/** The system's code of a thrown value (`ENOENT`, `EADDRINUSE`, …), or undefined. */
export function toSystemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

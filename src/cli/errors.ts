import { toDiskError } from '../core/disk.ts'
import { RegattaError, toErrorText, toSystemCode, UsageError } from '../core/errors.ts'

/** Exit codes of every verb. */
export const EXIT = { done: 0, failed: 1, usage: 2, undecided: 3, interrupted: 130 } as const

/**
 * Gives a failure of the file system that nobody foresaw a code and a fix: it is no bug. Other values stay as they are.
 * `folder` is named where the system does not name a path.
 */
export function toKnownError(error: unknown, folder: string): unknown {
  const path = error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : folder
  if (!isDenied(error)) return toDiskError(error, path)
  return new RegattaError('ACCESS', `Cannot use "${path}": this user may not, or the disk is read-only`, {
    fix: 'Make it a place that you may read and write',
    cause: error,
  })
}

/** Node says ENOENT where a folder cannot be made with its parents on a read-only disk. */
function isDenied(error: unknown): boolean {
  const code = toSystemCode(error) ?? ''
  const isFolder = error instanceof Error && 'syscall' in error && error.syscall === 'mkdir'
  return ['EACCES', 'EPERM', 'EROFS', ...(isFolder ? ['ENOENT'] : [])].includes(code)
}

/**
 * The lines that tell a person of an error: `error[CODE] what`, then `  try: fix`. A plain `Error` is a bug of
 * regatta and shows its stack.
 */
export function toErrorLines(error: unknown): string {
  if (!(error instanceof RegattaError)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return `error[BUG] ${stack}\n  try: report this with the lines above\n`
  }
  const cause = error.cause === undefined ? '' : `\n  because: ${toErrorText(error.cause)}`
  const fix = error.fix === undefined ? '' : `\n  try: ${error.fix}`
  return `error[${error.code}] ${error.message}${cause}${fix}\n`
}

/** The same for `--json`: one document on stdout. */
export function toErrorJson(error: unknown): string {
  const known = error instanceof RegattaError ? error : undefined
  const body = {
    code: known?.code ?? 'BUG',
    message: toErrorText(error),
    where: known?.where ?? null,
    fix: known?.fix ?? null,
  }
  return `${JSON.stringify({ schema: 'regatta/error/v1', error: body })}\n`
}

/** The exit code of a thrown value: 2 for wrong usage, 130 for an interrupted command, 1 for failed work. */
export function toExitCode(error: unknown, signal: AbortSignal): number {
  if (error instanceof UsageError) return EXIT.usage
  if (signal.aborted) return EXIT.interrupted
  return EXIT.failed
}

import { RegattaError, toSystemCode } from '../core/errors.ts'

/**
 * What may be wrong with the database of events.
 * - `STORE_NEWER`: a later regatta wrote it.
 * - `STORE_CORRUPT`: it is damaged, or no database of regatta.
 * - `STORE_FULL`: there is no room to write.
 * - `STORE_BUSY`: another process has been writing for too long.
 * - `STORE_OPEN`: it cannot be opened, read or written at all.
 */
export type StoreErrorCode = 'STORE_NEWER' | 'STORE_CORRUPT' | 'STORE_FULL' | 'STORE_BUSY' | 'STORE_OPEN'

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const SQLITE = { perm: 3, busy: 5, readonly: 8, ioerr: 10, corrupt: 11, full: 13, cantopen: 14, notadb: 26 } as const
/** The extended code of a shared-memory file that could not grow: a full disk. */
const SQLITE_IOERR_SHMSIZE = 4874

/** Whether another connection holds the lock that was wanted. */
export function isBusy(error: unknown): boolean {
  return (toResultCode(error) & 0xff) === SQLITE.busy
}

/** Says what an error of SQLite or of the system means for the database at `path`; any other error stays as it is. */
export function toStoreError(cause: unknown, path: string): unknown {
  const code = toResultCode(cause)
  if (code === 0) return toFolderError(cause, path)
  if (code === SQLITE_IOERR_SHMSIZE) return full(path, cause)
  switch (code & 0xff) {
    case SQLITE.full:
      return full(path, cause)
    case SQLITE.corrupt:
    case SQLITE.notadb:
      return corrupt(path, 'it is damaged, or no SQLite database', cause)
    case SQLITE.busy:
      return new RegattaError('STORE_BUSY', `Cannot write "${path}": another process keeps it locked`, {
        fix: 'End the other program that has this file open, or try again',
        cause,
        retryable: true,
      })
    case SQLITE.perm:
    case SQLITE.readonly:
    case SQLITE.ioerr:
    case SQLITE.cantopen:
      return unusable(path, cause)
    default:
      return cause
  }
}

/** The error of a file that is there but not a database of regatta. */
export function corrupt(path: string, why: string, cause?: unknown): RegattaError {
  return new RegattaError('STORE_CORRUPT', `Cannot read the database "${path}": ${why}`, {
    fix: 'Put a backup in its place, or move the file and its -wal and -shm away to start with an empty one',
    cause,
  })
}

/** The error of a database that a later regatta wrote. */
export function newer(path: string, found: number, known: number): RegattaError {
  return new RegattaError(
    'STORE_NEWER',
    `Cannot read the database "${path}": its schema is version ${found}, this regatta knows up to ${known}`,
    { fix: 'Use the regatta that wrote it, or a later one: npm install regatta@latest' },
  )
}

/** The folder of the database could not be made. */
function toFolderError(cause: unknown, path: string): unknown {
  const code = toSystemCode(cause)
  if (code === 'ENOSPC' || code === 'EDQUOT') return full(path, cause)
  return code === undefined || !/^E[A-Z]+$/.test(code) ? cause : unusable(path, cause)
}

function unusable(path: string, cause: unknown): RegattaError {
  return new RegattaError('STORE_OPEN', `Cannot use the database "${path}": the system refuses to read or write it`, {
    fix: 'Check that its folder can be made, and that this user may write in the folder and in its files',
    cause,
  })
}

function full(path: string, cause: unknown): RegattaError {
  return new RegattaError('STORE_FULL', `Cannot write "${path}": the disk is full`, {
    fix: 'Make room on that disk and send the same again; what was stored before is unharmed',
    cause,
    retryable: true,
  })
}

function toResultCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0
}

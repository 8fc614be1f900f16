import { RegattaError, toSystemCode } from '../core/errors.ts'

/**
 * What may be wrong with the database of events.
 * - `STORE_NEWER`: a later regatta wrote it.
 * - `STORE_OWNED`: it holds another deployment.
 * - `STORE_CORRUPT`: it is damaged, or no database of regatta.
 * - `STORE_FULL`: there is no room to write.
 * - `STORE_BUSY`: another process has been writing for too long.
 * - `STORE_AWAY`: its server does not answer now.
 * - `STORE_OPEN`: it cannot be opened, read or written at all.
 */
export type StoreErrorCode =
  | 'STORE_NEWER'
  | 'STORE_OWNED'
  | 'STORE_CORRUPT'
  | 'STORE_FULL'
  | 'STORE_BUSY'
  | 'STORE_AWAY'
  | 'STORE_OPEN'

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
      return busy(path, cause)
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

/** The error of a database that another deployment keeps its events in. */
export function owned(place: string, owner: string, wanted: string): RegattaError {
  return new RegattaError(
    'STORE_OWNED',
    `Cannot use the database "${place}" for the deployment "${wanted}": it is of the deployment "${owner}"`,
    { fix: 'Make a database for each deployment (createdb NAME), and put its URL in DATABASE_URL' },
  )
}

/** Whether transactions of PostgreSQL got in each other's way, so that this one may be run again. */
export function isContention(error: unknown): boolean {
  return ['40001', '40P01'].includes(toSystemCode(error) ?? '')
}

/**
 * Says what an error of PostgreSQL (postgresql.org/docs/current/errcodes-appendix.html) or of the connection means for
 * the database at `place`; any other error stays as it is.
 */
export function toPostgresError(cause: unknown, place: string): unknown {
  const code = toSystemCode(cause) ?? ''
  if (code === '53100') return full(place, cause)
  if (['40001', '40P01', '55P03', '57014', '53300'].includes(code)) return busy(place, cause)
  if (/^(28|3D|42501)/.test(code)) {
    return new RegattaError('STORE_OPEN', `Cannot use the database "${place}": it refuses this user`, {
      fix: 'Check DATABASE_URL: the database must be there, and its user may create a schema in it',
      cause,
    })
  }
  return isAway(cause, code) ? away(place, cause) : cause
}

/** A connection that could not be made or was lost, or a server that stops, starts or was just restored. */
function isAway(cause: unknown, code: string): boolean {
  if (/^(08|57P|E[A-Z])/.test(code)) return true
  // What the client itself says has no code.
  const said = /^Connection terminated|^timeout exceeded when|connection error and is not queryable|^Client was closed/
  return cause instanceof Error && said.test(cause.message)
}

function away(place: string, cause: unknown): RegattaError {
  return new RegattaError('STORE_AWAY', `Cannot reach the database "${place}"`, {
    fix: 'See that PostgreSQL runs there, and send the same again; what was stored before is unharmed',
    cause,
    retryable: true,
  })
}

function busy(place: string, cause: unknown): RegattaError {
  return new RegattaError('STORE_BUSY', `Cannot write "${place}": another process keeps it locked`, {
    fix: 'End the other program that works on this database, or try again',
    cause,
    retryable: true,
  })
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

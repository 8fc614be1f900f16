import { RegattaError, toSystemCode } from './errors.ts'

/** Turns the system's "no space" (or "over quota") into DISK_FULL with the path; any other error stays as it is. */
export function toDiskError(error: unknown, path: string): unknown {
  const code = toSystemCode(error)
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new RegattaError('DISK_FULL', `Cannot write "${path}": the disk is full`, {
    fix: 'Make room on that disk and run the same command again: nothing half-written was left',
    cause: error,
    retryable: true,
  })
}

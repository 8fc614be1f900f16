import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { toDiskError } from './disk.ts'
import { RegattaError } from './errors.ts'

/** A lock that this process holds until disposal; the kernel gives it back if the process dies. */
export interface FileLock extends AsyncDisposable {
  readonly path: string
}

/**
 * Takes the lock at `path`, or returns undefined where another holder has it.
 *
 * Node has no `flock`; SQLite's exclusive transaction on an empty database is the same advisory lock of the
 * kernel, so a killed holder leaves nothing to clean (sqlite.org/lockingv3.html). With its journal in memory it writes
 * nothing: a lock can be had on a full disk, where `down` must still work. @throws LOCK, DISK_FULL
 */
export async function takeFileLock(path: string): Promise<FileLock | undefined> {
  const database = await openFile(path)
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined
    throw error
  }
  return {
    path,
    async [Symbol.asyncDispose]() {
      database.close()
    },
  }
}

const SQLITE_BUSY = 5

async function openFile(path: string): Promise<DatabaseSync> {
  try {
    await mkdir(dirname(path), { recursive: true })
    return new DatabaseSync(path)
  } catch (error) {
    const cause = toDiskError(error, path)
    if (cause instanceof RegattaError) throw cause
    throw new RegattaError('LOCK', `Cannot take the lock "${path}": the file cannot be opened`, {
      fix: 'Make its folder a place that you may write to',
      cause,
    })
  }
}

/** Takes the lock, waiting while another holder has it. Rejects with the signal's reason. */
export async function waitForFileLock(path: string, signal: AbortSignal): Promise<FileLock> {
  for (;;) {
    signal.throwIfAborted()
    const lock = await takeFileLock(path)
    if (lock !== undefined) return lock
    // A wait that ends early fails with an error of its own; the reason is thrown above.
    await sleep(25, undefined, { signal }).catch(() => undefined)
  }
}

import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

/** A lock that this process holds until disposal; the kernel gives it back if the process dies. */
export interface FileLock extends AsyncDisposable {
  readonly path: string
}

/**
 * Takes the lock at `path`, or returns undefined where another holder has it.
 *
 * Node has no `flock`; SQLite's exclusive transaction on an empty database is the same advisory lock of the
 * kernel, so a killed holder leaves nothing to clean (sqlite.org/lockingv3.html).
 */
export async function takeFileLock(path: string): Promise<FileLock | undefined> {
  await mkdir(dirname(path), { recursive: true })
  const database = new DatabaseSync(path)
  try {
    database.exec('BEGIN EXCLUSIVE')
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

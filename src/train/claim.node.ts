import { mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { toDiskError } from '../core/disk.ts'
import { writeFileWhole } from '../core/files.node.ts'
import { takeFileLock } from '../core/lock.node.ts'
import type { RunPaths } from './paths.ts'
import type { RunStart } from './record.ts'

/**
 * Makes the folder of a new run and holds its lock until disposal. From then on until `settle` the run counts as
 * lost where nobody holds the lock.
 * @throws DISK_FULL
 */
export async function claimRun(paths: RunPaths, start: RunStart, node: string): Promise<AsyncDisposable> {
  try {
    const lock = await takeFileLock(paths.lock)
    if (lock === undefined) throw new Error(`Run ${start.id} is claimed by another process`)
    await writeFileWhole(paths.start, JSON.stringify(start))
    await mkdir(paths.output)
    await mkdir(paths.bin)
    await symlink(node, join(paths.bin, 'node'))
    return lock
  } catch (error) {
    throw toDiskError(error, paths.folder)
  }
}

/** Removes what only a run without a record needs. To be called by the holder of its lock. */
export async function settle(paths: RunPaths): Promise<void> {
  await rm(paths.bin, { recursive: true, force: true })
  await rm(paths.start, { force: true })
  await rm(paths.lock, { force: true })
}

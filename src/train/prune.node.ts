import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { toSystemCode } from '../core/errors.ts'
import { readFileIfAny } from '../core/files.node.ts'
import { takeFileLock } from '../core/lock.node.ts'
import type { ImageLayout } from '../oci/index.ts'
import { listRunFolders } from './lost.node.ts'
import { toRunPaths } from './paths.ts'
import { listRunEntries, type RunEntry, readEntry } from './run-store.node.ts'

/** The ids of runs that are, or would be, gone, and what their files take on disk. */
export interface PrunedRuns {
  readonly runs: readonly string[]
  readonly bytes: number
}

/**
 * Removes, unless `dryRun`, the runs that ended before `before` (epoch ms) and left no model, with their files and
 * logs; their records are garbage of the layout then. A run that is done stays, and so does one without a record
 * yet: it runs, or `listRuns` will record it as lost.
 * @throws RUN_RECORD, MANIFEST, BLOB_MISSING, BLOB_DIGEST
 */
export async function pruneRuns(
  projectFolder: string,
  layout: ImageLayout,
  before: number,
  dryRun: boolean,
): Promise<PrunedRuns> {
  const entries = await listRunEntries(layout)
  const runs: string[] = []
  let bytes = 0
  for (const entry of entries.filter(({ done }) => !done)) {
    const { record } = await readEntry(projectFolder, layout, entry)
    if (record.endedAt >= before) continue
    runs.push(entry.id)
    bytes += await dropFolder(toRunPaths(projectFolder, entry.id).folder, dryRun, () => layout.remove(entry.digest))
  }
  for (const id of await listStrays(projectFolder, entries, before)) {
    runs.push(id)
    bytes += await dropFolder(toRunPaths(projectFolder, id).folder, dryRun)
  }
  return { runs, bytes }
}

/** Deletes a folder, unless `dryRun`, after `first`, and returns the bytes of its files. */
async function dropFolder(folder: string, dryRun: boolean, first?: () => Promise<void>): Promise<number> {
  const bytes = await readBytes(folder)
  if (dryRun) return bytes
  await first?.()
  await rm(folder, { recursive: true, force: true })
  return bytes
}

/** Old folders that no run refers to: their process was killed before it began, or while it pruned. */
async function listStrays(projectFolder: string, entries: readonly RunEntry[], before: number): Promise<string[]> {
  const known = new Set(entries.map(({ id }) => id))
  const strays: string[] = []
  for (const id of (await listRunFolders(projectFolder)).filter(id => !known.has(id))) {
    const { folder, lock: lockPath, start } = toRunPaths(projectFolder, id)
    const { mtimeMs } = await lstat(folder)
    if (mtimeMs >= before) continue
    await using lock = await takeFileLock(lockPath)
    if (lock !== undefined && (await readFileIfAny(start)) === undefined) strays.push(id)
  }
  return strays
}

async function readBytes(path: string): Promise<number> {
  try {
    const found = await lstat(path)
    if (!found.isDirectory()) return found.size
    let bytes = 0
    for (const name of await readdir(path)) bytes += await readBytes(join(path, name))
    return bytes
  } catch (error) {
    if (toSystemCode(error) === 'ENOENT') return 0
    throw error
  }
}

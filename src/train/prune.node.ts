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

/** Which runs are kept, and whether the others are only told of. */
export interface PruneOptions {
  /** Epoch ms: what ended since then is kept. */
  readonly before: number
  /** How many of the latest are kept however old they are. @default 0 */
  readonly keep?: number
  readonly dryRun: boolean
}

/**
 * Removes, unless `dryRun`, the runs that ended before a time and left no model, with their files and logs, but the
 * latest of them; their records are garbage of the layout then. A run that is done stays, and so does one without a record
 * yet: it runs, or `listRuns` will record it as lost.
 * @throws RUN_RECORD, MANIFEST, BLOB_MISSING, BLOB_DIGEST
 */
export async function pruneRuns(
  projectFolder: string,
  layout: ImageLayout,
  { before, dryRun, keep = 0 }: PruneOptions,
): Promise<PrunedRuns> {
  const entries = await listRunEntries(layout)
  const runs: string[] = []
  let bytes = 0
  const failed = entries.filter(({ done }) => !done)
  for (const entry of failed.slice(0, Math.max(0, failed.length - keep))) {
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

import { existsSync } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { takeFileLock } from '../../core/lock.node.ts'
import { toLockPath } from './leftovers.node.ts'
import { listUnusedModels, pruneModels } from './models.node.ts'
import { readRoutesRecord } from './routes-record.node.ts'

/** Unpacked models that nothing refers to: their folders' names, and what they take on disk. */
export interface UnusedModels {
  readonly models: readonly string[]
  readonly bytes: number
}

/**
 * Removes, unless `dryRun`, the unpacked models of a local target that the routes on record do not refer to.
 * Finds none while a supervisor has the folder, since that removes what it no longer uses by itself.
 * @throws ROUTES_RECORD, and then nothing is removed
 */
export async function pruneLocalModels(folder: string, options: { readonly dryRun: boolean }): Promise<UnusedModels> {
  if (!existsSync(folder)) return { models: [], bytes: 0 }
  await using lock = await takeFileLock(toLockPath(folder))
  if (lock === undefined) return { models: [], bytes: 0 }
  const kept = ((await readRoutesRecord(folder))?.variants ?? []).map(variant => variant.digest)
  const models = await listUnusedModels(folder, kept)
  let bytes = 0
  for (const name of models) bytes += await readFolderBytes(join(folder, 'models', name))
  if (!options.dryRun) await pruneModels(folder, kept)
  return { models, bytes }
}

async function readFolderBytes(path: string): Promise<number> {
  const stats = await lstat(path)
  if (!stats.isDirectory()) return stats.size
  let bytes = 0
  for (const name of await readdir(path)) bytes += await readFolderBytes(join(path, name))
  return bytes
}

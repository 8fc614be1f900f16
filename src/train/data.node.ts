import { createReadStream } from 'node:fs'
import { glob, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { toSystemCode, UsageError } from '../core/errors.ts'
import { toStreamDigest } from '../oci/index.ts'
import type { FileDigest } from './record.ts'

const MAX_FILES = 10_000

/**
 * Digests the files that `train.data` names, in the order of their paths, which are relative to the folder.
 * @throws TRAIN_DATA (a UsageError) where an item names no file, or all name more than 10 000
 */
export async function readDataDigests(
  folder: string,
  patterns: readonly string[],
  signal: AbortSignal,
): Promise<FileDigest[]> {
  const found = new Set<string>()
  for (const pattern of patterns) {
    for (const path of await listFiles(folder, pattern)) found.add(path)
    if (found.size > MAX_FILES) {
      throw dataError(pattern, `expected at most ${MAX_FILES} files in all`, 'Put them into an archive, or name fewer')
    }
  }
  const digests: FileDigest[] = []
  for (const path of [...found].sort()) digests.push(await readFileDigest(folder, path, signal))
  return digests
}

/** Digests one file in constant memory. */
export async function readFileDigest(folder: string, path: string, signal?: AbortSignal): Promise<FileDigest> {
  const stream = createReadStream(resolve(folder, path), { highWaterMark: 1024 * 1024, ...(signal && { signal }) })
  return { path, ...(await toStreamDigest(stream)) }
}

async function listFiles(folder: string, pattern: string): Promise<string[]> {
  const kind = await readKind(resolve(folder, pattern))
  if (kind === 'file') return [pattern]
  if (kind === 'folder') throw dataError(pattern, 'expected a file, found a folder', `Write "${pattern}/**"`)
  const files: string[] = []
  for await (const path of glob(pattern, { cwd: folder, exclude: name => name === '.regatta' })) {
    if ((await readKind(resolve(folder, path))) === 'file') files.push(path)
    if (files.length > MAX_FILES) break
  }
  if (files.length === 0) throw dataError(pattern, 'there is no such file', 'Correct the path in regatta.yaml')
  return files
}

async function readKind(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : undefined
  } catch (error) {
    if (toSystemCode(error) === 'ENOENT' || toSystemCode(error) === 'ENOTDIR') return undefined
    throw error
  }
}

function dataError(pattern: string, problem: string, fix: string): UsageError {
  return new UsageError('TRAIN_DATA', `Cannot read "${pattern}" of train.data: ${problem}`, { fix })
}

import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { toDiskError } from './disk.ts'
import { toSystemCode } from './errors.ts'

/**
 * Writes a whole file so that a reader sees the old or the new content, never a part, even after a power cut: a file
 * beside it is written, synced and renamed over it. The folder is made where it is missing. @throws DISK_FULL
 */
export async function writeFileWhole(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  await replaceFile(path, content, mode, file => file.sync())
}

/**
 * The same for what can be made again: the disk is not waited for, and after a power cut the file may be empty.
 * @throws DISK_FULL
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  mode = 0o644,
  settle?: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const part = `${path}.${randomBytes(6).toString('hex')}.part`
  try {
    const file = await openNew(part, mode)
    try {
      await file.writeFile(content)
      await settle?.(file)
    } finally {
      await file.close()
    }
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw toDiskError(error, path)
  }
}

async function openNew(path: string, mode: number): Promise<FileHandle> {
  return await open(path, 'wx', mode).catch(async error => {
    if (toSystemCode(error) !== 'ENOENT') throw error
    await mkdir(dirname(path), { recursive: true })
    return await open(path, 'wx', mode)
  })
}

/** Reads a text file, or undefined where there is none. */
export async function readFileIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (toSystemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../core/brands.ts'
import { toDiskError } from '../../core/disk.ts'
import { readFileIfAny, replaceFile } from '../../core/files.node.ts'

/** Every Node holds the address of its own sources: `…/download/release/v24.1.0/node-v24.1.0.tar.gz`. */
const MARK = Buffer.from('/download/release/v')
const VERSION = /^(\d{1,5}\.\d{1,5}\.\d{1,5})\//
const VERSION_BYTES = 18
const CHUNK_BYTES = 1024 * 1024

/**
 * The version of a Node program of this digest, or undefined where the program does not tell. It is found in the
 * program, which may be for another processor and is not run, and remembered in the cache. @throws DISK_FULL
 */
export async function readNodeVersion(
  cacheFolder: string,
  { digest, source }: { readonly digest: Digest; readonly source: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = join(cacheFolder, 'node', digest.slice('sha256:'.length))
  const known = await readFileIfAny(path)
  if (known !== undefined && /^[\d.]*$/.test(known)) return known === '' ? undefined : known
  const version = await findVersion(source, signal)
  try {
    await replaceFile(path, version ?? '')
  } catch (error) {
    throw toDiskError(error, path)
  }
  return version
}

async function findVersion(source: string, signal: AbortSignal): Promise<string | undefined> {
  await using file = await open(source)
  const window = Buffer.allocUnsafe(CHUNK_BYTES)
  // Each window begins within the one before: what one cuts off, the next has whole.
  for (let position = 0; ; position += CHUNK_BYTES - MARK.length - VERSION_BYTES) {
    signal.throwIfAborted()
    const { bytesRead } = await file.read(window, 0, CHUNK_BYTES, position)
    const bytes = window.subarray(0, bytesRead)
    for (let at = bytes.indexOf(MARK); at !== -1; at = bytes.indexOf(MARK, at + 1)) {
      const start = at + MARK.length
      const found = VERSION.exec(bytes.toString('latin1', start, start + VERSION_BYTES))?.[1]
      if (found !== undefined) return found
    }
    if (bytesRead < CHUNK_BYTES) return undefined
  }
}

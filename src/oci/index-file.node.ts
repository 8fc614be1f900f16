import { join } from 'node:path'
import { toDiskError } from '../core/disk.ts'
import { RegattaError } from '../core/errors.ts'
import { readFileIfAny, writeFileWhole } from '../core/files.node.ts'
import { isObject, type JsonObject, toCanonicalJson } from '../core/json.ts'
import { waitForFileLock } from '../core/lock.node.ts'
import { type Descriptor, type Index, parseIndex } from './manifest.ts'

const LOCK_TIMEOUT_MS = 30_000

/** The index as parsed, and as found: what this program does not know is written back. @throws MANIFEST */
export async function readIndex(folder: string): Promise<{ readonly index: Index; readonly found: JsonObject }> {
  const path = join(folder, 'index.json')
  const text = await readFileIfAny(path)
  if (text === undefined) {
    throw new RegattaError('MANIFEST', 'Cannot open image layout: it has no index.json', {
      where: path,
      fix: 'Restore the file, or name another folder',
    })
  }
  try {
    const found = parseJson(text, path)
    return { index: parseIndex(found), found: isObject(found) ? found : {} }
  } catch (cause) {
    throw new RegattaError('MANIFEST', 'Cannot read the index of the image layout', {
      where: path,
      fix: 'Use the program that wrote it, or name another folder',
      cause,
    })
  }
}

/** An entry as parsed, and as found: what this program does not know is written back. */
export interface FoundEntry {
  readonly parsed: Descriptor
  readonly found: unknown
}

/** Replaces the entries of the index, whole, while no other process does. @throws MANIFEST, DISK_FULL, LAYOUT_BUSY */
export async function changeIndex(
  folder: string,
  change: (entries: readonly FoundEntry[]) => Promise<readonly unknown[]>,
): Promise<void> {
  try {
    await using _lock = await lockIndex(folder)
    const { index, found } = await readIndex(folder)
    const listed = Array.isArray(found['manifests']) ? found['manifests'] : []
    const manifests = await change(index.manifests.map((parsed, at) => ({ parsed, found: listed[at] })))
    await writeFileWhole(join(folder, 'index.json'), toCanonicalJson({ ...found, manifests }))
  } catch (error) {
    throw toDiskError(error, join(folder, 'index.json'))
  }
}

/** Held by whoever changes the index, or deletes what it does not refer to. @throws LAYOUT_BUSY */
export async function lockIndex(folder: string): Promise<AsyncDisposable> {
  const timeout = AbortSignal.timeout(LOCK_TIMEOUT_MS)
  return await waitForFileLock(join(folder, 'index.lock'), timeout).catch(cause => {
    if (!timeout.aborted) throw cause
    throw new RegattaError('LAYOUT_BUSY', 'Cannot change the image layout: another process holds it', {
      where: folder,
      fix: 'Wait until that process ends, then run the same command again',
      cause,
      retryable: true,
    })
  })
}

/** Reads JSON of a layout. @throws MANIFEST */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new RegattaError('MANIFEST', 'Cannot read OCI document: it is not JSON', { where, cause })
  }
}

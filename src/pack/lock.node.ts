import { join } from 'node:path'
import { waitForFileLock } from '../core/lock.node.ts'
import type { ImageLayout } from '../oci/index.ts'

/** Two processes that pack into one layout take turns, so that each version is given once. */
export async function lockVersions(layout: ImageLayout, signal: AbortSignal): Promise<AsyncDisposable> {
  return await waitForFileLock(join(layout.folder, 'versions.lock'), signal).catch(error => {
    signal.throwIfAborted()
    throw error
  })
}

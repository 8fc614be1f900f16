import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../core/brands.ts'
import { toSystemCode } from '../../core/errors.ts'
import type { Descriptor, ImageLayout } from '../../oci/index.ts'

/** Looks after blobs that are used again. */
export interface BlobCheck {
  /**
   * Whether a blob can be used again: it is there and has its length; its content is read too where that is wished.
   * If so it counts as new, so that garbage collection leaves it.
   */
  isIntact(blob: Pick<Descriptor, 'digest' | 'size'>): Promise<boolean>
  /** Takes a blob as damaged, for what was found in it. */
  report(digest: Digest): void
  /** Those that were there and not whole. */
  readonly damaged: readonly Digest[]
}

/** Checks blobs of a layout. With `verify` their content is read. */
export function openBlobCheck(layout: ImageLayout, verify: boolean, signal: AbortSignal): BlobCheck {
  const damaged = new Set<Digest>()
  const intact = new Set<Digest>()
  return {
    async isIntact({ digest, size }) {
      const found = await readSize(layout, digest)
      if (found === undefined) return false
      const isWhole = found === size && (!verify || intact.has(digest) || (await hasContent(layout, digest, signal)))
      ;(isWhole ? intact : damaged).add(digest)
      return isWhole && (await layout.keepBlob(digest))
    },
    report: digest => void damaged.add(digest),
    get damaged() {
      return [...damaged]
    },
  }
}

/** Errors of a blob or document whose bytes are not what was written. */
export function isDamage(error: unknown): boolean {
  return ['BLOB_DIGEST', 'BLOB_SIZE', 'MANIFEST', 'DIGEST'].includes(toSystemCode(error) ?? '')
}

async function readSize(layout: ImageLayout, digest: Digest): Promise<number | undefined> {
  // Source: image-spec, image-layout.md, "Blobs".
  const path = join(layout.folder, 'blobs', ...digest.split(':'))
  return await stat(path).then(
    ({ size }) => size,
    error => {
      if (toSystemCode(error) === 'ENOENT') return undefined
      throw error
    },
  )
}

async function hasContent(layout: ImageLayout, digest: Digest, signal: AbortSignal): Promise<boolean> {
  try {
    for await (const _ of layout.openBlob(digest)) signal.throwIfAborted()
    return true
  } catch (error) {
    if (isDamage(error)) return false
    throw error
  }
}

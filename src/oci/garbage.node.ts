import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, parseDigest } from '../core/brands.ts'
import { toBlobPath } from './blobs.node.ts'
import { lockIndex } from './index-file.node.ts'
import type { ImageLayout } from './layout.node.ts'
import { type Descriptor, MEDIA_TYPES, parseIndex } from './manifest.ts'

/** How to collect garbage. */
export interface GarbageOptions {
  /** Only tell what would be deleted. */
  readonly dryRun: boolean
  /** Blobs written or kept less long ago stay: a manifest that refers to them may be on its way. @default 1 hour */
  readonly graceMs?: number
}

/** What was, or would be, deleted. */
export interface Garbage {
  readonly digests: readonly Digest[]
  readonly bytes: number
}

const GRACE_MS = 60 * 60 * 1000

/**
 * Deletes the blobs that no manifest of the index refers to. No manifest is entered meanwhile, so none can come to
 * refer to a blob that is being deleted. @throws MANIFEST, BLOB_DIGEST where a manifest cannot be read: nothing is
 * deleted then, for what it refers to is not known
 */
export async function collectGarbage(
  layout: ImageLayout,
  { dryRun, graceMs = GRACE_MS }: GarbageOptions,
): Promise<Garbage> {
  await using _lock = await lockIndex(layout.folder)
  const used = await findUsed(layout)
  const digests: Digest[] = []
  let bytes = 0
  for (const name of await readdir(join(layout.folder, 'blobs', 'sha256'))) {
    // Files that are no blobs are not ours to judge.
    if (!/^[0-9a-f]{64}$/.test(name)) continue
    const digest = parseDigest(`sha256:${name}`)
    if (used.has(digest)) continue
    const path = toBlobPath(layout.folder, digest)
    const { mtimeMs, size } = await stat(path)
    if (Date.now() - mtimeMs < graceMs) continue
    if (!dryRun) await rm(path)
    digests.push(digest)
    bytes += size
  }
  return { digests, bytes }
}

/** Everything that the index refers to, through manifests and inner indexes. */
async function findUsed(layout: ImageLayout): Promise<ReadonlySet<Digest>> {
  const used = new Set<Digest>()
  const pending: Descriptor[] = [...(await layout.list())]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (used.has(next.digest)) continue
    used.add(next.digest)
    // A manifest that is not there protects nothing, and must not keep the rest from being cleaned.
    if (!(await layout.hasBlob(next.digest))) continue
    pending.push(...(await readReferred(layout, next)))
  }
  return used
}

async function readReferred(layout: ImageLayout, { digest, mediaType }: Descriptor): Promise<readonly Descriptor[]> {
  if (mediaType === MEDIA_TYPES.manifest) {
    const { config, layers } = await layout.readManifest(digest)
    return [config, ...layers]
  }
  if (mediaType !== MEDIA_TYPES.index) return []
  return parseIndex(JSON.parse(new TextDecoder().decode(await layout.readBlob(digest)))).manifests
}

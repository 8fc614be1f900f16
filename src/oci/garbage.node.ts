import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, parseDigest } from '../core/brands.ts'
import { toBlobPath } from './blobs.node.ts'
import type { IndexEntry } from './entry.ts'
import { changeIndex, lockIndex } from './index-file.node.ts'
import type { ImageLayout } from './layout.node.ts'
import { type Descriptor, MEDIA_TYPES, parseIndex } from './manifest.ts'
import { readSubject } from './referrers.ts'

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
 * Deletes the blobs that no manifest of the index refers to, and takes out of the index what has no name and is about
 * a manifest that is gone. No manifest is entered meanwhile, so none can come to refer to a blob that is being deleted.
 * @throws MANIFEST, BLOB_DIGEST where a manifest cannot be read: nothing is deleted then, for what it refers to is not
 * known
 */
export async function collectGarbage(
  layout: ImageLayout,
  { dryRun, graceMs = GRACE_MS }: GarbageOptions,
): Promise<Garbage> {
  const isYoung = async (digest: Digest): Promise<boolean> => {
    const found = await stat(toBlobPath(layout.folder, digest)).catch(() => undefined)
    return found !== undefined && Date.now() - found.mtimeMs < graceMs
  }
  if (!dryRun) await dropOrphans(layout, isYoung)
  await using _lock = await lockIndex(layout.folder)
  const { used } = await findUsed(layout, isYoung)
  const digests: Digest[] = []
  let bytes = 0
  for (const name of await readdir(join(layout.folder, 'blobs', 'sha256'))) {
    // Files that are no blobs are not ours to judge.
    if (!/^[0-9a-f]{64}$/.test(name)) continue
    const digest = parseDigest(`sha256:${name}`)
    if (used.has(digest) || (await isYoung(digest))) continue
    const path = toBlobPath(layout.folder, digest)
    const { size } = await stat(path)
    if (!dryRun) await rm(path)
    digests.push(digest)
    bytes += size
  }
  return { digests, bytes }
}

type IsYoung = (digest: Digest) => Promise<boolean>

async function dropOrphans(layout: ImageLayout, isYoung: IsYoung): Promise<void> {
  if ((await findUsed(layout, isYoung)).orphans.size === 0) return
  await changeIndex(layout.folder, async entries => {
    const { orphans } = await findUsed(layout, isYoung)
    return entries.filter(({ parsed }) => !orphans.has(parsed.digest)).map(({ found }) => found)
  })
}

/** What is in use, and the manifests of the index that are not: their subject is gone. */
interface Usage {
  readonly used: ReadonlySet<Digest>
  readonly orphans: ReadonlySet<Digest>
}

/** Everything that the index refers to, through manifests and inner indexes. */
async function findUsed(layout: ImageLayout, isYoung: IsYoung): Promise<Usage> {
  const used = new Set<Digest>()
  let waiting: readonly IndexEntry[] = await layout.list()
  for (;;) {
    const ready: IndexEntry[] = []
    const others: IndexEntry[] = []
    for (const entry of waiting) ((await isRoot(layout, entry, used, isYoung)) ? ready : others).push(entry)
    // What is left is about nothing that is here.
    if (ready.length === 0) return { used, orphans: new Set(others.map(({ digest }) => digest)) }
    await addReferred(layout, ready, used)
    waiting = others
  }
}

/** Whether an entry stands by itself, or is about something in use. */
async function isRoot(
  layout: ImageLayout,
  entry: IndexEntry,
  used: ReadonlySet<Digest>,
  isYoung: IsYoung,
): Promise<boolean> {
  const subject = entry.ref === undefined ? await readSubject(layout, entry) : undefined
  return subject === undefined || used.has(subject) || (await isYoung(entry.digest))
}

async function addReferred(layout: ImageLayout, roots: readonly Descriptor[], used: Set<Digest>): Promise<void> {
  const pending = [...roots]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (used.has(next.digest)) continue
    used.add(next.digest)
    // A manifest that is not there protects nothing, and must not keep the rest from being cleaned.
    if (!(await layout.hasBlob(next.digest))) continue
    pending.push(...(await readReferred(layout, next)))
  }
}

async function readReferred(layout: ImageLayout, { digest, mediaType }: Descriptor): Promise<readonly Descriptor[]> {
  if (mediaType === MEDIA_TYPES.manifest) {
    const { config, layers } = await layout.readManifest(digest)
    return [config, ...layers]
  }
  if (mediaType !== MEDIA_TYPES.index) return []
  return parseIndex(JSON.parse(new TextDecoder().decode(await layout.readBlob(digest)))).manifests
}

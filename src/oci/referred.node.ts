import type { Digest } from '../core/brands.ts'
import { RegattaError } from '../core/errors.ts'
import { hasBlob, readBlob, syncBlob } from './blobs.node.ts'
import { type EntryOptions, FROM } from './entry.ts'
import { parseJson } from './index-file.node.ts'
import { type Descriptor, type Manifest, MEDIA_TYPES, parseIndex, parseManifest } from './manifest.ts'

/* What a manifest or an index of a layout refers to. */

/** Registries take manifests up to 4 MiB (distribution-spec, "Pushing Manifests"). */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024

/** Reads a manifest of a layout. @throws BLOB_MISSING, BLOB_DIGEST, BLOB_SIZE, MANIFEST */
export async function readManifest(folder: string, digest: Digest): Promise<Manifest> {
  const bytes = await readBlob(folder, digest, MAX_MANIFEST_BYTES)
  return parseManifest(parseJson(new TextDecoder().decode(bytes), digest))
}

/**
 * Forces what cannot be made again to the disk: manifests, configs, and what artifacts hold. Layers of images can, and
 * their length, which a power cut leaves too short, is looked at before they are used again.
 */
export async function syncDocuments(folder: string, roots: readonly Descriptor[]): Promise<void> {
  const listed = await Promise.all(roots.map(root => listDocuments(folder, root)))
  await Promise.all([...new Set(listed.flat())].map(digest => syncBlob(folder, digest)))
}

async function listDocuments(folder: string, { digest, mediaType }: Descriptor): Promise<readonly Digest[]> {
  if (!(await hasBlob(folder, digest))) return []
  if (mediaType === MEDIA_TYPES.manifest) {
    const { artifactType, config, layers } = await readManifest(folder, digest)
    const blobs = artifactType === undefined ? [config] : [config, ...layers]
    return [digest, ...blobs.map(blob => blob.digest)]
  }
  if (mediaType !== MEDIA_TYPES.index) return [digest]
  const listed = await Promise.all((await readManifests(folder, digest)).map(each => listDocuments(folder, each)))
  return [digest, ...listed.flat()]
}

/** Requires a manifest or an index, and all that it refers to but layers that lie elsewhere. @throws BLOB_MISSING */
export async function requireReferred(
  folder: string,
  { digest, mediaType }: Descriptor,
  options: EntryOptions,
): Promise<void> {
  await requireBlob(folder, digest)
  if (mediaType === MEDIA_TYPES.manifest) await requireBlobs(folder, await readManifest(folder, digest), options)
  if (mediaType !== MEDIA_TYPES.index) return
  for (const manifest of await readManifests(folder, digest)) await requireReferred(folder, manifest, options)
}

async function readManifests(folder: string, index: Digest): Promise<readonly Descriptor[]> {
  const bytes = await readBlob(folder, index, MAX_MANIFEST_BYTES)
  return parseIndex(parseJson(new TextDecoder().decode(bytes), index)).manifests
}

/** Requires what a manifest refers to, but for layers that lie elsewhere. @throws BLOB_MISSING */
export async function requireBlobs(folder: string, { config, layers }: Manifest, options: EntryOptions): Promise<void> {
  const elsewhere = options.annotations?.[FROM] !== undefined
  for (const { digest } of elsewhere ? [config] : [config, ...layers]) await requireBlob(folder, digest)
}

async function requireBlob(folder: string, digest: Digest): Promise<void> {
  if (await hasBlob(folder, digest)) return
  throw new RegattaError('BLOB_MISSING', `Cannot enter a manifest in the image layout: blob ${digest} is not there`, {
    where: folder,
  })
}

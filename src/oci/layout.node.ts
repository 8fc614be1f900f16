import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../core/brands.ts'
import { toDiskError } from '../core/disk.ts'
import { RegattaError } from '../core/errors.ts'
import { readFileIfAny, writeFileWhole } from '../core/files.node.ts'
import { isObject, toCanonicalJson } from '../core/json.ts'
import { type Artifact, EMPTY_CONFIG, toArtifactManifest } from './artifact.ts'
import { type BlobWatch, hasBlob, keepBlob, openBlob, readBlob, removeStaleParts, writeBlob } from './blobs.node.ts'
import {
  type EntryFilter,
  type EntryOptions,
  type IndexEntry,
  isReplacedBy,
  matches,
  toEntry,
  toIndexEntry,
} from './entry.ts'
import { changeIndex, lockIndex, parseJson, readIndex } from './index-file.node.ts'
import { type Descriptor, type Index, type Manifest, MEDIA_TYPES } from './manifest.ts'
import { readManifest, requireBlobs, requireReferred, syncDocuments } from './referred.node.ts'

const MAX_BLOB_BYTES = 64 * 1024 * 1024
const LAYOUT_VERSION = '1.0.0'
/** All that a layout's folder may hold while it is being made. */
const OWN_NAMES = /^(blobs|ingest|index\.json|.*\.(lock|part))$/

/** A manifest or an index to be entered in the index. */
export interface NewEntry {
  readonly descriptor: Descriptor
  readonly options?: EntryOptions
}

/** Images and artifacts in a folder. Source: image-spec, image-layout.md. */
export interface ImageLayout {
  readonly folder: string
  /** Writes a blob in constant memory; content that is there already is kept. @throws DISK_FULL */
  writeBlob(content: Uint8Array | AsyncIterable<Uint8Array>, mediaType: string, watch?: BlobWatch): Promise<Descriptor>
  hasBlob(digest: Digest): Promise<boolean>
  /** Whether the blob is there; if so it counts as new from now on, so that garbage collection leaves it. */
  keepBlob(digest: Digest): Promise<boolean>
  /** Reads a blob of at most 64 MiB. @throws BLOB_MISSING, BLOB_DIGEST, BLOB_SIZE */
  readBlob(digest: Digest): Promise<Uint8Array>
  /** Streams a blob of any length; throws at its end where the content is not the digest's. @throws BLOB_MISSING, BLOB_DIGEST */
  openBlob(digest: Digest): AsyncIterable<Uint8Array>
  /** Writes a manifest whose blobs are there and enters it in the index. @throws DISK_FULL, REF_NAME, BLOB_MISSING */
  putManifest(manifest: Manifest, options?: EntryOptions): Promise<Descriptor>
  /** Stores an artifact; its annotations stand in the index too. @throws DISK_FULL, REF_NAME, BLOB_MISSING */
  putArtifact(artifact: Artifact): Promise<Descriptor>
  /** Enters a manifest or an index that was written as a blob, and all its blobs too, in the index. @throws DISK_FULL, REF_NAME, BLOB_MISSING */
  enter(descriptor: Descriptor, options?: EntryOptions): Promise<void>
  /** The same for several at once: all of them or none. @throws as `enter` */
  enterAll(entries: readonly NewEntry[]): Promise<void>
  /** Takes a manifest out of the index, under all its names; its blobs stay until garbage is collected. @throws DISK_FULL */
  remove(digest: Digest): Promise<void>
  /** Reads a manifest of this layout. @throws BLOB_MISSING, BLOB_DIGEST, MANIFEST */
  readManifest(digest: Digest): Promise<Manifest>
  /** The index's entries, oldest first. @throws MANIFEST */
  list(filter?: EntryFilter): Promise<readonly IndexEntry[]>
  /** The entry with this name or digest, or undefined. @throws MANIFEST */
  resolve(reference: string): Promise<IndexEntry | undefined>
}

/**
 * Opens the image layout in a folder, and makes it where there is none.
 *
 * @throws LAYOUT_VERSION for a layout of another version, LAYOUT_FOREIGN for a folder with other files, DISK_FULL
 */
export async function openLayout(folder: string): Promise<ImageLayout> {
  await makeLayout(folder).catch(error => {
    throw toDiskError(error, folder)
  })
  await readIndex(folder)
  await removeStaleParts(folder, Date.now())

  const layout: ImageLayout = {
    folder,
    writeBlob: (content, mediaType, watch) => writeBlob(folder, content, mediaType, watch),
    hasBlob: digest => hasBlob(folder, digest),
    keepBlob: digest => keepBlob(folder, digest),
    readBlob: digest => readBlob(folder, digest, MAX_BLOB_BYTES),
    openBlob: digest => openBlob(folder, digest),
    async putManifest(manifest, options = {}) {
      await requireBlobs(folder, manifest, options)
      const bytes = new TextEncoder().encode(toCanonicalJson(manifest))
      const blob = await writeBlob(folder, bytes, manifest.mediaType)
      const descriptor = manifest.artifactType === undefined ? blob : { ...blob, artifactType: manifest.artifactType }
      await layout.enter(descriptor, options)
      return descriptor
    },
    async putArtifact(artifact) {
      const config = await writeBlob(folder, EMPTY_CONFIG, MEDIA_TYPES.empty)
      const { ref, annotations } = artifact
      return await layout.putManifest(toArtifactManifest(artifact, config), {
        ...(ref !== undefined && { ref }),
        ...(annotations && { annotations }),
      })
    },
    enter: (descriptor, options = {}) => layout.enterAll([{ descriptor, options }]),
    async enterAll(entries) {
      await syncDocuments(
        folder,
        entries.map(({ descriptor }) => descriptor),
      )
      await changeIndex(folder, async listed => {
        let next = listed
        for (const { descriptor, options = {} } of entries) {
          // Under the lock, which garbage collection holds too: what is here now stays.
          await requireReferred(folder, descriptor, options)
          const entry = toEntry(descriptor, options)
          next = [...next.filter(({ parsed }) => !isReplacedBy(parsed, entry)), { parsed: entry, found: entry }]
        }
        return next.map(({ found }) => found)
      })
    },
    async remove(digest) {
      await changeIndex(folder, async entries =>
        entries.filter(({ parsed }) => parsed.digest !== digest).map(({ found }) => found),
      )
    },
    readManifest: digest => readManifest(folder, digest),
    async list(filter = {}) {
      const { index } = await readIndex(folder)
      return index.manifests.map(toIndexEntry).filter(entry => matches(entry, filter))
    },
    async resolve(reference) {
      const entries = await layout.list()
      return entries.find(entry => entry.ref === reference) ?? entries.find(entry => entry.digest === reference)
    },
  }
  return layout
}

async function makeLayout(folder: string): Promise<void> {
  const marker = join(folder, 'oci-layout')
  const found = await readFileIfAny(marker)
  if (found !== undefined) return requireVersion(found, marker)
  await mkdir(folder, { recursive: true })
  const foreign = (await readdir(folder)).find(name => !OWN_NAMES.test(name) && name !== 'oci-layout')
  if (foreign !== undefined) {
    throw new RegattaError('LAYOUT_FOREIGN', `Cannot make an image layout in "${folder}": it holds "${foreign}"`, {
      fix: 'Name a folder that is new, empty, or an image layout already',
    })
  }
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true })
  await using _lock = await lockIndex(folder)
  const index: Index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [] }
  const path = join(folder, 'index.json')
  if ((await readFileIfAny(path)) === undefined) await writeFileWhole(path, toCanonicalJson(index))
  // Written last: a folder with this file is a whole layout.
  await writeFileWhole(marker, JSON.stringify({ imageLayoutVersion: LAYOUT_VERSION }))
}

function requireVersion(text: string, path: string): void {
  const value = parseJson(text, path)
  const version = isObject(value) ? value['imageLayoutVersion'] : undefined
  if (version === LAYOUT_VERSION) return
  throw new RegattaError(
    'LAYOUT_VERSION',
    `Cannot open image layout: expected version "${LAYOUT_VERSION}", found ${JSON.stringify(version) ?? 'none'}`,
    { where: path, fix: 'Use the newer program that wrote it, or name another folder' },
  )
}

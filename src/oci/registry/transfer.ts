import type { Digest } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import type { Annotations, Descriptor } from '../manifest.ts'
import type { Document } from './document.ts'
import type { ImageSink, ImageSource } from './image.node.ts'
import type { Placed } from './upload.node.ts'

/** What happens to one blob of an image on its way. */
export interface TransferEvent {
  readonly digest: Digest
  /** Of the whole blob. */
  readonly sizeBytes: number
  /** So far; it may go back where a connection broke off. */
  readonly sentBytes: number
  readonly state: 'started' | 'moving' | Placed
}

/** One layer of an image that was moved. */
export interface TransferredLayer {
  readonly digest: Digest
  /** Bytes, as it is stored and moved. */
  readonly size: number
  /** It was there already, was linked from another repository, or was sent. */
  readonly how: Placed
  readonly annotations: Annotations
}

/** An image that was moved. */
export interface Transferred {
  readonly digest: Digest
  readonly mediaType: string
  /** Of the manifest or index, bytes. */
  readonly size: number
  /** Bottom first; those of all platforms of an index, each once. */
  readonly layers: readonly TransferredLayer[]
  /** Of blobs: what was not there already. */
  readonly uploadedBytes: number
}

/** How to move an image. */
export interface TransferWish {
  readonly onEvent: (event: TransferEvent) => void
  readonly signal: AbortSignal
}

/** Blobs on their way at the same time. */
export const CONCURRENCY = 4
/** Deepest nesting of indexes, and most manifests of one image. */
const MAX_DEPTH = 4
const MAX_DOCUMENTS = 1000

/**
 * Moves an image: all its blobs, then its manifests, and last what it is named by, so that a name never stands for a
 * part. What is `about` the image is no part of it: its manifests come after it, its blobs with the others. Blobs that
 * the other side turns out to miss after all (it may clean up at any time) are sent once more.
 */
export async function transferImage(
  source: ImageSource,
  sink: ImageSink,
  root: Document,
  wish: TransferWish,
  about: readonly Document[] = [],
): Promise<Transferred> {
  const documents = await readDocuments(source, root)
  const beside = await Promise.all(about.map(document => readDocuments(source, document)))
  const all = [...documents, ...beside.flat()]
  const placed = await placeBlobs(source, sink, toBlobs(all), false, wish)
  for (const document of all) {
    const put = (): Promise<void> => sink.put(document, document === root, wish.signal)
    await put().catch(async error => {
      if (!isBlobUnknown(error)) throw error
      for (const [digest, how] of await placeBlobs(source, sink, toMissed(document, error), true, wish)) {
        placed.set(digest, how)
      }
      await put()
    })
  }
  return toTransferred(root, documents, placed)
}

/** What `transferImage` tells of an image that is there already. */
export async function toPresent(source: ImageSource, root: Document): Promise<Transferred> {
  const documents = await readDocuments(source, root)
  return toTransferred(root, documents, new Map(toBlobs(documents).map(({ digest }) => [digest, 'reused'])))
}

/** The document and all that it names, innermost first. */
async function readDocuments(source: ImageSource, root: Document): Promise<readonly Document[]> {
  const found = new Map<Digest, Document>()
  async function visit(document: Document, depth: number): Promise<void> {
    if (depth > MAX_DEPTH || found.size > MAX_DOCUMENTS) {
      throw new RegattaError('MANIFEST', 'Cannot move the image: its index holds too many manifests', {
        where: root.descriptor.digest,
      })
    }
    for (const { digest } of document.manifests) {
      if (!found.has(digest)) await visit(await source.readDocument(digest), depth + 1)
    }
    found.set(document.descriptor.digest, document)
  }
  await visit(root, 0)
  return [...found.values()]
}

function toBlobs(documents: readonly Document[]): readonly Descriptor[] {
  return [...new Map(documents.flatMap(({ blobs }) => blobs).map(blob => [blob.digest, blob])).values()]
}

/** Those that the registry named as missing; all, if it named none. */
function toMissed(document: Document, error: unknown): readonly Descriptor[] {
  const said = error instanceof Error && 'said' in error ? String(error.said) : ''
  const named = document.blobs.filter(({ digest }) => said.includes(digest))
  return named.length === 0 ? document.blobs : named
}

function isBlobUnknown(error: unknown): boolean {
  return error instanceof Error && 'said' in error && /MANIFEST_BLOB_UNKNOWN|BLOB_UNKNOWN/.test(String(error.said))
}

async function placeBlobs(
  source: ImageSource,
  sink: ImageSink,
  blobs: readonly Descriptor[],
  force: boolean,
  { onEvent, signal }: TransferWish,
): Promise<Map<Digest, Placed>> {
  const placed = new Map<Digest, Placed>()
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const waiting = [...blobs]
  const work = async (): Promise<void> => {
    for (let blob = waiting.shift(); blob !== undefined; blob = waiting.shift()) {
      const { digest, size: sizeBytes } = blob
      either.throwIfAborted()
      onEvent({ digest, sizeBytes, sentBytes: 0, state: 'started' })
      const onSent = (sentBytes: number): void => onEvent({ digest, sizeBytes, sentBytes, state: 'moving' })
      const how = await sink.place(blob, source, { force, onSent, signal: either })
      placed.set(digest, how)
      onEvent({ digest, sizeBytes, sentBytes: how === 'uploaded' ? sizeBytes : 0, state: how })
    }
  }
  const stop = (error: unknown): never => {
    failed.abort(error)
    throw error
  }
  // All come to rest before the first failure is told: nothing goes on behind the caller's back.
  const ends = await Promise.allSettled(Array.from({ length: CONCURRENCY }, () => work().catch(stop)))
  signal.throwIfAborted()
  if (failed.signal.aborted) throw failed.signal.reason
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return placed
}

function toTransferred(
  root: Document,
  documents: readonly Document[],
  placed: ReadonlyMap<Digest, Placed>,
): Transferred {
  const { digest, mediaType, size } = root.descriptor
  const blobs = toBlobs(documents)
  const configs = new Set(documents.map(document => document.blobs[0]?.digest))
  const layers = blobs
    .filter(blob => !configs.has(blob.digest))
    .map(blob => ({
      digest: blob.digest,
      size: blob.size,
      how: placed.get(blob.digest) ?? 'reused',
      annotations: blob.annotations ?? {},
    }))
  const sent = blobs.filter(blob => placed.get(blob.digest) === 'uploaded')
  return { digest, mediaType, size, layers, uploadedBytes: sent.reduce((sum, blob) => sum + blob.size, 0) }
}

import { stat } from 'node:fs/promises'
import type { Digest } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import { toBlobPath } from '../blobs.node.ts'
import type { EntryOptions } from '../entry.ts'
import type { ImageLayout } from '../layout.node.ts'
import type { Descriptor } from '../manifest.ts'
import type { Ahead } from './ahead.node.ts'
import { fetchDocument, openRemoteBlob } from './content.node.ts'
import { type Document, parseDocument, toDigestError } from './document.ts'
import type { Exchange } from './exchange.node.ts'
import { readFileRange } from './file-range.node.ts'
import { putDocument } from './referrers.node.ts'
import { type BlobSource, type Placed, placeBlob } from './upload.node.ts'

/* Where images come from and where they go: a repository or a layout, each as a source and as a sink. */

/** Documents and blobs of one image. */
export interface ImageSource {
  readonly readDocument: (digest: Digest) => Promise<Document>
  readonly openBlob: (descriptor: Descriptor) => Promise<BlobSource>
  /** Repository, as `REGISTRY/REPOSITORY`, that has the image's blobs, or some of them. */
  readonly home: string | undefined
}

/** How one blob is placed. */
export interface PlaceWish {
  /** Uploads without asking whether it is there. */
  readonly force: boolean
  readonly onSent: (sentBytes: number) => void
  readonly signal: AbortSignal
}

/** Takes the blobs of an image, then its documents, the root after what it names. */
export interface ImageSink {
  readonly place: (descriptor: Descriptor, source: ImageSource, wish: PlaceWish) => Promise<Placed>
  readonly put: (document: Document, isRoot: boolean, signal: AbortSignal) => Promise<void>
}

/** An image of a repository. */
export function toRegistrySource(exchange: Exchange, signal: AbortSignal): ImageSource {
  return {
    home: toHome(exchange),
    readDocument: digest => fetchDocument(exchange, digest, signal),
    async openBlob(descriptor) {
      const { digest, size } = descriptor
      return {
        digest,
        size,
        open: (start, end) => takeBytes(openRemoteBlob(exchange, descriptor, start, signal), end - start),
        // What is read is verified while it is read.
        verify: async () => undefined,
      }
    },
  }
}

/** An image of a layout. Blobs that it does not have are read from `base`, where there is one. */
export function toLayoutSource(
  layout: ImageLayout,
  home: string | undefined,
  base: (() => Promise<ImageSource>) | undefined,
): ImageSource {
  return {
    home,
    readDocument: async digest => parseDocument(await layout.readBlob(digest), undefined, layout.folder),
    async openBlob(descriptor) {
      const { digest, size } = descriptor
      const path = toBlobPath(layout.folder, digest)
      const found = await stat(path).catch(() => undefined)
      if (found === undefined && base !== undefined) return await (await base()).openBlob(descriptor)
      if (found === undefined) throw toMissing(digest, layout.folder)
      const verify = async (): Promise<void> => {
        for await (const _ of layout.openBlob(digest));
      }
      // The content is compared with the digest on the other side; the length is known at once.
      if (found.size !== size) await verify()
      return { digest, size, open: (start, end) => readFileRange(path, start, end), verify }
    },
  }
}

/** A repository that an image goes to, under a tag or its digest; some of its blobs may be on their way already. */
export function toRegistrySink(exchange: Exchange, name: string, ahead?: Ahead): ImageSink {
  const own = toHome(exchange)
  const prefix = `${exchange.access.registry}/`
  return {
    async place(descriptor, source, { force, onSent, signal }) {
      if (!force && ahead?.home === own && (await ahead.isSent(descriptor.digest, onSent, signal))) return 'uploaded'
      const { home } = source
      const mountFrom = home?.startsWith(prefix) && home !== own && !force ? home.slice(prefix.length) : undefined
      // Opened only when it is needed: a layer that is mounted need not be anywhere else.
      const blob: BlobSource = {
        digest: descriptor.digest,
        size: descriptor.size,
        open: (start, end) => openLate(source.openBlob(descriptor), start, end),
        verify: async () => (await source.openBlob(descriptor)).verify(),
      }
      return await placeBlob(exchange, blob, { mountFrom, force, onSent, signal })
    },
    put: (document, isRoot, signal) =>
      putDocument(exchange, document, isRoot ? name : document.descriptor.digest, signal),
  }
}

/** A layout that an image goes to. */
export function toLayoutSink(layout: ImageLayout, toEntry: (root: Document) => Promise<EntryOptions>): ImageSink {
  return {
    async place(descriptor, source, { onSent }) {
      if (await layout.keepBlob(descriptor.digest)) return 'reused'
      const blob = await source.openBlob(descriptor)
      const written = await layout.writeBlob(tell(blob.open(0, blob.size), onSent), descriptor.mediaType)
      if (written.digest === descriptor.digest) return 'uploaded'
      await blob.verify()
      throw toDigestError(descriptor.digest, written.digest, layout.folder)
    },
    async put(document, isRoot) {
      const { digest, size } = await layout.writeBlob(document.bytes, document.descriptor.mediaType)
      if (isRoot) await layout.enter({ ...document.descriptor, digest, size }, await toEntry(document))
    },
  }
}

/** `REGISTRY/REPOSITORY`. */
export function toHome({ access }: Exchange): string {
  return `${access.registry}/${access.repository}`
}

async function* openLate(blob: Promise<BlobSource>, start: number, end: number): AsyncIterable<Uint8Array> {
  yield* (await blob).open(start, end)
}

async function* takeBytes(chunks: AsyncIterable<Uint8Array>, count: number): AsyncIterable<Uint8Array> {
  let left = count
  for await (const chunk of chunks) {
    const part = chunk.subarray(0, left)
    left -= part.byteLength
    if (part.byteLength > 0) yield part
    // Read on where all was taken: the end of a whole blob is where its digest is checked.
    if (chunk.byteLength > part.byteLength) return
  }
}

async function* tell(
  chunks: AsyncIterable<Uint8Array>,
  onSent: (sentBytes: number) => void,
): AsyncIterable<Uint8Array> {
  let sent = 0
  for await (const chunk of chunks) {
    yield chunk
    sent += chunk.byteLength
    onSent(sent)
  }
}

function toMissing(digest: Digest, folder: string): RegattaError {
  return new RegattaError('BLOB_MISSING', `Cannot send blob ${digest}: it is not in the image layout`, {
    where: folder,
    fix: 'Make it again with the command that made it, such as regatta pack',
  })
}

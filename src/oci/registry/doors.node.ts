import type { Digest } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import type { ImageLayout } from '../layout.node.ts'
import type { Descriptor } from '../manifest.ts'
import { parseRefName, type Reference, toReferenceText } from '../reference.ts'
import { fetchDigestIfAny } from './content.node.ts'
import { type Document, isManifestType, MAX_MANIFEST_BYTES } from './document.ts'
import { openExchange, type RegistryOptions } from './exchange.node.ts'
import type { PullOptions, PushOptions } from './options.ts'
import { sendTo } from './send.node.ts'
import { findEntry, LATEST, openLayoutSource, openRegistrySource, type Place } from './source.node.ts'
import { choose, storeIn } from './store.node.ts'
import type { Transferred } from './transfer.ts'
import type { BlobSource } from './upload.node.ts'

/** A reference, and what it stands for. */
export interface Resolved {
  /** Of what the reference names: a manifest or an index. */
  readonly descriptor: Descriptor
  readonly document: Document
}

/** An image that was moved, and how long it took. */
export interface Moved extends Transferred {
  readonly seconds: number
}

/**
 * Pushes an image of a layout, and what is about it (its SBOM, the record of its run). The tag moves last: where the
 * push ends early, by a failure or the signal, it stands as before. Blobs that the layout knows to be in another
 * repository of the registry are mounted. A reference with neither tag nor digest pushes by digest alone.
 *
 * @throws TAG_TAKEN, BLOB_MISSING, BLOB_DIGEST, REGISTRY_*, CREDENTIALS, CERTIFICATES; the signal's reason
 */
export async function pushImage(
  layout: ImageLayout,
  digest: Digest,
  target: Reference,
  options: PushOptions,
  signal: AbortSignal,
): Promise<Moved> {
  return await timed(options, async () => {
    await using source = await openLayoutSource(layout, digest, options, signal)
    return await sendTo(source, target, options, signal)
  })
}

/**
 * Pulls an image into a layout; each digest is checked on the way. Of an index, only the manifest for `platform` is
 * taken, if one is given. The layout's index gets it last, whole.
 *
 * @throws PLATFORM_NONE, DISK_FULL, REGISTRY_*, MANIFEST, CREDENTIALS, CERTIFICATES; the signal's reason
 */
export async function pullImage(
  reference: Reference,
  layout: ImageLayout,
  options: PullOptions,
  signal: AbortSignal,
): Promise<Moved> {
  return await timed(options, async () => {
    await using source = await openRegistrySource(reference, options, signal)
    return await storeIn(source, layout, toNameIfAny(reference), options, signal)
  })
}

/**
 * Copies an image, with what is about it, between registries and layouts, in any combination. Of a layout without a
 * name, its only image is taken. A target without a tag gets the source's, if that has one.
 *
 * @throws IMAGE_NONE, IMAGE_MANY, and as `pushImage` and `pullImage`
 */
export async function copyImage(from: Place, to: Place, options: PushOptions, signal: AbortSignal): Promise<Moved> {
  return await timed(options, async () => {
    await using source =
      from.kind === 'registry'
        ? await openRegistrySource(from.reference, options, signal)
        : await openLayoutSource(from.layout, (await findEntry(from)).digest, options, signal)
    if (to.kind === 'layout') return await storeIn(source, to.layout, to.name, options, signal)
    const { digest, tag } = to.reference
    const named = tag === undefined && digest === undefined ? { ...to.reference, tag: source.tag } : to.reference
    return await sendTo(source, named, options, signal)
  })
}

/** Reads what a reference stands for: a manifest or an index; without a tag, `latest`. @throws as `pullImage` */
export async function resolveReference(
  reference: Reference,
  options: PullOptions,
  signal: AbortSignal,
): Promise<Resolved> {
  await using source = await openRegistrySource(reference, options, signal)
  const document = await choose(source, options)
  return { descriptor: document.descriptor, document }
}

/** The digest that a reference with a tag has now; undefined where the registry has none. @throws as `pullImage` */
export async function findDigest(
  { registry, repository, tag = LATEST }: Reference,
  options: RegistryOptions,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  await using exchange = await openExchange({ registry, repository, push: false }, options, signal)
  return await fetchDigestIfAny(exchange, tag, signal)
}

/** An image in a registry, to be looked into and not fetched. Disposal closes the connections. */
export interface RemoteImage extends AsyncDisposable {
  /** The reference in full. */
  readonly name: string
  /** `REGISTRY/REPOSITORY`, which layers can be mounted from. */
  readonly from: string
  /** Of the manifest or index that the reference stands for. */
  readonly root: Descriptor
  /** Reads a manifest, an index or a config of at most 4 MiB; its digest is checked. */
  readonly read: (descriptor: Descriptor) => Promise<Uint8Array>
}

/** Opens an image in a registry; without a tag, `latest`. @throws as `pullImage` */
export async function openRemoteImage(
  reference: Reference,
  options: RegistryOptions,
  signal: AbortSignal,
): Promise<RemoteImage> {
  const open = await openRegistrySource(reference, options, signal)
  const { root, source, where } = open
  return {
    name: where,
    from: `${reference.registry}/${reference.repository}`,
    root: root.descriptor,
    async read(descriptor) {
      if (descriptor.digest === root.descriptor.digest) return root.bytes
      if (isManifestType(descriptor.mediaType)) return (await source.readDocument(descriptor.digest)).bytes
      return await readSmall(await source.openBlob(descriptor), where)
    },
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  }
}

async function readSmall(blob: BlobSource, where: string): Promise<Uint8Array> {
  if (blob.size > MAX_MANIFEST_BYTES) {
    const what = `Cannot read ${blob.digest}: expected at most ${MAX_MANIFEST_BYTES} bytes, found ${blob.size}`
    throw new RegattaError('REGISTRY_ANSWER', what, { where })
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of blob.open(0, blob.size)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The reference as a name in a layout, if it may be one. */
function toNameIfAny(reference: Reference): string | undefined {
  try {
    return parseRefName(toReferenceText(reference))
  } catch {
    return undefined
  }
}

async function timed({ clock }: RegistryOptions, move: () => Promise<Transferred>): Promise<Moved> {
  const startedAt = clock()
  const moved = await move()
  return { ...moved, seconds: (clock() - startedAt) / 1000 }
}

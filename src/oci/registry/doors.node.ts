import type { Digest } from '../../core/brands.ts'
import { RegattaError, UsageError } from '../../core/errors.ts'
import { isObject } from '../../core/json.ts'
import { type EntryOptions, FROM, type IndexEntry } from '../entry.ts'
import type { ImageLayout } from '../layout.node.ts'
import type { Descriptor, Platform } from '../manifest.ts'
import { parseReference, parseRefName, type Reference, toReferenceText } from '../reference.ts'
import { listReferrers } from '../referrers.ts'
import { fetchDigestIfAny, fetchDocument, toText } from './content.node.ts'
import { choosePlatform, type Document, isManifestType, MAX_MANIFEST_BYTES } from './document.ts'
import { type Exchange, openExchange, type RegistryOptions } from './exchange.node.ts'
import { type ImageSource, toLayoutSink, toLayoutSource, toRegistrySink, toRegistrySource } from './image.node.ts'
import { fetchReferrers } from './referrers.node.ts'
import { type TransferEvent, type Transferred, type TransferWish, toPresent, transferImage } from './transfer.ts'
import type { BlobSource } from './upload.node.ts'

/** How to move images. */
export interface TransferOptions extends RegistryOptions {
  /** Told of every blob on its way. */
  readonly onProgress?: (event: TransferEvent) => void
}

/** How to push. */
export interface PushOptions extends TransferOptions {
  /** A tag that stands for another digest is moved. @default false */
  readonly force?: boolean
}

/** How to pull. */
export interface PullOptions extends TransferOptions {
  /** Of an index, only the manifest for this platform; undefined: the index with all. */
  readonly platform?: Platform
  /**
   * Says under what name and with which annotations an image is entered in the layout; asked before its blobs come.
   * `root` is what the reference stands for: the image itself, or the index that it was chosen from.
   * Undefined, also as its answer: the reference as name, the manifest's annotations
   */
  readonly toEntry?: (image: Document, root: Document) => Promise<EntryOptions | undefined>
}

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

/** Where `copyImage` finds or leaves an image. */
export type Place =
  | { readonly kind: 'registry'; readonly reference: Reference }
  | { readonly kind: 'layout'; readonly layout: ImageLayout; readonly name: string | undefined }

/** An image that can be read until disposal. */
interface OpenSource extends AsyncDisposable {
  readonly source: ImageSource
  readonly root: Document
  readonly tag: string | undefined
  readonly where: string
  /** Roots of what is about a manifest. */
  readonly listAbout: (subject: Digest) => Promise<readonly Descriptor[]>
}

async function openRegistrySource(
  reference: Reference,
  options: RegistryOptions,
  signal: AbortSignal,
): Promise<OpenSource> {
  const { digest, registry, repository, tag } = reference
  const exchange = await openExchange({ registry, repository, push: false }, options, signal)
  try {
    return {
      source: toRegistrySource(exchange, signal),
      root: await fetchDocument(exchange, digest ?? tag ?? LATEST, signal),
      tag,
      where: toReferenceText(reference),
      listAbout: subject => fetchReferrers(exchange, subject, signal),
      [Symbol.asyncDispose]: () => exchange[Symbol.asyncDispose](),
    }
  } catch (error) {
    await exchange[Symbol.asyncDispose]()
    throw error
  }
}

async function openLayoutSource(
  layout: ImageLayout,
  digest: Digest,
  options: RegistryOptions,
  signal: AbortSignal,
): Promise<OpenSource> {
  const home = (await layout.list()).find(entry => entry.digest === digest)?.annotations[FROM]
  let base: Promise<Exchange> | undefined
  const openBase = async (name: string): Promise<ImageSource> => {
    const { registry, repository } = parseReference(name)
    base ??= openExchange({ registry, repository, push: false }, options, signal)
    return toRegistrySource(await base, signal)
  }
  const source = toLayoutSource(layout, home, home === undefined ? undefined : () => openBase(home))
  return {
    source,
    root: await source.readDocument(digest),
    tag: undefined,
    where: layout.folder,
    listAbout: subject => listReferrers(layout, subject),
    async [Symbol.asyncDispose]() {
      await (await base?.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
}

async function sendTo(
  open: OpenSource,
  target: Reference,
  options: PushOptions,
  signal: AbortSignal,
): Promise<Transferred> {
  const { root, source } = open
  const { registry, repository } = target
  if (target.digest !== undefined && target.digest !== root.descriptor.digest) {
    throw new UsageError(
      'REFERENCE',
      `Cannot push ${root.descriptor.digest} as "${toReferenceText(target)}": it names another digest`,
      {
        fix: 'Leave the digest out',
      },
    )
  }
  const home = source.home === undefined ? undefined : parseReference(source.home)
  const mountFrom = home?.registry === registry ? [home.repository] : []
  await using exchange = await openExchange({ registry, repository, push: true, mountFrom }, options, signal)
  const name = target.tag ?? root.descriptor.digest
  const wish: TransferWish = { onEvent: options.onProgress ?? (() => undefined), signal }
  const there = await fetchDigestIfAny(exchange, name, signal)
  if (there !== undefined && there !== root.descriptor.digest && options.force !== true) {
    throw toTaken(toText(exchange, name), there, root.descriptor.digest)
  }
  const sent =
    there === root.descriptor.digest
      ? await toPresent(source, root)
      : await transferImage(source, toRegistrySink(exchange, name), root, wish)
  await sendAbout(open, exchange, wish)
  return sent
}

/** What is about the image goes after it: it is no part of it, and found by its digest. */
async function sendAbout(
  { listAbout, root, source }: OpenSource,
  exchange: Exchange,
  wish: TransferWish,
): Promise<void> {
  for (const { digest } of await listAbout(root.descriptor.digest)) {
    if ((await fetchDigestIfAny(exchange, digest, wish.signal)) !== undefined) continue
    const document = await source.readDocument(digest)
    await transferImage(source, toRegistrySink(exchange, digest), document, wish)
  }
}

async function storeIn(
  open: OpenSource,
  layout: ImageLayout,
  name: string | undefined,
  options: PullOptions,
  signal: AbortSignal,
): Promise<Transferred> {
  const root = await choose(open, options)
  const { source } = open
  const wish: TransferWish = { onEvent: options.onProgress ?? (() => undefined), signal }
  const named = (await options.toEntry?.(root, open.root)) ?? {
    ...(name !== undefined && { ref: name }),
    annotations: root.annotations,
  }
  const sink = toLayoutSink(layout, async document => ({
    ...(document === root ? named : { annotations: document.annotations }),
    ...(await readPlatform(layout, document)),
  }))
  const stored = await transferImage(source, sink, root, wish)
  for (const { digest } of await open.listAbout(root.descriptor.digest)) {
    await transferImage(source, sink, await source.readDocument(digest), wish)
  }
  return stored
}

async function choose({ root, source, where }: OpenSource, { platform }: PullOptions): Promise<Document> {
  if (platform === undefined || !root.isIndex) return root
  return await source.readDocument(choosePlatform(root, platform, where).digest)
}

/** What an image runs on stands in its config; artifacts have none. */
async function readPlatform(layout: ImageLayout, { blobs }: Document): Promise<Pick<EntryOptions, 'platform'>> {
  const config = blobs[0]
  if (config === undefined || !/image(\.config)?\.v1\+json$/.test(config.mediaType)) return {}
  const value: unknown = JSON.parse(new TextDecoder().decode(await layout.readBlob(config.digest)))
  if (!isObject(value) || typeof value['os'] !== 'string' || typeof value['architecture'] !== 'string') return {}
  return { platform: { os: value['os'], architecture: value['architecture'] } }
}

/** The entry of a name or digest, or the only image. @throws IMAGE_NONE, IMAGE_MANY */
async function findEntry({ layout, name }: Extract<Place, { kind: 'layout' }>): Promise<IndexEntry> {
  const entries = await layout.list()
  const images = entries.filter(({ artifactType }) => artifactType === undefined)
  const [only] = images
  const found = name === undefined ? only : await layout.resolve(name)
  const names = [...new Set(images.map(({ digest, ref }) => ref ?? digest))].join(', ')
  if (found === undefined) {
    const what = name === undefined ? 'it holds no image' : `it holds no "${name}"`
    throw new RegattaError('IMAGE_NONE', `Cannot find an image in "${layout.folder}": ${what}`, {
      fix: names === '' ? 'Name another layout' : `Name one of these: ${names}`,
    })
  }
  if (name === undefined && images.some(({ digest }) => digest !== found.digest)) {
    throw new RegattaError('IMAGE_MANY', `Cannot choose an image of "${layout.folder}": it holds several`, {
      fix: `Name one of these after the path and a colon: ${names}`,
    })
  }
  return found
}

/** The reference as a name in a layout, if it may be one. */
function toNameIfAny(reference: Reference): string | undefined {
  try {
    return parseRefName(toReferenceText(reference))
  } catch {
    return undefined
  }
}

function toTaken(name: string, there: Digest, wanted: Digest): RegattaError {
  return new RegattaError('TAG_TAKEN', `Cannot push ${wanted} as ${name}: the tag stands for ${there}`, {
    fix: 'Push under another tag, or move it with --force',
  })
}

async function timed({ clock }: RegistryOptions, move: () => Promise<Transferred>): Promise<Moved> {
  const startedAt = clock()
  const moved = await move()
  return { ...moved, seconds: (clock() - startedAt) / 1000 }
}

/** What a reference without tag and digest means by custom (docs.docker.com, "docker image pull"). */
const LATEST = 'latest'

import type { Digest } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import { FROM, type IndexEntry } from '../entry.ts'
import type { ImageLayout } from '../layout.node.ts'
import type { Descriptor } from '../manifest.ts'
import { parseReference, type Reference, toReferenceText } from '../reference.ts'
import { listReferrers } from '../referrers.ts'
import { fetchDocument } from './content.node.ts'
import type { Document } from './document.ts'
import { type Exchange, openExchange, type RegistryOptions } from './exchange.node.ts'
import { type ImageSource, toLayoutSource, toRegistrySource } from './image.node.ts'
import { fetchReferrers } from './referrers.node.ts'

/** What a reference without tag and digest means by custom (docs.docker.com, "docker image pull"). */
export const LATEST = 'latest'

/** Where `copyImage` finds or leaves an image. */
export type Place =
  | { readonly kind: 'registry'; readonly reference: Reference }
  | { readonly kind: 'layout'; readonly layout: ImageLayout; readonly name: string | undefined }

/** An image that can be read until disposal. */
export interface OpenSource extends AsyncDisposable {
  readonly source: ImageSource
  readonly root: Document
  readonly tag: string | undefined
  readonly where: string
  /** Roots of what is about a manifest. */
  readonly listAbout: (subject: Digest) => Promise<readonly Descriptor[]>
}

/** Opens the image of a reference; without a tag, `latest`. @throws REGISTRY_*, MANIFEST, CREDENTIALS, CERTIFICATES */
export async function openRegistrySource(
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

/** Opens an image of a layout; what that does not have is read from the repository that it stands on. @throws BLOB_MISSING, BLOB_DIGEST */
export async function openLayoutSource(
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

/** The entry of a name or digest, or the only image. @throws IMAGE_NONE, IMAGE_MANY */
export async function findEntry({ layout, name }: Extract<Place, { kind: 'layout' }>): Promise<IndexEntry> {
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

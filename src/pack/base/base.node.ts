import { access, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { toDiskError } from '../../core/disk.ts'
import { RegattaError, toSystemCode } from '../../core/errors.ts'
import { replaceFile } from '../../core/files.node.ts'
import {
  type Descriptor,
  type ImageLayout,
  type IndexEntry,
  openLayout,
  openRemoteImage,
  parseReference,
  type RegistryOptions,
  type RemoteImage,
  toDigest,
  toReferenceText,
} from '../../oci/index.ts'
import type { BlobCheck } from '../layer/intact.node.ts'
import type { Base, BaseSource } from './base.ts'

/** An image to stand on, found but not read; what it refers to can be read until it is disposed of. */
export interface OpenBase extends AsyncDisposable {
  readonly source: BaseSource
  /** The layout that holds its layers; undefined where a registry does. */
  readonly layout: ImageLayout | undefined
}

/** Where and how to find a base. */
export interface BaseOptions {
  /** Of the project. */
  readonly folder: string
  readonly registry: RegistryOptions
  /** Remembers what registries' documents hold. */
  readonly cacheFolder: string
  /** Reads them again, whatever is remembered. */
  readonly verify: boolean
}

const LAYOUT = 'oci:'

/**
 * Finds the image of `image.base`: a reference, or `oci:FOLDER` with `:NAME` where the layout holds several; folders
 * are relative to the project's. @throws BASE_MISSING, BASE_NAME, REFERENCE, MANIFEST, and what reading of a registry throws
 */
export async function openBase(text: string, options: BaseOptions, signal: AbortSignal): Promise<OpenBase> {
  const { folder } = options
  if (!text.startsWith(LAYOUT)) return await openRemote(text, options, signal)
  const { name, path } = await splitPath(resolve(folder, text.slice(LAYOUT.length)))
  const layout = await openLayout(path)
  const root = await findImage(layout, text, name)
  return {
    source: { name: toFullName(root.ref), from: undefined, root, read: ({ digest }) => layout.readBlob(digest) },
    layout,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function openRemote(text: string, options: BaseOptions, signal: AbortSignal): Promise<OpenBase> {
  const named = parseReference(text)
  const reference = { ...named, tag: named.tag ?? (named.digest === undefined ? 'latest' : undefined) }
  const image = await openRemoteImage(reference, options.registry, signal)
  const source = {
    name: toReferenceText({ ...reference, digest: undefined }),
    from: `${reference.registry}/${reference.repository}`,
    root: image.root,
    read: (descriptor: Descriptor) => readOnce(descriptor, image, options),
  }
  return { source, layout: undefined, [Symbol.asyncDispose]: () => image[Symbol.asyncDispose]() }
}

/** Reads a document once: its digest says what is in it. What is remembered and is not that is read again. */
async function readOnce(
  descriptor: Descriptor,
  { read, root }: RemoteImage,
  { cacheFolder, verify }: BaseOptions,
): Promise<Uint8Array> {
  // At hand already.
  if (descriptor.digest === root.digest) return await read(descriptor)
  const path = join(cacheFolder, 'base', descriptor.digest.slice('sha256:'.length))
  const known = verify ? undefined : await readFile(path).catch(() => undefined)
  if (known !== undefined && toDigest(known) === descriptor.digest) return known
  const bytes = await read(descriptor)
  try {
    await replaceFile(path, bytes)
  } catch (error) {
    throw toDiskError(error, path)
  }
  return bytes
}

/** Copies the layers of a base that lies in a layout, as far as they are not there. @throws BLOB_MISSING, BLOB_DIGEST, DISK_FULL */
export async function copyBase(
  { layout: from }: OpenBase,
  { layers }: Base,
  to: ImageLayout,
  check: BlobCheck,
  signal: AbortSignal,
): Promise<void> {
  if (from === undefined) return
  for (const { descriptor } of layers) {
    signal.throwIfAborted()
    if (await check.isIntact(descriptor)) continue
    await to.writeBlob(from.openBlob(descriptor.digest), descriptor.mediaType)
  }
}

/** The folder of a layout, and the name of an image in it: a path may hold colons, and then is taken whole. */
async function splitPath(path: string): Promise<{ readonly path: string; readonly name: string | undefined }> {
  if (await isLayout(path)) return { path, name: undefined }
  for (let colon = path.indexOf(':'); colon !== -1; colon = path.indexOf(':', colon + 1)) {
    const folder = path.slice(0, colon)
    if (await isLayout(folder)) return { path: folder, name: path.slice(colon + 1) }
  }
  throw new RegattaError('BASE_MISSING', 'Cannot find the image layout of image.base', {
    where: path,
    fix: 'Name a folder with an oci-layout file, such as one that skopeo copy docker://… oci:FOLDER makes',
  })
}

async function isLayout(folder: string): Promise<boolean> {
  try {
    await access(join(folder, 'oci-layout'))
    return true
  } catch (error) {
    if (toSystemCode(error) === 'ENOENT' || toSystemCode(error) === 'ENOTDIR') return false
    throw error
  }
}

async function findImage(layout: ImageLayout, text: string, name: string | undefined): Promise<IndexEntry> {
  const images = (await layout.list()).filter(({ artifactType }) => artifactType === undefined)
  const found = name === undefined ? images : images.filter(({ digest, ref }) => ref === name || digest === name)
  const [image] = found
  if (image !== undefined && found.length === 1) return image
  const names = images.map(({ digest, ref }) => ref ?? digest).slice(0, 10)
  throw new RegattaError(
    'BASE_NAME',
    `Cannot stand on "${text}": expected one image${name === undefined ? '' : ` "${name}"`}, found ${found.length}`,
    {
      where: layout.folder,
      fix: names.length === 0 ? 'Put an image into the layout' : `Write one of ${names.map(toChoice).join(', ')}`,
    },
  )
}

const toChoice = (name: string): string => `oci:FOLDER:${name}`

/** A layout's name for an image counts only where it is a full reference, as the image-spec wants of base names. */
function toFullName(ref: string | undefined): string | undefined {
  if (ref === undefined || !/^[^/]*[.:][^/]*\//.test(ref)) return undefined
  try {
    return toReferenceText(parseReference(ref))
  } catch {
    return undefined
  }
}

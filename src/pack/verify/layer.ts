import { pipeline } from 'node:stream/promises'
import type { Digest } from '../../core/brands.ts'
import { toErrorText } from '../../core/errors.ts'
import { createDigester, type Descriptor, type ScannedEntry, scanTar, toStreamDigest } from '../../oci/index.ts'
import { type Findings, isAboutContent } from './finding.ts'

/** Bytes of a blob, from its start each time. It may throw at the end where they are not those of the digest. */
export type OpenBlob = () => AsyncIterable<Uint8Array>

/** What a layer does to the files below it. */
export interface LayerFiles {
  /** Path to the digest of a file, or to null for a folder, a link and the like. */
  readonly paths: ReadonlyMap<string, Digest | null>
  /** What it takes away, with all below. */
  readonly hidden: ReadonlySet<string>
  /** Folders whose former content it takes away. */
  readonly emptied: ReadonlySet<string>
}

type Bytes = AsyncIterable<Uint8Array>

/** How the archive in a layer is unwrapped, by media type. Source: image-spec, layer.md; distribution, manifest-v2-2.md */
const UNWRAP: Readonly<Record<string, (chunks: Bytes) => Bytes>> = {
  'application/vnd.oci.image.layer.v1.tar': chunks => chunks,
  'application/vnd.oci.image.layer.v1.tar+gzip': chunks => through(chunks, 'createGunzip'),
  'application/vnd.oci.image.layer.v1.tar+zstd': chunks => through(chunks, 'createZstdDecompress'),
  'application/vnd.docker.image.rootfs.diff.tar.gzip': chunks => through(chunks, 'createGunzip'),
}
/** Source: image-spec, layer.md, "Whiteouts". */
const WHITEOUT = /^(.*\/|)\.wh\.([^/]+)$/
const OPAQUE = '.wh..opq'
/** Far more than images have, and what fits in memory. */
const MAX_ENTRIES = 500_000

/**
 * Reads a layer to its end: the digest and length of the blob, the digest of the archive in it, the rules of archives.
 * In constant memory but for its paths. Undefined where it cannot be read.
 */
export async function verifyLayer(
  open: OpenBlob,
  layer: Descriptor,
  diffId: Digest | undefined,
  findings: Findings,
): Promise<LayerFiles | undefined> {
  const { digest, mediaType, size } = layer
  const unwrap = UNWRAP[mediaType]
  if (unwrap === undefined) {
    findings.add('LAYER_TYPE', digest, `expected a layer of a known kind, found the media type "${mediaType}"`)
    await verifyBlob(open, layer, findings)
    return undefined
  }
  const blob = createDigester()
  const archive = createDigester()
  try {
    const files = await readFiles(watch(unwrap(watch(open(), blob.update)), archive.update), digest, findings)
    const found = archive.finish()
    // What stands behind the archive is not read with it.
    if (blob.sizeBytes !== size) await verifyBlob(open, layer, findings)
    else if (diffId !== undefined && found !== diffId) {
      findings.add('DIFF_ID', digest, `expected the archive ${diffId} in the layer, found ${found}`)
    }
    return files
  } catch (error) {
    if (!isAboutContent(error)) throw error
    // Where the bytes are not those of the digest, nothing that follows from them is worth telling.
    if (await verifyBlob(open, layer, findings)) {
      findings.add('LAYER_FORMAT', digest, `expected an archive that can be read: ${toErrorText(error)}`)
    }
    return undefined
  }
}

/** Checks digest and length of any blob; whether both are right. */
export async function verifyBlob(open: OpenBlob, { digest, size }: Descriptor, findings: Findings): Promise<boolean> {
  const found = await findings.attempt(digest, async () => await toStreamDigest(open()))
  if (found === undefined) return false
  if (found.digest !== digest) findings.add('BLOB_DIGEST', digest, `found content of the digest ${found.digest}`)
  else if (found.sizeBytes !== size) {
    findings.add('BLOB_SIZE', digest, `expected ${size} bytes, found ${found.sizeBytes}`)
  }
  return found.digest === digest && found.sizeBytes === size
}

/** The digest of a file in an image of these layers (bottom first); undefined where there is none. `path` is absolute. */
export function findFile(layers: readonly LayerFiles[], path: string): Digest | undefined {
  const plain = path.replace(/^\//, '')
  const parents = [...plain.matchAll(/\//g)].map(({ index }) => plain.slice(0, index))
  for (const { emptied, hidden, paths } of layers.toReversed()) {
    const found = paths.get(plain)
    if (found !== undefined) return found ?? undefined
    if (hidden.has(plain) || parents.some(parent => hidden.has(parent) || emptied.has(parent))) return undefined
  }
  return undefined
}

async function readFiles(archive: Bytes, layer: Digest, findings: Findings): Promise<LayerFiles> {
  const paths = new Map<string, Digest | null>()
  const hidden = new Set<string>()
  const emptied = new Set<string>()
  for await (const entry of scanTar(archive)) {
    const { isSparse, path } = entry
    if (paths.size >= MAX_ENTRIES) continue
    if (isSparse) findings.add('LAYER_RULE', layer, `expected whole files, found "${path}" stored without its holes`)
    if (paths.has(path)) findings.add('LAYER_RULE', layer, `expected each path once, found "${path}" twice`)
    const [, folder = '', name] = WHITEOUT.exec(path) ?? []
    if (name === OPAQUE) emptied.add(folder.slice(0, -1))
    else if (name !== undefined) hidden.add(hide(`${folder}${name}`, paths, layer, findings))
    paths.set(path, await readDigest(entry))
    if (paths.size === MAX_ENTRIES) findings.add('LAYER_RULE', layer, `expected fewer than ${MAX_ENTRIES} paths`)
  }
  return { paths, hidden, emptied }
}

/** A layer takes away what is below it, never what it holds itself. */
function hide(path: string, paths: ReadonlyMap<string, unknown>, layer: Digest, findings: Findings): string {
  if (paths.has(path)) findings.add('LAYER_RULE', layer, `expected "${path}" to be there or not, found both`)
  return path
}

async function readDigest({ content, kind }: ScannedEntry): Promise<Digest | null> {
  return kind === 'file' ? (await toStreamDigest(content)).digest : null
}

async function* watch(chunks: Bytes, look: (chunk: Uint8Array) => void): Bytes {
  for await (const chunk of chunks) {
    look(chunk)
    yield chunk
  }
}

async function* through(chunks: Bytes, name: 'createGunzip' | 'createZstdDecompress'): Bytes {
  // Loaded late: most commands unwrap no layer.
  const codec = (await import('node:zlib'))[name]()
  const done = pipeline(chunks, codec)
  // Awaited below; a failure before that reaches the reader through the codec, which is destroyed with it.
  done.catch(() => undefined)
  yield* codec
  await done
}

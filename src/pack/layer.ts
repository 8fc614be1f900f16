import type { Digest } from '../core/brands.ts'
import { toCanonicalJson } from '../core/json.ts'
import {
  createDigester,
  type Descriptor,
  gzip,
  gzipStored,
  type ImageLayout,
  MEDIA_TYPES,
  planTar,
  type TarFile,
  type TarFolder,
  toDigest,
  toTarFile,
  writeTar,
} from '../oci/index.ts'

/** What a layer holds, bottom up. */
export type LayerKind = 'base' | 'runtime' | 'app' | 'model'

/** Annotation of a layer in the manifest: its `LayerKind`. */
export const LAYER = 'dev.regatta.layer'

/** A file of a layer whose content is known by its digest. */
export interface LayerFile extends TarFile {
  readonly digest: Digest
  readonly mode: number
}

/** One layer before it is written. */
export interface LayerPlan {
  readonly kind: LayerKind
  /** How the archive is wrapped: weights barely compress, and `stored` bytes do not depend on a version of zlib. */
  readonly wrap: 'gzip' | 'stored'
  readonly entries: readonly (LayerFile | TarFolder)[]
}

/** One layer in the layout. */
export interface WrittenLayer {
  readonly kind: LayerKind
  /** With the annotation that tells its kind. */
  readonly descriptor: Descriptor
  /** Digest of the archive itself, which the image's config lists. */
  readonly diffId: Digest
  /** It was in the layout already. */
  readonly reused: boolean
}

/**
 * A change of anything that decides the bytes of a layer for the same files (order, modes, times, wrapping) is a new
 * format: digests stay what they were for as long as this number does.
 */
export const LAYER_FORMAT = 1

/** A file of a layer made of bytes that are at hand. */
export function toLayerText(path: string, text: string): LayerFile {
  const bytes = new TextEncoder().encode(text)
  return { ...toTarFile(path, bytes), mode: 0o644, digest: toDigest(bytes) }
}

/** A digest of all that decides a layer's bytes, known before anything is written. */
export function toLayerKey({ entries, wrap }: LayerPlan): Digest {
  const files = new Map(entries.map(entry => [entry.path, entry]))
  const listed = planTar(entries).map(({ path }) => {
    const entry = files.get(path)
    return entry?.kind === 'file' ? [path, entry.mode, entry.sizeBytes, entry.digest] : [path, entry?.mode ?? null]
  })
  return toDigest(new TextEncoder().encode(toCanonicalJson({ format: LAYER_FORMAT, wrap, entries: listed })))
}

/** Writes a layer into the layout in constant memory. @throws DISK_FULL, FILE_CHANGED, TAR_ENTRY */
export async function writeLayer(layout: ImageLayout, plan: LayerPlan): Promise<WrittenLayer> {
  const digester = createDigester()
  const archive = passThrough(writeTar(plan.entries), digester.update)
  const wrapped = plan.wrap === 'gzip' ? gzip(archive) : gzipStored(archive)
  const blob = await layout.writeBlob(wrapped, MEDIA_TYPES.layerGzip)
  return { ...toWritten(plan.kind, blob), diffId: digester.finish(), reused: false }
}

/** The parts of a written layer that its blob tells. */
export function toWritten(kind: LayerKind, blob: Descriptor): Pick<WrittenLayer, 'kind' | 'descriptor'> {
  return { kind, descriptor: { ...blob, annotations: { [LAYER]: kind } } }
}

async function* passThrough(
  chunks: AsyncIterable<Uint8Array>,
  look: (chunk: Uint8Array) => void,
): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    look(chunk)
    yield chunk
  }
}

import type { Digest } from '../../core/brands.ts'
import { toCanonicalJson } from '../../core/json.ts'
import { type Descriptor, planTar, type TarFile, type TarFolder, toDigest, toTarFile } from '../../oci/index.ts'

/** What a layer holds, bottom up. */
export type LayerKind = 'base' | 'runtime' | 'files' | 'app' | 'model'

/** Annotation of a layer in the manifest: its `LayerKind`. */
export const LAYER = 'dev.regatta.layer'

/** A file of a layer whose content is known by its digest. */
export interface LayerFile extends TarFile {
  readonly digest: Digest
  readonly mode: number
}

/** What is told of a layer. */
export interface LayerAbout {
  readonly kind: LayerKind
  /** For people: what it is, and why it is a layer of its own. */
  readonly why: string
  /** Files in it, and the bytes in them; null where they were never looked at. */
  readonly content: { readonly files: number; readonly bytes: number } | null
}

/** One layer before it is written. */
export interface LayerPlan extends Pick<LayerAbout, 'kind' | 'why'> {
  /**
   * How the archive is wrapped: `gzip` compresses; weights barely compress, and `stored` bytes, which are gzip too, do
   * not depend on a version of zlib; `none` is the bare archive.
   */
  readonly wrap: 'gzip' | 'stored' | 'none'
  readonly entries: readonly (LayerFile | TarFolder)[]
}

/** One layer in the layout, or one of a base that lies elsewhere. */
export interface WrittenLayer extends LayerAbout {
  /** With the annotation that tells its kind. */
  readonly descriptor: Descriptor
  /** Digest of the archive itself, which the image's config lists. */
  readonly diffId: Digest
  /** It was there already, and was not made again. */
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
export function toLayerKey({ entries, wrap }: Pick<LayerPlan, 'entries' | 'wrap'>): Digest {
  const files = new Map(entries.map(entry => [entry.path, entry]))
  const listed = planTar(entries).map(({ path }) => {
    const entry = files.get(path)
    return entry?.kind === 'file' ? [path, entry.mode, entry.sizeBytes, entry.digest] : [path, entry?.mode ?? null]
  })
  return toDigest(new TextEncoder().encode(toCanonicalJson({ format: LAYER_FORMAT, wrap, entries: listed })))
}

/** What is told of a planned layer. */
export function toAbout({
  entries,
  kind,
  why,
}: LayerPlan): LayerAbout & { readonly content: NonNullable<LayerAbout['content']> } {
  const files = entries.filter(entry => entry.kind === 'file')
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return { kind, why, content: { files: files.length, bytes } }
}

/** A layer whose blob is written. */
export function toWritten(about: LayerAbout, blob: Descriptor, diffId: Digest, reused: boolean): WrittenLayer {
  const { content, kind, why } = about
  return { kind, why, content, descriptor: { ...blob, annotations: { [LAYER]: kind } }, diffId, reused }
}

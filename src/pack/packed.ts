import type { Digest } from '../core/brands.ts'
import type { ImageLayout } from '../oci/index.ts'
import { LAYER, type LayerKind, type WrittenLayer } from './layer.ts'
import type { Version } from './version.ts'

/** One layer of a packed image. */
export interface PackedLayer {
  readonly kind: LayerKind
  readonly digest: Digest
  /** As it is stored and moved. */
  readonly sizeBytes: number
  /** It was there already, and was not made again. */
  readonly reused: boolean
}

/** A version in the layout. */
export interface PackedImage {
  readonly version: number
  /** Of the image's manifest. */
  readonly digest: Digest
  /** Its name in the layout: `MODEL:VERSION`. */
  readonly reference: string
  /** Of all its layers. */
  readonly sizeBytes: number
  /** Bottom first. */
  readonly layers: readonly PackedLayer[]
  /** Digest of the run record; null for a folder. */
  readonly run: Digest | null
}

const KINDS: readonly LayerKind[] = ['base', 'runtime', 'app', 'model']

/** An image's name in its layout. */
export function toImageName(model: string, version: number): string {
  return `${model}:${version}`
}

/** What packing tells of a version. */
export function toPackedImage(
  model: string,
  { digest, run, version }: Pick<Version, 'digest' | 'run' | 'version'>,
  layers: readonly WrittenLayer[] | readonly PackedLayer[],
): PackedImage {
  const packed = layers.map(layer => ('descriptor' in layer ? toPackedLayer(layer) : layer))
  const sizeBytes = packed.reduce((sum, layer) => sum + layer.sizeBytes, 0)
  return { version, digest, reference: toImageName(model, version), sizeBytes, layers: packed, run }
}

/** The image of a version as it lies in the layout; undefined where a blob of it is missing. @throws BLOB_DIGEST, MANIFEST */
export async function readPackedImage(
  layout: ImageLayout,
  model: string,
  version: Version,
): Promise<PackedImage | undefined> {
  if (!(await layout.keepBlob(version.digest))) return undefined
  const { config, layers } = await layout.readManifest(version.digest)
  for (const { digest } of [config, ...layers]) if (!(await layout.keepBlob(digest))) return undefined
  const packed = layers.flatMap(({ annotations, digest, size }): PackedLayer[] => {
    const kind = KINDS.find(kind => kind === annotations?.[LAYER])
    return kind === undefined ? [] : [{ kind, digest, sizeBytes: size, reused: true }]
  })
  return toPackedImage(model, version, packed)
}

function toPackedLayer({ descriptor, kind, reused }: WrittenLayer): PackedLayer {
  return { kind, digest: descriptor.digest, sizeBytes: descriptor.size, reused }
}

import type { Digest } from '../../core/brands.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { LayerAbout } from '../layer/layer.ts'
import type { LoopReport } from '../model/loops.ts'

/** One layer of a packed image. */
export interface PackedLayer extends LayerAbout {
  readonly digest: Digest
  /** As it is stored and moved. */
  readonly sizeBytes: number
  /** It was there already, and was not made again. */
  readonly reused: boolean
  /** `linux/arm64` where the layer is of that platform alone, in an image for several; else null. */
  readonly platform: string | null
}

/** A version in the layout. */
export interface PackedImage {
  readonly version: number
  /** Of the image's manifest, or of its index where it is for several platforms. */
  readonly digest: Digest
  /** Of the same. */
  readonly mediaType: string
  /** Its name in the layout: `MODEL:VERSION`. */
  readonly reference: string
  /** Of all its layers, each counted once. */
  readonly sizeBytes: number
  /** Bottom first; those of one platform before those of the next, and those of all platforms last. */
  readonly layers: readonly PackedLayer[]
  /** Digest of the run record; null for a folder. */
  readonly run: Digest | null
  /** Blobs that were found damaged, and were made again. */
  readonly repaired: readonly Digest[]
  /** What was found of the model's loops; null where none was looked for, or found. */
  readonly loops: LoopReport | null
}

/** An image's name in its layout. */
export function toImageName(model: string, version: number): string {
  return `${model}:${version}`
}

/** The bytes of layers, each counted once. */
export function sumLayers(layers: readonly PackedLayer[]): number {
  const sizes = new Map(layers.map(({ digest, sizeBytes }) => [digest, sizeBytes]))
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

/** What is told of a layer whose blob is there. */
export function toPackedLayer(
  { content, kind, why }: LayerAbout,
  { digest, size }: Descriptor,
  reused: boolean,
  platform: string | null = null,
): PackedLayer {
  return { kind, digest, sizeBytes: size, reused, platform, why, content }
}

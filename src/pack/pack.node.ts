import { type BlobWatch, type ImageLayout, toPlatformText } from '../oci/index.ts'
import { copyBase } from './base/base.node.ts'
import { copyOut } from './copy-out.node.ts'
import { type PackedImage, type PackedLayer, sumLayers, toPackedLayer } from './image/packed.ts'
import { type Ingredients, type PlatformPlan, planImage } from './image/plan.node.ts'
import { type PlatformLayers, packVersion } from './image/version.node.ts'
import { type BlobCheck, openBlobCheck } from './layer/intact.node.ts'
import { openKnownFiles } from './layer/known-files.node.ts'
import type { WrittenLayer } from './layer/layer.ts'
import { writeLayerOnce } from './layer/layer-cache.node.ts'

/** What to pack, of what, and where to. Paths are absolute. */
export interface PackRequest extends Ingredients {
  /** The project's layout: it gives the version, and keeps the image. */
  readonly layout: ImageLayout
  /** Layers that regatta came with, made by `prebuildRuntime`. @default none */
  readonly prebuiltFolder?: string
  /** Another layout that gets a copy of the image. */
  readonly output?: string
  /** Told of the large layers of a new version while they are written. @default nobody */
  readonly followLayer?: (version: number, sizeBytes: number) => BlobWatch | undefined
  /** Version of the regatta that packs, for the bill of materials. */
  readonly regatta?: string
}

/**
 * Makes a version of a run's model, or of a folder's: an image of base, runtime, app and model layers; for several
 * platforms an index of such images, which share app and model.
 *
 * The digest is a function of the run (or of the folder's files), the base, the bundles, the name, the section `image`
 * of regatta.yaml, SOURCE_DATE_EPOCH and the version, which stands in the image because a server's URLs and folders
 * have it. The version is the layout's next number, unless the layout has one of the same recipe (all of these but the
 * version): that one is returned. So packing twice gives one version, two empty layouts give one digest, and a newer
 * Node or newer bundles give a new version. Layers carry the same times whatever SOURCE_DATE_EPOCH says: it moves none
 * of them. The version is given under a lock, and an image is in the index whole or not at all. Blobs that are found
 * damaged are made again; their length is always looked at, their content with `verify`. A model whose loops are
 * rewritten goes into the image instead of the one it comes from, whose digest the image names.
 * @throws PACK_NO_MODEL, PACK_MODEL, ONNX_FORMAT, RUN_CHANGED, FILE_READ, FILE_CHANGED, FILE_KIND, FILE_COUNT,
 * FILE_SECRET, FILE_MISSING, RUNTIME_MISSING, BASE_LIBRARY, BASE_PLATFORM, BASE_MISSING, BASE_NAME, BASE_FORMAT,
 * REFERENCE, DISK_FULL, LAYOUT_BUSY, VERSION_TAKEN, SOURCE_DATE_EPOCH (UsageError); the signal's reason
 */
export async function packImage(request: PackRequest, signal: AbortSignal): Promise<PackedImage> {
  const { cacheFolder, layout, output, verify = false } = request
  const known = await openKnownFiles(cacheFolder, { verify })
  const plan = await planImage(request, { known, signal })
  await known.save()
  const check = openBlobCheck(layout, verify, signal)
  const lower: PlatformLayers[] = []
  for (const platform of plan.platforms) lower.push(await writePlatform(request, platform, check, signal))
  const { upper, ...version } = await packVersion(request, plan, lower, check, signal)
  const layers = [...toLowerLayers(lower), ...upper]
  const packed = { ...version, sizeBytes: sumLayers(layers), layers, repaired: check.damaged, loops: plan.model.loops }
  if (output !== undefined) await copyOut(layout, packed, output, signal)
  return packed
}

/** Writes the layers of one platform that do not depend on the model. */
async function writePlatform(
  { cacheFolder, layout, prebuiltFolder }: PackRequest,
  { ground, own, platform }: PlatformPlan,
  check: BlobCheck,
  signal: AbortSignal,
): Promise<PlatformLayers> {
  const layers: WrittenLayer[] = []
  const stores = { cacheFolder, prebuiltFolder }
  if (ground.kind === 'host') layers.push(await writeLayerOnce(layout, stores, ground.layer, check))
  else {
    await copyBase(ground.open, ground.base, layout, check, signal)
    layers.push(...ground.base.layers)
  }
  for (const layer of own) {
    signal.throwIfAborted()
    layers.push(await writeLayerOnce(layout, stores, layer, check))
  }
  return { platform, layers, config: ground.kind === 'host' ? undefined : ground.base.config }
}

function toLowerLayers(platforms: readonly PlatformLayers[]): readonly PackedLayer[] {
  return platforms.flatMap(({ layers, platform }) =>
    layers.map(layer => {
      const alone = platforms.length > 1 ? toPlatformText(platform) : null
      return toPackedLayer(layer, layer.descriptor, layer.reused, alone)
    }),
  )
}

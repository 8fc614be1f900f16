import type { Digest } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import { toCanonicalJson } from '../../core/json.ts'
import {
  type Descriptor,
  FROM,
  type ImageConfig,
  type ImageLayout,
  type IndexEntry,
  MEDIA_TYPES,
  type NewEntry,
  type Platform,
} from '../../oci/index.ts'
import { listManifests } from '../copy.ts'
import { type DescribeRequest, describeVersion } from '../describe/describe.node.ts'
import { type BlobCheck, isDamage } from '../layer/intact.node.ts'
import { type LayerPlan, toAbout, type WrittenLayer } from '../layer/layer.ts'
import { writeLayer } from '../layer/layer-write.node.ts'
import { planUpper } from '../layer/upper.ts'
import { lockVersions } from '../lock.node.ts'
import type { PackRequest } from '../pack.node.ts'
import { type ImageFacts, toAnnotations, toImageConfig, toImageIndex, toImageManifest } from './image.ts'
import { type PackedImage, type PackedLayer, toImageName, toPackedLayer } from './packed.ts'
import type { ImagePlan } from './plan.node.ts'
import { findVersion, RECIPE } from './version.ts'

/** The layers of one platform below those of the model, bottom first. */
export interface PlatformLayers {
  readonly platform: Platform
  readonly layers: readonly WrittenLayer[]
  /** Of the image below; undefined: this machine's Node. */
  readonly config: ImageConfig['config'] | undefined
}

/** A version in the layout, and the layers that are its own. */
export interface PackedVersion extends Omit<PackedImage, 'layers' | 'sizeBytes' | 'repaired' | 'loops'> {
  readonly upper: readonly PackedLayer[]
}

/**
 * Gives the image a version, or finds the one it has, and enters it in the index with its lineage: both or neither.
 * @throws as `packImage`
 */
export async function packVersion(
  request: DescribeRequest & Pick<PackRequest, 'followLayer'>,
  plan: ImagePlan,
  lower: readonly PlatformLayers[],
  check: BlobCheck,
  signal: AbortSignal,
): Promise<PackedVersion> {
  const { followLayer, layout } = request
  await using _lock = await lockVersions(layout, signal)
  const { model, run } = plan.facts
  const { next, same } = await findVersion(layout, model, plan.recipe)
  const facts: ImageFacts = { ...plan.facts, version: same?.version ?? next }
  const { version } = facts
  const upper = planUpper(plan, facts, signal)
  const named = { version, reference: toImageName(model, version), run }
  const entry = same && (await layout.resolve(same.digest))
  const found = entry && (await findUpper(layout, entry, upper, check))
  if (entry !== undefined && found !== undefined) {
    const lineage = await describeVersion(request, plan, { root: entry, version }, signal)
    if (lineage.length > 0) await layout.enterAll(lineage)
    return { ...named, digest: entry.digest, mediaType: entry.mediaType, upper: found }
  }
  const layers: WrittenLayer[] = []
  for (const layer of upper) {
    signal.throwIfAborted()
    layers.push(await writeLayer(layout, layer, followLayer && (sizeBytes => followLayer(version, sizeBytes))))
  }
  signal.throwIfAborted()
  const image = await writeImage(layout, plan, facts, lower, layers)
  const { descriptor: root } = image
  await layout.enterAll([image, ...(await describeVersion(request, plan, { root, version }, signal))])
  const packed = layers.map(layer => toPackedLayer(layer, layer.descriptor, layer.reused))
  return { ...named, digest: root.digest, mediaType: root.mediaType, upper: packed }
}

/** The upper layers of a version as it lies in the layout; undefined where a blob of it is missing or damaged. */
async function findUpper(
  layout: ImageLayout,
  entry: IndexEntry,
  plans: readonly LayerPlan[],
  check: BlobCheck,
): Promise<readonly PackedLayer[] | undefined> {
  const elsewhere = entry.annotations[FROM] !== undefined
  let upper: readonly PackedLayer[] | undefined
  const manifests = await readOrReport(entry.digest, check, () => listManifests(layout, entry))
  for (const { digest } of manifests ?? []) {
    const manifest = await readOrReport(digest, check, () => layout.readManifest(digest))
    if (manifest === undefined || !(await check.isIntact(manifest.config))) return undefined
    for (const layer of manifest.layers) {
      const isMounted = elsewhere && layer.annotations?.['dev.regatta.layer'] === 'base'
      if (!isMounted && !(await check.isIntact(layer))) return undefined
    }
    const own = manifest.layers.slice(-plans.length)
    upper = plans.flatMap((plan, at) => {
      const layer = own[at]
      return layer === undefined ? [] : [toPackedLayer(toAbout(plan), layer, true)]
    })
  }
  return upper
}

/** What is read, or undefined where it is missing, or damaged, which is noted. */
async function readOrReport<value>(
  digest: Digest,
  check: BlobCheck,
  read: () => Promise<value>,
): Promise<value | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isDamage(error)) check.report(digest)
    else if (!(error instanceof RegattaError && error.code === 'BLOB_MISSING')) throw error
    return undefined
  }
}

/** Writes the documents of an image whose layers are written. */
async function writeImage(
  layout: ImageLayout,
  plan: ImagePlan,
  facts: ImageFacts,
  lower: readonly PlatformLayers[],
  upper: readonly WrittenLayer[],
): Promise<NewEntry> {
  const manifests: Descriptor[] = []
  for (const { config, layers, platform } of lower) {
    const all = [...layers, ...upper]
    const bytes = toJsonBytes(toImageConfig(facts, platform, all, config))
    const manifest = toImageManifest(facts, await layout.writeBlob(bytes, MEDIA_TYPES.config), all)
    manifests.push({ ...(await layout.writeBlob(toJsonBytes(manifest), manifest.mediaType)), platform })
  }
  const [only] = manifests
  const isOne = manifests.length === 1 && only !== undefined
  const index = toImageIndex(facts, manifests)
  const { platform, ...descriptor } = isOne
    ? only
    : { ...(await layout.writeBlob(toJsonBytes(index), index.mediaType)), platform: undefined }
  const from = plan.platforms.flatMap(({ ground }) => (ground.kind === 'image' ? (ground.base.from ?? []) : []))[0]
  const options = {
    ref: toImageName(facts.model, facts.version),
    annotations: { ...toAnnotations(facts), [RECIPE]: plan.recipe, ...(from !== undefined && { [FROM]: from }) },
    ...(platform !== undefined && { platform }),
  }
  return { descriptor, options }
}

function toJsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(toCanonicalJson(value))
}

import type { Digest } from '../core/brands.ts'
import { RegattaError } from '../core/errors.ts'
import { toCanonicalJson } from '../core/json.ts'
import {
  type Descriptor,
  FROM,
  type ImageConfig,
  type ImageLayout,
  type IndexEntry,
  MEDIA_TYPES,
  type Platform,
} from '../oci/index.ts'
import { listManifests } from './copy.ts'
import { type ImageFacts, planAppLayer, toAnnotations, toImageConfig, toImageIndex, toImageManifest } from './image.ts'
import { type BlobCheck, isDamage } from './intact.node.ts'
import { type LayerPlan, toAbout, type WrittenLayer } from './layer.ts'
import { writeLayer } from './layer-write.node.ts'
import { lockVersions } from './lock.node.ts'
import { planModelLayers } from './model.node.ts'
import { type PackedImage, type PackedLayer, toImageName, toPackedLayer } from './packed.ts'
import type { ImagePlan } from './plan.node.ts'
import { TRITON_CONFIG } from './triton.ts'
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

/** Gives the image a version, or finds the one it has, and enters it in the index. @throws as `packImage` */
export async function packVersion(
  layout: ImageLayout,
  plan: ImagePlan,
  lower: readonly PlatformLayers[],
  check: BlobCheck,
  signal: AbortSignal,
): Promise<PackedVersion> {
  await using _lock = await lockVersions(layout, signal)
  const { model, run } = plan.facts
  const { next, same } = await findVersion(layout, model, plan.recipe)
  const facts: ImageFacts = { ...plan.facts, version: same?.version ?? next }
  const upper = planUpper(plan, facts, signal)
  const named = { version: facts.version, reference: toImageName(model, facts.version), run }
  const entry = same && (await layout.resolve(same.digest))
  const found = entry && (await findUpper(layout, entry, upper, check))
  if (entry !== undefined && found !== undefined) {
    const { digest, mediaType } = entry
    return { ...named, digest, mediaType, upper: found }
  }
  const layers: WrittenLayer[] = []
  for (const layer of upper) {
    signal.throwIfAborted()
    layers.push(await writeLayer(layout, layer))
  }
  signal.throwIfAborted()
  const { digest, mediaType } = await enterImage(layout, plan, facts, lower, layers)
  const packed = layers.map(layer => toPackedLayer(layer, layer.descriptor, layer.reused))
  return { ...named, digest, mediaType, upper: packed }
}

/** The layers that all platforms share: what the image holds, and the model. */
export function planUpper(plan: ImagePlan, facts: ImageFacts, signal: AbortSignal): readonly LayerPlan[] {
  const { model, modelCompression: wrap } = plan
  const { modelPath, server, version } = facts
  const app = planAppLayer(facts, model.files.has(TRITON_CONFIG))
  return [app, ...planModelLayers(model, { server, modelPath, version, wrap }, signal)]
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

/** Writes the documents of an image whose layers are written, and enters it. */
async function enterImage(
  layout: ImageLayout,
  plan: ImagePlan,
  facts: ImageFacts,
  lower: readonly PlatformLayers[],
  upper: readonly WrittenLayer[],
): Promise<Descriptor> {
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
  const { platform, ...root } = isOne
    ? only
    : { ...(await layout.writeBlob(toJsonBytes(index), index.mediaType)), platform: undefined }
  const from = plan.platforms.flatMap(({ ground }) => (ground.kind === 'image' ? (ground.base.from ?? []) : []))[0]
  await layout.enter(root, {
    ref: toImageName(facts.model, facts.version),
    annotations: { ...toAnnotations(facts), [RECIPE]: plan.recipe, ...(from !== undefined && { [FROM]: from }) },
    ...(platform !== undefined && { platform }),
  })
  return root
}

function toJsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(toCanonicalJson(value))
}

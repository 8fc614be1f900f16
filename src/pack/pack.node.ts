import { join, resolve } from 'node:path'
import type { Project } from '../config/index.ts'
import type { Digest } from '../core/brands.ts'
import { RegattaError, UsageError } from '../core/errors.ts'
import { toCanonicalJson } from '../core/json.ts'
import { waitForFileLock } from '../core/lock.node.ts'
import {
  type EntryOptions,
  type ImageLayout,
  type IndexEntry,
  MEDIA_TYPES,
  openLayout,
  REF_NAME,
  toDigest,
} from '../oci/index.ts'
import { copyManifest } from './copy.ts'
import { type HostPlan, planHost } from './host.node.ts'
import { type ImageFacts, planAppLayer, toAnnotations, toImageConfig, toImageManifest } from './image.ts'
import { LAYER_FORMAT, toLayerKey, type WrittenLayer, writeLayer } from './layer.ts'
import { writeLayerOnce } from './layer-cache.node.ts'
import { type Model, type ModelSource, planModelLayers, readModel } from './model.node.ts'
import { type PackedImage, readPackedImage, toImageName, toPackedImage } from './packed.ts'
import { findVersion, RECIPE } from './version.ts'

/** What to pack, of what, and where to. Paths are absolute. */
export interface PackRequest {
  readonly project: Pick<Project, 'name' | 'image'>
  readonly source: ModelSource
  /** The project's layout: it gives the version, and keeps the image. */
  readonly layout: ImageLayout
  /** Remembers which layers were made before. */
  readonly cacheFolder: string
  /** The bundles: server.js and the native files it needs. */
  readonly runtimeFolder: string
  /** The Node that goes into the base layer. */
  readonly node: string
  /** `SOURCE_DATE_EPOCH`, in seconds: the time that the image says it was created. @default when the run ended, or 0 */
  readonly sourceDateEpoch: string | undefined
  /** Another layout that gets a copy of the image, and of its run's record. */
  readonly output?: string
}

/**
 * Makes a version of a run's model, or of a folder's: an image of base, runtime, app and model layers.
 *
 * The digest is a function of the run (or of the folder's files), Node, the bundles, the name, the path in the image,
 * SOURCE_DATE_EPOCH and the version, which stands in the image because a server's URLs and folders have it. The
 * version is the layout's next number, unless the layout has one of the same recipe (all of these but the version):
 * that one is returned. So packing twice gives one version, two empty layouts give one digest, and a newer Node or
 * newer bundles give a new version. Layers carry the same times whatever SOURCE_DATE_EPOCH says: it moves none of them.
 * The version is given under a lock, and an image is in the index whole or not at all.
 * @throws PACK_NO_MODEL, PACK_MODEL, ONNX_FORMAT, RUN_CHANGED, FILE_READ, FILE_CHANGED, FILE_KIND, FILE_COUNT,
 * RUNTIME_MISSING, BASE_LIBRARY, BASE_PLATFORM, DISK_FULL, LAYOUT_BUSY, VERSION_TAKEN, SOURCE_DATE_EPOCH (UsageError); the signal's reason
 */
export async function packImage(request: PackRequest, signal: AbortSignal): Promise<PackedImage> {
  const { cacheFolder, layout, node, output, project, runtimeFolder, source, sourceDateEpoch } = request
  const model = await readModel(source, signal)
  const createdAt = parseSourceDateEpoch(sourceDateEpoch) ?? model.run?.record.endedAt ?? 0
  const host = await planHost(node, resolve(runtimeFolder), signal)
  const recipe = toRecipe(project, host, model, createdAt)
  const lower = [
    await writeLayerOnce(layout, cacheFolder, host.base),
    await writeLayerOnce(layout, cacheFolder, host.runtime),
  ]
  const { architecture } = host
  const { modelPath } = project.image
  const run = model.run?.digest ?? null
  const facts = { model: project.name, run, createdAt, architecture, modelPath, signature: model.signature }
  const packed = await packVersion(layout, { facts, model, lower, recipe }, signal)
  if (output !== undefined) await copyOut(layout, packed, await openLayout(output), signal)
  return packed
}

/** All that decides an image but its version. */
interface VersionPlan {
  readonly facts: Omit<ImageFacts, 'version'>
  readonly model: Model
  readonly lower: readonly WrittenLayer[]
  readonly recipe: Digest
}

async function packVersion(layout: ImageLayout, plan: VersionPlan, signal: AbortSignal): Promise<PackedImage> {
  const { lower, model, recipe } = plan
  await using _lock = await lockVersions(layout, signal)
  const { next, same } = await findVersion(layout, plan.facts.model, recipe)
  const found = same && (await readPackedImage(layout, plan.facts.model, same))
  if (found !== undefined) return found
  const facts = { ...plan.facts, version: same?.version ?? next }
  const layers = [...lower]
  for (const layer of [planAppLayer(facts), ...planModelLayers(model, facts.modelPath, facts.version, signal)])
    layers.push(await writeLayer(layout, layer))
  signal.throwIfAborted()
  const config = toJsonBytes(toImageConfig(facts, layers))
  const manifest = toImageManifest(facts, await layout.writeBlob(config, MEDIA_TYPES.config), layers)
  const { digest } = await layout.putManifest(manifest, {
    ref: toImageName(facts.model, facts.version),
    annotations: { ...toAnnotations(facts), [RECIPE]: recipe },
    platform: { os: 'linux', architecture: facts.architecture },
  })
  return toPackedImage(facts.model, { version: facts.version, digest, run: facts.run }, layers)
}

async function copyOut(
  from: ImageLayout,
  { digest, reference, run }: PackedImage,
  to: ImageLayout,
  signal: AbortSignal,
): Promise<void> {
  await using _lock = await lockVersions(to, signal)
  const holder = await to.resolve(reference)
  if (holder !== undefined && holder.digest !== digest) {
    throw new RegattaError(
      'VERSION_TAKEN',
      `Cannot write "${reference}" into "${to.folder}": it holds another image of that name`,
      {
        where: holder.digest,
        fix: 'Name another layout',
      },
    )
  }
  const entry = await from.resolve(reference)
  if (run !== null) {
    const record = await from.resolve(run)
    if (record !== undefined) await copyManifest(from, to, run, toOptions(record), signal)
  }
  if (entry !== undefined) await copyManifest(from, to, digest, toOptions(entry), signal)
}

/** Two processes that pack into one layout take turns, so that each version is given once. */
async function lockVersions(layout: ImageLayout, signal: AbortSignal): Promise<AsyncDisposable> {
  return await waitForFileLock(join(layout.folder, 'versions.lock'), signal)
}

function toOptions({ annotations, platform }: IndexEntry): EntryOptions {
  const { [REF_NAME]: ref, ...rest } = annotations
  return { annotations: rest, ...(ref !== undefined && { ref }), ...(platform !== undefined && { platform }) }
}

/** A digest of all that decides an image but its version. */
function toRecipe(project: PackRequest['project'], host: HostPlan, model: Model, createdAt: number): Digest {
  const files = [...model.files].map(([path, { digest }]) => [path, digest])
  return toDigest(
    toJsonBytes({
      format: LAYER_FORMAT,
      name: project.name,
      modelPath: project.image.modelPath,
      base: toLayerKey(host.base),
      runtime: toLayerKey(host.runtime),
      files: Object.fromEntries(files),
      run: model.run?.digest ?? null,
      createdAt,
    }),
  )
}

function toJsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(toCanonicalJson(value))
}

/** The instant in epoch ms, or undefined where the variable is not set. Source: reproducible-builds.org/specs/source-date-epoch. */
function parseSourceDateEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1000
  throw new UsageError('SOURCE_DATE_EPOCH', `Cannot read SOURCE_DATE_EPOCH "${text}": expected seconds since 1970`, {
    fix: 'Set for example SOURCE_DATE_EPOCH=$(git log -1 --format=%ct), or unset it',
  })
}

import type { Digest } from '../../core/brands.ts'
import {
  type Annotations,
  type Descriptor,
  type ImageConfig,
  type Manifest,
  MEDIA_TYPES,
  parseImageConfig,
  parseIndex,
  parseManifest,
} from '../../oci/index.ts'
import { LAYER } from '../layer/layer.ts'
import { createFindings, type Findings, type Problem } from './finding.ts'
import { verifyBlob, verifyLayer } from './layer.ts'
import {
  type About,
  checkModel,
  type ReadLayer,
  readAbout,
  readRun,
  readSbom,
  type VerifiedRun,
  type VerifiedSbom,
} from './lineage.ts'
import type { ImagePlace } from './place.ts'
import { checkConfig, checkEntry, checkManifest, parseDocument } from './rules.ts'

/** An image whose every byte was read. It is right where there is no problem. */
export interface VerifiedImage {
  readonly digest: Digest
  readonly problems: readonly Problem[]
  readonly annotations: Annotations
  readonly platforms: readonly VerifiedPlatform[]
  /** Undefined for an image of no run. */
  readonly run: VerifiedRun | undefined
  /** Types of all that is about the image. */
  readonly about: readonly { readonly digest: Digest; readonly type: string }[]
}

/** An image for one platform. */
export interface VerifiedPlatform {
  /** Of its manifest. */
  readonly digest: Digest
  /** Undefined where the config cannot be read. */
  readonly config: ImageConfig | undefined
  /** Bottom first. */
  readonly layers: readonly VerifiedLayer[]
  readonly sbom: VerifiedSbom | undefined
}

/** A layer that was checked. */
export interface VerifiedLayer {
  readonly digest: Digest
  readonly sizeBytes: number
  /** What it holds, where regatta made it. */
  readonly kind: string | undefined
  /** Where it lies, if not with the image: then it was not read. */
  readonly elsewhere: string | undefined
}

/**
 * Reads an image to its last byte and recomputes all that it says of itself: digests and lengths of every blob, the
 * archives in its layers, the rules of the image-spec, that its model is what the run left, and that the bill of
 * materials lists what is in it. What is wrong is told, not thrown; thrown are failures to read at all.
 */
export async function verifyImage(place: ImagePlace, root: Descriptor, signal: AbortSignal): Promise<VerifiedImage> {
  const findings = createFindings()
  const stoppable: ImagePlace = { ...place, openBlob: blob => untilAborted(place.openBlob(blob), signal) }
  const { annotations, manifests } = await readRoot(stoppable, root, findings)
  const about = await readAbout(stoppable, root.digest, findings)
  const run = await readRun(stoppable, annotations, about, findings)
  const platforms: VerifiedPlatform[] = []
  const further: About[] = []
  for (const manifest of manifests) {
    const own = manifest.digest === root.digest ? about : await readAbout(stoppable, manifest.digest, findings)
    if (own !== about) further.push(...own)
    platforms.push(await verifyPlatform(stoppable, manifest, own, run, findings))
  }
  return {
    digest: root.digest,
    problems: findings.problems,
    annotations,
    platforms,
    run,
    about: [...about, ...further].map(({ digest, manifest }) => ({
      digest,
      type: manifest.artifactType ?? manifest.config.mediaType,
    })),
  }
}

/** The annotations of an image, and its manifests: one, or those of its index. */
async function readRoot(
  place: ImagePlace,
  root: Descriptor,
  findings: Findings,
): Promise<{ readonly annotations: Annotations; readonly manifests: readonly Descriptor[] }> {
  const value = await findings.attempt(root.digest, async () => parseDocument(await place.readDocument(root.digest)))
  if (value === undefined) return { annotations: {}, manifests: [] }
  if (root.mediaType !== MEDIA_TYPES.index) {
    const { annotations = {} } = (await findings.attempt(root.digest, async () => parseManifest(value))) ?? {}
    return { annotations, manifests: [root] }
  }
  await verifyBlob(() => place.openBlob(root), root, findings)
  const { annotations = {}, manifests = [] } =
    (await findings.attempt(root.digest, async () => parseIndex(value))) ?? {}
  // Entries of no platform are attestations, in the form that BuildKit gives them.
  const images = manifests.filter(({ platform }) => platform?.os !== 'unknown')
  if (images.length === 0) findings.add('INDEX_RULE', root.digest, 'expected an image in the index, found none')
  for (const { digest, platform } of images) {
    if (platform === undefined)
      findings.add('INDEX_RULE', root.digest, `expected the platform of ${digest}, found none`)
  }
  return { annotations, manifests: images }
}

async function verifyPlatform(
  place: ImagePlace,
  entry: Descriptor,
  about: readonly About[],
  run: VerifiedRun | undefined,
  findings: Findings,
): Promise<VerifiedPlatform> {
  const { digest } = entry
  const none: VerifiedPlatform = { digest, config: undefined, layers: [], sbom: undefined }
  if (!(await verifyBlob(() => place.openBlob(entry), entry, findings))) return none
  const read = await findings.attempt(digest, async () => {
    const value = parseDocument(await place.readDocument(digest))
    return { value, manifest: parseManifest(value) }
  })
  if (read === undefined) return none
  const { manifest } = read
  for (const what of checkManifest(manifest, read.value)) findings.add('MANIFEST_RULE', digest, what)
  const config = await verifyConfig(place, entry, manifest, findings)
  const layers: ReadLayer[] = []
  const verified: VerifiedLayer[] = []
  for (const [index, layer] of manifest.layers.entries()) {
    const elsewhere = await place.findElsewhere(layer.digest)
    const open = () => place.openBlob(layer)
    const diffId = config?.rootfs.diff_ids[index]
    const files = elsewhere === undefined ? await verifyLayer(open, layer, diffId, findings) : undefined
    layers.push({ layer, files })
    verified.push({ digest: layer.digest, sizeBytes: layer.size, kind: layer.annotations?.[LAYER], elsewhere })
  }
  if (run?.record) checkModel(run.record, { ...manifest, digest }, layers, findings)
  return { digest, config, layers: verified, sbom: await readSbom(place, digest, about, layers, findings) }
}

async function verifyConfig(
  place: ImagePlace,
  entry: Descriptor,
  manifest: Manifest,
  findings: Findings,
): Promise<ImageConfig | undefined> {
  const { config: blob } = manifest
  if (!(await verifyBlob(() => place.openBlob(blob), blob, findings))) return undefined
  return await findings.attempt(blob.digest, async () => {
    const value = parseDocument(await place.readDocument(blob.digest))
    const config = parseImageConfig(value)
    for (const what of checkConfig(config, value, manifest)) findings.add('CONFIG_RULE', blob.digest, what)
    for (const what of checkEntry(entry, config)) findings.add('INDEX_RULE', entry.digest, what)
    return config
  })
}

async function* untilAborted(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  signal.throwIfAborted()
  for await (const chunk of chunks) {
    signal.throwIfAborted()
    yield chunk
  }
}

import type { Digest } from '../core/brands.ts'
import { toCanonicalJson } from '../core/json.ts'
import { type Descriptor, type ImageLayout, type Manifest, MEDIA_TYPES, toDigest } from '../oci/index.ts'
import {
  type BaseImage,
  type ComponentLayer,
  type KnownVersions,
  readComponents,
  toBaseComponent,
} from './components.ts'
import { SBOM_TYPE, toSbom } from './sbom.ts'
import { CREATED } from './version.ts'

/** An image in a layout, and what is known of it beside its bytes. */
export interface Described {
  /** Of the image's manifest. */
  readonly image: Descriptor
  readonly model: string
  readonly version: number
  /** Digest of the run record's manifest; null for a folder that was packed. */
  readonly run: Digest | null
  /** Epoch ms. */
  readonly createdAt: number
  /** What the image was made of, but the layers of a base that was not looked into. */
  readonly layers: readonly ComponentLayer[]
  /** The image that it stands on, where it is not this machine. */
  readonly base?: BaseImage
  readonly versions: KnownVersions
}

/**
 * Puts a bill of materials and the record of the run beside an image, as artifacts about it; neither changes the
 * image. Doing it again changes nothing. Source: image-spec, manifest.md, "subject".
 * @throws DISK_FULL, FILE_CHANGED, BLOB_MISSING
 */
export async function attachLineage(layout: ImageLayout, described: Described): Promise<void> {
  const { image, run } = described
  await attachSbom(layout, described)
  if (run !== null) await attachRun(layout, image, run)
}

async function attachSbom(layout: ImageLayout, described: Described): Promise<void> {
  const { base, createdAt, image, layers, model, version, versions } = described
  const components = await readComponents(layers, versions)
  const all = base === undefined ? components : [toBaseComponent(base), ...components]
  const subject = { model, version, digest: image.digest, createdAt, regatta: versions.regatta }
  const config = toContent('{}', MEDIA_TYPES.empty)
  const document = toContent(toCanonicalJson(toSbom(subject, all)), SBOM_TYPE)
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    artifactType: SBOM_TYPE,
    config: config.descriptor,
    layers: [document.descriptor],
    subject: toSubject(image),
    annotations: { [CREATED]: new Date(createdAt).toISOString() },
  }
  await putOnce(layout, manifest, [config, document])
}

/**
 * Puts the record's manifest beside an image, with the image as its subject and nothing else changed, so that whoever has the image from a
 * registry can tell that it is the record that the image names. It has no annotations in the layout's index, where
 * they make a run of the project.
 */
export async function attachRun(layout: ImageLayout, image: Descriptor, run: Digest): Promise<void> {
  await putOnce(layout, { ...(await layout.readManifest(run)), subject: toSubject(image) }, [])
}

/** A blob at hand. */
interface Content {
  readonly bytes: Uint8Array
  readonly descriptor: Descriptor
}

/** Puts a manifest and its blobs, unless the layout has all of it. */
async function putOnce(layout: ImageLayout, manifest: Manifest, contents: readonly Content[]): Promise<void> {
  const { digest } = toContent(toCanonicalJson(manifest), manifest.mediaType).descriptor
  const blobs = [digest, ...contents.map(({ descriptor }) => descriptor.digest)]
  const here = await Promise.all(blobs.map(blob => layout.hasBlob(blob)))
  if (!here.includes(false) && (await layout.resolve(digest)) !== undefined) return
  for (const { bytes, descriptor } of contents) await layout.writeBlob(bytes, descriptor.mediaType)
  await layout.putManifest(manifest)
}

function toContent(text: string, mediaType: string): Content {
  const bytes = new TextEncoder().encode(text)
  return { bytes, descriptor: { mediaType, digest: toDigest(bytes), size: bytes.byteLength } }
}

function toSubject({ digest, mediaType, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}

import type { Digest } from '../../core/brands.ts'
import { toCanonicalJson } from '../../core/json.ts'
import {
  type Descriptor,
  type ImageLayout,
  type Manifest,
  MEDIA_TYPES,
  type NewEntry,
  toDigest,
} from '../../oci/index.ts'
import { CREATED } from '../image/version.ts'
import {
  type BaseImage,
  type ComponentLayer,
  type KnownVersions,
  readComponents,
  toBaseComponent,
} from './components.ts'
import { SBOM_TYPE, toSbom } from './sbom.ts'

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
 * Writes a bill of materials and the record of the run as artifacts about an image; neither changes the image. Returns
 * what is to be entered in the index beside it: nothing where all of it is there.
 * Source: image-spec, manifest.md, "subject". @throws DISK_FULL, FILE_CHANGED, BLOB_MISSING
 */
export async function writeLineage(layout: ImageLayout, described: Described): Promise<readonly NewEntry[]> {
  const { image, run } = described
  const record = run === null ? [] : await writeRun(layout, image, run)
  return [...(await writeSbom(layout, described)), ...record]
}

async function writeSbom(layout: ImageLayout, described: Described): Promise<readonly NewEntry[]> {
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
  return await writeOnce(layout, manifest, [config, document])
}

/**
 * Writes the record's manifest with an image as its subject and nothing else changed, so that whoever has the image from
 * a registry can tell that it is the record that the image names. It has no annotations in the layout's index, where
 * they make a run of the project.
 */
export async function writeRun(layout: ImageLayout, image: Descriptor, run: Digest): Promise<readonly NewEntry[]> {
  return await writeOnce(layout, { ...(await layout.readManifest(run)), subject: toSubject(image) }, [])
}

/** A blob at hand. */
interface Content {
  readonly bytes: Uint8Array
  readonly descriptor: Descriptor
}

/** Writes a manifest and its blobs, unless the layout has all of it. */
async function writeOnce(
  layout: ImageLayout,
  manifest: Manifest,
  contents: readonly Content[],
): Promise<readonly NewEntry[]> {
  const { bytes, descriptor } = toContent(toCanonicalJson(manifest), manifest.mediaType)
  const all = [...contents, { bytes, descriptor }]
  const here = await Promise.all(all.map(content => layout.hasBlob(content.descriptor.digest)))
  if (!here.includes(false) && (await layout.resolve(descriptor.digest)) !== undefined) return []
  for (const content of all) await layout.writeBlob(content.bytes, content.descriptor.mediaType)
  const { artifactType } = manifest
  return [{ descriptor: artifactType === undefined ? descriptor : { ...descriptor, artifactType } }]
}

function toContent(text: string, mediaType: string): Content {
  const bytes = new TextEncoder().encode(text)
  return { bytes, descriptor: { mediaType, digest: toDigest(bytes), size: bytes.byteLength } }
}

function toSubject({ digest, mediaType, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}

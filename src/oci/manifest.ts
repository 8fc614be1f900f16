import { type Digest, parseDigest } from '../core/brands.ts'
import { RegattaError } from '../core/errors.ts'
import { isObject, type JsonObject } from '../core/json.ts'

/** Media types of the OCI image-spec v1.1.1, media-types.md and guidance-for-artifacts. */
export const MEDIA_TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  empty: 'application/vnd.oci.empty.v1+json',
} as const

/** Words about an object. Source: OCI image spec 1.1, annotations.md. */
export type Annotations = Readonly<Record<string, string>>

/** Points at a blob: its kind, digest and length in bytes (image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly artifactType?: string
  readonly annotations?: Annotations
  readonly platform?: Platform
}

/** What an image runs on, in Go's words: `amd64`, `linux`. */
export interface Platform {
  readonly architecture: string
  readonly os: string
}

/** An image (config is an image config) or an artifact (config is the empty one). image-spec, manifest.md */
export interface Manifest {
  readonly schemaVersion: 2
  readonly mediaType: string
  readonly artifactType?: string
  readonly config: Descriptor
  /** Bottom first. */
  readonly layers: readonly Descriptor[]
  /** The manifest that this one tells something about; it need not be there. */
  readonly subject?: Descriptor
  readonly annotations?: Annotations
}

/** A list of manifests: of a layout, or of one image for several platforms. image-spec, image-index.md */
export interface Index {
  readonly schemaVersion: 2
  readonly mediaType: string
  readonly artifactType?: string
  readonly manifests: readonly Descriptor[]
  readonly subject?: Descriptor
  readonly annotations?: Annotations
}

/** How to run an image, and the digests of its uncompressed layers. image-spec, config.md */
export interface ImageConfig extends Platform {
  /** RFC 3339. */
  readonly created?: string
  readonly config: {
    readonly User?: string
    readonly WorkingDir?: string
    readonly Entrypoint?: readonly string[]
    readonly Cmd?: readonly string[]
    /** `NAME=value`, each name once. */
    readonly Env?: readonly string[]
    readonly ExposedPorts?: Readonly<Record<string, Readonly<Record<string, never>>>>
    readonly Labels?: Annotations
  }
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] }
  readonly history?: readonly { readonly created?: string; readonly created_by?: string; readonly comment?: string }[]
}

/** Reads a manifest. @throws MANIFEST, DIGEST */
export function parseManifest(value: unknown): Manifest {
  const manifest = parseVersioned(value, 'manifest', MEDIA_TYPES.manifest)
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    ...pick('artifactType', parseOptionalText(manifest, 'artifactType')),
    config: parseDescriptor(manifest['config']),
    layers: parseList(manifest['layers'], 'layers').map(parseDescriptor),
    ...pick('subject', manifest['subject'] === undefined ? undefined : parseDescriptor(manifest['subject'])),
    ...pick('annotations', parseAnnotations(manifest['annotations'])),
  }
}

/** Reads an index. @throws MANIFEST, DIGEST */
export function parseIndex(value: unknown): Index {
  const index = parseVersioned(value, 'index', MEDIA_TYPES.index)
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.index,
    ...pick('artifactType', parseOptionalText(index, 'artifactType')),
    manifests: parseList(index['manifests'], 'manifests').map(parseDescriptor),
    ...pick('subject', index['subject'] === undefined ? undefined : parseDescriptor(index['subject'])),
    ...pick('annotations', parseAnnotations(index['annotations'])),
  }
}

/** Reads a descriptor; properties that the image-spec does not name are left out. @throws MANIFEST, DIGEST */
export function parseDescriptor(value: unknown): Descriptor {
  if (!isObject(value)) throw unreadable('descriptor', 'a JSON object', value)
  const { size } = value
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw unreadable('descriptor', 'a whole number of bytes as "size"', size)
  }
  return {
    mediaType: parseText(value, 'mediaType'),
    digest: parseDigest(parseText(value, 'digest')),
    size,
    ...pick('artifactType', parseOptionalText(value, 'artifactType')),
    ...pick('annotations', parseAnnotations(value['annotations'])),
    ...pick('platform', value['platform'] === undefined ? undefined : parsePlatform(value['platform'])),
  }
}

/** Reads an image's config. @throws MANIFEST, DIGEST */
export function parseImageConfig(value: unknown): ImageConfig {
  if (!isObject(value) || !isObject(value['rootfs'])) throw unreadable('image config', 'an object with "rootfs"', value)
  const inner = value['config'] ?? {}
  if (!isObject(inner)) throw unreadable('image config', 'an object as "config"', inner)
  const ports = inner['ExposedPorts']
  return {
    ...parsePlatform(value),
    ...pick('created', parseOptionalText(value, 'created')),
    config: {
      ...pick('User', parseOptionalText(inner, 'User')),
      ...pick('WorkingDir', parseOptionalText(inner, 'WorkingDir')),
      ...pick('Entrypoint', parseTexts(inner['Entrypoint'], 'Entrypoint')),
      ...pick('Cmd', parseTexts(inner['Cmd'], 'Cmd')),
      ...pick('Env', parseTexts(inner['Env'], 'Env')),
      ...pick(
        'ExposedPorts',
        isObject(ports) ? Object.fromEntries(Object.keys(ports).map(port => [port, {}])) : undefined,
      ),
      ...pick('Labels', parseAnnotations(inner['Labels'])),
    },
    rootfs: {
      type: 'layers',
      diff_ids: (parseTexts(value['rootfs']['diff_ids'], 'diff_ids') ?? []).map(parseDigest),
    },
  }
}

function parsePlatform(value: unknown): Platform {
  if (!isObject(value)) throw unreadable('platform', 'a JSON object', value)
  return { architecture: parseText(value, 'architecture'), os: parseText(value, 'os') }
}

function parseVersioned(value: unknown, what: string, mediaType: string): JsonObject {
  if (!isObject(value)) throw unreadable(what, 'a JSON object', value)
  if (value['schemaVersion'] !== 2) throw unreadable(what, 'schemaVersion 2', value['schemaVersion'])
  const found = value['mediaType'] ?? mediaType
  if (found !== mediaType) throw unreadable(what, `the media type ${mediaType}`, found)
  return value
}

function parseText(value: JsonObject, key: string): string {
  const text = value[key]
  if (typeof text !== 'string') throw unreadable('document', `text as "${key}"`, text)
  return text
}

function parseOptionalText(value: JsonObject, key: string): string | undefined {
  return value[key] === undefined ? undefined : parseText(value, key)
}

function parseList(value: unknown, key: string): readonly unknown[] {
  if (!Array.isArray(value)) throw unreadable('document', `a list as "${key}"`, value)
  return value
}

function parseTexts(value: unknown, key: string): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  return parseList(value, key).map(item => {
    if (typeof item !== 'string') throw unreadable('document', `only text in "${key}"`, item)
    return item
  })
}

function parseAnnotations(value: unknown): Annotations | undefined {
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) throw unreadable('annotations', 'a JSON object', value)
  return Object.fromEntries(Object.keys(value).map(key => [key, parseText(value, key)]))
}

/** One property, or none where there is no value: documents hold no `undefined`. */
function pick<key extends string, value>(key: key, value: value | undefined): { readonly [_ in key]?: value } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [_ in key]: value })
}

function unreadable(what: string, wanted: string, found: unknown): RegattaError {
  const shown = (JSON.stringify(found) ?? 'nothing').slice(0, 120)
  return new RegattaError('MANIFEST', `Cannot read OCI ${what}: expected ${wanted}, found ${shown}`)
}

import type { Digest } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { toDigest } from '../digest.ts'
import { type Annotations, type Descriptor, MEDIA_TYPES, type Platform, parseDescriptor } from '../manifest.ts'

/** Docker's own names for what the image-spec names anew; registries hold both (image-spec, media-types.md). */
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json'

/** `Accept` of every manifest that can be read. */
export const ACCEPT = [MEDIA_TYPES.manifest, MEDIA_TYPES.index, DOCKER_MANIFEST, DOCKER_INDEX].join(', ')

/** Registries take manifests up to 4 MiB (distribution-spec, "Pushing Manifests"). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024

/** A manifest or an index as its bytes stand in a registry or a layout. */
export interface Document {
  /** Media type, digest and length of exactly these bytes. */
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
  /** The manifests of an index; empty for a manifest. */
  readonly manifests: readonly Descriptor[]
  /** Config and layers of a manifest, bottom first; empty for an index. */
  readonly blobs: readonly Descriptor[]
  /** What it tells something about. */
  readonly subject: Descriptor | undefined
  readonly annotations: Annotations
  readonly isIndex: boolean
}

/**
 * Reads a manifest or an index, an OCI or a Docker one. `said` is the `Content-Type` that came with it.
 * Source: distribution-spec v1.1.1, "Pulling manifests"; image-spec v1.1.1, manifest.md and image-index.md.
 *
 * @throws MANIFEST for other documents, and where `said` and the document's own media type are not the same
 */
export function parseDocument(bytes: Uint8Array, said: string | undefined, where: string): Document {
  const value = parseJson(bytes, where)
  const own = value['mediaType']
  const named = said?.split(';')[0]?.trim().toLowerCase()
  const type = typeof own === 'string' ? own : isManifestType(named) ? named : guessType(value)
  if (isManifestType(named) && named !== type) throw unreadable(where, `the media type ${named}`, type)
  if (!isManifestType(type) || value['schemaVersion'] !== 2) {
    throw unreadable(where, 'an image manifest or index of schema version 2', type)
  }
  const isIndex = type === MEDIA_TYPES.index || type === DOCKER_INDEX
  const { artifactType, config, subject } = value
  return {
    descriptor: {
      mediaType: type,
      digest: toDigest(bytes),
      size: bytes.byteLength,
      ...(typeof artifactType === 'string' && { artifactType }),
    },
    bytes,
    isIndex,
    manifests: isIndex ? parseList(value['manifests'], 'manifests', where) : [],
    blobs: isIndex ? [] : parseList([config, ...toList(value['layers'], 'layers', where)], 'layers', where),
    subject: subject === undefined || subject === null ? undefined : parseDescriptor(subject),
    annotations: toAnnotations(value['annotations']),
  }
}

/** Whether a media type is that of a manifest or an index. */
export function isManifestType(type: string | undefined): type is string {
  return type !== undefined && ACCEPT.split(', ').includes(type)
}

/** Writes a platform as `linux/arm64`. */
export function toPlatformText({ architecture, os }: Platform): string {
  return `${os}/${architecture}`
}

/** Reads a platform such as `linux/arm64`. @throws PLATFORM */
export function parsePlatformText(text: string): Platform {
  const [, os, architecture] = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/[a-z0-9]+)?$/.exec(text) ?? []
  if (os !== undefined && architecture !== undefined) return { os, architecture }
  throw new RegattaError('PLATFORM', `Cannot read platform "${text}": expected OS/ARCHITECTURE`, {
    fix: 'Write for example linux/amd64 or linux/arm64',
  })
}

/** The manifest of an index for a platform. @throws PLATFORM_NONE, which names those there are */
export function choosePlatform(index: Document, wanted: Platform, where: string): Descriptor {
  const text = toPlatformText(wanted)
  const known = index.manifests.filter(({ platform }) => platform !== undefined && platform.os !== 'unknown')
  const found = known.find(({ platform }) => platform && toPlatformText(platform) === text)
  if (found !== undefined) return found
  const names = [...new Set(known.map(({ platform }) => (platform ? toPlatformText(platform) : '')))].join(', ')
  throw new RegattaError(
    'PLATFORM_NONE',
    `Cannot use the image on ${text}: expected a manifest for it, found ${names === '' ? 'none with a platform' : names}`,
    { where, fix: names === '' ? 'Name another image' : 'Name one of these platforms, or another image' },
  )
}

/** Another digest than the one that was asked for, or promised. */
export function toDigestError(wanted: Digest, found: string, where: string): RegattaError {
  return new RegattaError('REGISTRY_DIGEST', `Cannot use what the registry sent: expected ${wanted}, found ${found}`, {
    where,
    fix: 'Run the same command again; if it stays so, the registry or a proxy before it changes content',
  })
}

function parseJson(bytes: Uint8Array, where: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new RegattaError('MANIFEST', 'Cannot read image manifest: it is not JSON', { where, cause })
  }
  if (!isObject(value)) throw unreadable(where, 'a JSON object', value)
  return value
}

/** Old documents may leave their media type out (image-spec, manifest.md, "mediaType"). */
function guessType(value: JsonObject): string {
  return Array.isArray(value['manifests']) ? MEDIA_TYPES.index : MEDIA_TYPES.manifest
}

function toList(value: unknown, key: string, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw unreadable(where, `a list as "${key}"`, value)
  return value
}

function parseList(value: unknown, key: string, where: string): readonly Descriptor[] {
  return toList(value, key, where).map(parseDescriptor)
}

function toAnnotations(value: unknown): Annotations {
  const entries = Object.entries(isObject(value) ? value : {})
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

function unreadable(where: string, wanted: string, found: unknown): RegattaError {
  const shown = (JSON.stringify(found) ?? 'nothing').slice(0, 120)
  return new RegattaError('MANIFEST', `Cannot read image manifest: expected ${wanted}, found ${shown}`, { where })
}

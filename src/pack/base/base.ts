import type { Digest } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import { isObject } from '../../core/json.ts'
import {
  type Descriptor,
  type ImageConfig,
  MEDIA_TYPES,
  type Platform,
  parseImageConfig,
  parseIndex,
  parseManifest,
  toPlatformText,
} from '../../oci/index.ts'
import { toWritten, type WrittenLayer } from '../layer/layer.ts'

/** An image that others stand on, for one platform. */
export interface Base {
  /** In full, as `registry.example.com/team/node:24`; undefined for an image without such a name. */
  readonly name: string | undefined
  /** Of the manifest or index that its name stands for. */
  readonly digest: Digest
  /** Repository that its layers can be mounted from; undefined where they lie on this machine. */
  readonly from: string | undefined
  readonly layers: readonly WrittenLayer[]
  readonly config: ImageConfig['config']
}

/** Where an image lies: a layout, or a registry. */
export interface BaseSource {
  readonly name: string | undefined
  readonly from: string | undefined
  readonly root: Descriptor
  /** Reads a manifest, an index or a config, and checks its digest. */
  read(descriptor: Descriptor): Promise<Uint8Array>
}

/** Docker's own media types, whose documents and layers have the form of the OCI ones. Source: distribution, manifest-v2-2.md */
const OCI_TYPES: Readonly<Record<string, string>> = {
  'application/vnd.docker.distribution.manifest.list.v2+json': MEDIA_TYPES.index,
  'application/vnd.docker.distribution.manifest.v2+json': MEDIA_TYPES.manifest,
  'application/vnd.docker.container.image.v1+json': MEDIA_TYPES.config,
  'application/vnd.docker.image.rootfs.diff.tar.gzip': MEDIA_TYPES.layerGzip,
}

/** Reads the base for one platform; its layers are told of, never fetched. @throws BASE_PLATFORM, BASE_FORMAT, MANIFEST, DIGEST */
export async function readBase(source: BaseSource, platform: Platform): Promise<Base> {
  const manifest = parseManifest(await readDocument(source, await findManifest(source, platform)))
  const config = parseImageConfig(await readDocument(source, manifest.config))
  if (config.os !== platform.os || config.architecture !== platform.architecture) {
    throw noPlatform(source, platform, [toPlatformText(config)])
  }
  const { diff_ids: diffIds } = config.rootfs
  if (diffIds.length !== manifest.layers.length) {
    throw new RegattaError('BASE_FORMAT', `Cannot stand on ${toLabel(source)}: its config and manifest differ`, {
      where: `${manifest.layers.length} layers, ${diffIds.length} diff_ids`,
      fix: 'Name another base in image.base',
    })
  }
  const layers = manifest.layers.map((layer, index): WrittenLayer => {
    const { digest, mediaType, size } = layer
    const why = `${index + 1} of ${manifest.layers.length} of ${toLabel(source)}${source.from === undefined ? '' : ', mounted and never fetched'}`
    const about = { kind: 'base', why, content: null } as const
    return toWritten(about, { mediaType, digest, size }, diffIds[index] ?? digest, true)
  })
  return { name: source.name, digest: source.root.digest, from: source.from, layers, config: config.config }
}

async function findManifest(source: BaseSource, platform: Platform): Promise<Descriptor> {
  let found = source.root
  for (let depth = 0; toOciType(found.mediaType) === MEDIA_TYPES.index; depth++) {
    const { manifests } = parseIndex(await readDocument(source, found))
    const next = manifests.find(
      entry => entry.platform?.os === platform.os && entry.platform.architecture === platform.architecture,
    )
    if (next === undefined || depth > 2) {
      const known = manifests.flatMap(entry => (entry.platform === undefined ? [] : [toPlatformText(entry.platform)]))
      throw noPlatform(source, platform, known)
    }
    found = next
  }
  return found
}

async function readDocument(source: BaseSource, descriptor: Descriptor): Promise<unknown> {
  const text = new TextDecoder().decode(await source.read(descriptor))
  try {
    return toOciDocument(JSON.parse(text))
  } catch (cause) {
    throw new RegattaError('BASE_FORMAT', `Cannot stand on ${toLabel(source)}: what it refers to is not JSON`, {
      where: descriptor.digest,
      cause,
    })
  }
}

/** A document whose media types are OCI's. */
function toOciDocument(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toOciDocument)
  if (!isObject(value)) return value
  const { mediaType } = value
  const inner = Object.entries(value).map(([key, item]) => [
    key,
    ['manifests', 'layers', 'config'].includes(key) ? toOciDocument(item) : item,
  ])
  return { ...Object.fromEntries(inner), ...(typeof mediaType === 'string' && { mediaType: toOciType(mediaType) }) }
}

function toOciType(mediaType: string): string {
  return OCI_TYPES[mediaType] ?? mediaType
}

function noPlatform(source: BaseSource, platform: Platform, known: readonly string[]): RegattaError {
  const found = [...new Set(known)].filter(name => !name.startsWith('unknown')).join(', ') || 'none that it names'
  return new RegattaError(
    'BASE_PLATFORM',
    `Cannot stand on ${toLabel(source)}: expected ${toPlatformText(platform)}, found ${found}`,
    { fix: 'Name a base for that platform in image.base, or other platforms in image.platforms' },
  )
}

function toLabel({ name, root }: BaseSource): string {
  return name ?? root.digest
}

import { toCanonicalJson } from '../../core/json.ts'
import {
  type Annotations,
  type Descriptor,
  FROM,
  type ImageConfig,
  type ImageLayout,
  type Index,
  type IndexEntry,
  type Manifest,
  MEDIA_TYPES,
  parseImageConfig,
} from '../../oci/index.ts'
import { listManifests } from '../copy.ts'
import { LAYER } from '../layer/layer.ts'
import { RUNTIME_PATH } from './server.ts'
import { CREATED } from './version.ts'

/** Annotation of an image without a model: the version of regatta in it. */
export const RUNTIME = 'dev.regatta.runtime'

/** It is the same whenever it is made. */
const MADE_AT = new Date(0).toISOString()
/** What stays true of the base without the model. */
const BASE_ANNOTATIONS = /^org\.opencontainers\.image\.base\./

/**
 * Makes the image without a model that gateway and control run: the base and the runtime of a packed image, which starts
 * Node with whatever it is given. The layout has it for as long as `use` lasts. Where the packed image has no runtime,
 * since another server runs its model, `use` is not called, and the result is undefined.
 * @throws DISK_FULL, BLOB_MISSING, BLOB_DIGEST, MANIFEST
 */
export async function withRuntimeImage<result>(
  layout: ImageLayout,
  packed: IndexEntry,
  regatta: string,
  use: (image: Descriptor) => Promise<result>,
): Promise<result | undefined> {
  const annotations = toAnnotations(packed, regatta)
  const manifests: Descriptor[] = []
  for (const manifest of await listManifests(layout, packed)) {
    const written = await writeRuntime(layout, manifest, annotations)
    if (written === undefined) return undefined
    manifests.push(written)
  }
  const [only] = manifests
  const image =
    packed.mediaType !== MEDIA_TYPES.index && only !== undefined
      ? only
      : await writeDocument(layout, { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests, annotations })
  // Where the layers of the base lie, if not here.
  const from = packed.annotations[FROM]
  await layout.enter(image, from === undefined ? {} : { annotations: { [FROM]: from } })
  try {
    return await use(image)
  } finally {
    await layout.remove(image.digest)
  }
}

async function writeRuntime(
  layout: ImageLayout,
  { digest, platform }: Descriptor,
  annotations: Annotations,
): Promise<Descriptor | undefined> {
  const { config, layers } = await layout.readManifest(digest)
  const kinds = layers.map(layer => layer.annotations?.[LAYER])
  const top = kinds.lastIndexOf('runtime')
  if (top === -1) return undefined
  const packed = parseImageConfig(JSON.parse(new TextDecoder().decode(await layout.readBlob(config.digest))))
  const bytes = toBytes(toRuntimeConfig(packed, kinds.slice(0, top + 1), annotations))
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: await layout.writeBlob(bytes, MEDIA_TYPES.config),
    layers: layers.slice(0, top + 1),
    annotations,
  }
  const written = await writeDocument(layout, manifest)
  return platform === undefined ? written : { ...written, platform }
}

function toRuntimeConfig(
  packed: ImageConfig,
  kinds: readonly (string | undefined)[],
  annotations: Annotations,
): ImageConfig {
  const { Entrypoint = [], Env, User } = packed.config
  return {
    architecture: packed.architecture,
    os: packed.os,
    created: MADE_AT,
    config: {
      ...(User !== undefined && { User }),
      ...(Env !== undefined && { Env }),
      WorkingDir: RUNTIME_PATH,
      // The image's own Node; which of the entries it runs is for the caller to say.
      Entrypoint: Entrypoint.slice(0, 1),
      Labels: annotations,
    },
    rootfs: { type: 'layers', diff_ids: packed.rootfs.diff_ids.slice(0, kinds.length) },
    history: kinds.map(kind => ({ created: MADE_AT, created_by: `regatta ${kind}` })),
  }
}

function toAnnotations(packed: IndexEntry, regatta: string): Annotations {
  return {
    [CREATED]: MADE_AT,
    'org.opencontainers.image.title': 'regatta',
    'org.opencontainers.image.version': regatta,
    ...Object.fromEntries(Object.entries(packed.annotations).filter(([name]) => BASE_ANNOTATIONS.test(name))),
    [RUNTIME]: regatta,
  }
}

async function writeDocument(layout: ImageLayout, document: Manifest | Index): Promise<Descriptor> {
  return await layout.writeBlob(toBytes(document), document.mediaType)
}

function toBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(toCanonicalJson(value))
}

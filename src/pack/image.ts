import type { Digest } from '../core/brands.ts'
import { toCanonicalJson } from '../core/json.ts'
import { type Annotations, type Descriptor, type ImageConfig, type Manifest, MEDIA_TYPES } from '../oci/index.ts'
import type { ModelSignature } from '../train/index.ts'
import { LAYER_FORMAT, type LayerPlan, toLayerText, type WrittenLayer } from './layer.ts'
import { CREATED, MODEL, RUN, VERSION } from './version.ts'

/** Ids below 1024 are the system's; this one is the usual "nonroot", and numeric so that Kubernetes can check it. */
const USER = '65532:65532'
/** Where Node lies in an image. */
export const NODE_PATH = '/usr/local/bin/node'
/** Where the bundles lie in an image. */
export const RUNTIME_PATH = '/opt/regatta'
const HTTP_PORT = 8501

/** What an image says of itself. */
export interface ImageFacts {
  readonly model: string
  readonly version: number
  readonly run: Digest | null
  /** Epoch ms. */
  readonly createdAt: number
  readonly architecture: ImageConfig['architecture']
  /** Folder of the model in the image, which holds VERSION/. */
  readonly modelPath: string
  readonly signature: ModelSignature
}

/** The layer that tells what the image holds, for people and tools that look into it. */
export function planAppLayer({ model, modelPath, run, signature, version }: ImageFacts): LayerPlan {
  const { inputs, irVersion, opsets, outputs } = signature
  const document = { schema: 'regatta/model/v1', model, version, modelPath, run, irVersion, opsets, inputs, outputs }
  const file = toLayerText(`${RUNTIME_PATH.slice(1)}/model.json`, `${toCanonicalJson(document)}\n`)
  return { kind: 'app', wrap: 'stored', entries: [file] }
}

/** How the image runs: the model server on its model, as a user that is not root. */
export function toImageConfig(facts: ImageFacts, layers: readonly WrittenLayer[]): ImageConfig {
  const created = toDateText(facts.createdAt)
  const model = ['--model-name', facts.model, '--model-base-path', facts.modelPath]
  return {
    architecture: facts.architecture,
    os: 'linux',
    created,
    config: {
      User: USER,
      WorkingDir: RUNTIME_PATH,
      Entrypoint: [NODE_PATH, `${RUNTIME_PATH}/server.js`],
      Cmd: [...model, '--host', '0.0.0.0', '--http-port', String(HTTP_PORT)],
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/tmp', 'NODE_ENV=production', 'ORT_DISABLE_TELEMETRY=1'],
      ExposedPorts: { [`${HTTP_PORT}/tcp`]: {} },
      Labels: toAnnotations(facts),
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ kind }) => ({ created, created_by: `regatta ${kind}`, comment: `format ${LAYER_FORMAT}` })),
  }
}

/** The manifest of an image whose blobs are written. */
export function toImageManifest(facts: ImageFacts, config: Descriptor, layers: readonly WrittenLayer[]): Manifest {
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config,
    layers: layers.map(({ descriptor }) => descriptor),
    annotations: toAnnotations(facts),
  }
}

/** The annotations of the image, which are its labels too. */
export function toAnnotations({ createdAt, model, run, version }: ImageFacts): Annotations {
  return {
    [CREATED]: toDateText(createdAt),
    'org.opencontainers.image.title': model,
    'org.opencontainers.image.version': String(version),
    [MODEL]: model,
    [VERSION]: String(version),
    ...(run !== null && { [RUN]: run }),
  }
}

function toDateText(at: number): string {
  return new Date(at).toISOString()
}

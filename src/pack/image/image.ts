import type { ModelServer } from '../../config/index.ts'
import type { Digest } from '../../core/brands.ts'
import { toCanonicalJson } from '../../core/json.ts'
import {
  type Annotations,
  type Descriptor,
  type ImageConfig,
  type Index,
  type Manifest,
  MEDIA_TYPES,
  type Platform,
} from '../../oci/index.ts'
import type { ModelSignature } from '../../train/index.ts'
import type { Base } from '../base/base.ts'
import { LAYER_FORMAT, type LayerPlan, toLayerText, type WrittenLayer } from '../layer/layer.ts'
import { TRITON_CONFIG, toTritonConfig } from '../model/triton.ts'
import { RUNTIME_PATH, type ServedModel, TFS_PATH, toParent, toStart } from './server.ts'
import { CREATED, MODEL, REWRITTEN, RUN, VERSION } from './version.ts'

/** Ids below 1024 are the system's; this one is the usual "nonroot", and numeric so that Kubernetes can check it. */
const USER = '65532:65532'

/** What an image says of itself, whatever it runs on. */
export interface ImageFacts extends ServedModel {
  readonly run: Digest | null
  /** Epoch ms. */
  readonly createdAt: number
  readonly server: ModelServer
  /** The Node of the base (of its first platform): its path, or its name on the PATH. */
  readonly node: string
  /** Null for what is not ONNX. */
  readonly signature: ModelSignature | null
  /** Name and digest of the image it stands on; undefined: this machine's Node. */
  readonly base: Pick<Base, 'name' | 'digest'> | undefined
  /** Digest of the model's file before its loops were rewritten; absent where they were not. */
  readonly rewrittenFrom?: Digest
}

/** The layer that tells what the image holds, for people, tools and servers that look into it. */
export function planAppLayer(facts: ImageFacts, ownConfig = false): LayerPlan {
  const { model, modelPath, node, rewrittenFrom, run, server, signature, version } = facts
  const { inputs, irVersion, opsets, outputs } = signature ?? {}
  const document = {
    ...{ schema: 'regatta/model/v1', model, version, modelPath, run, irVersion, opsets, inputs, outputs },
    ...(server !== 'onnx' && { server }),
    ...(rewrittenFrom !== undefined && { rewrittenFrom }),
  }
  const about = toLayerText(`${RUNTIME_PATH.slice(1)}/model.json`, `${toCanonicalJson(document)}\n`)
  const triton = server === 'triton' && !ownConfig ? [toTritonFile(facts)] : []
  const why = `what the image holds: ${['signature', 'version', ...triton.map(() => TRITON_CONFIG)].join(', ')}`
  const program = server === 'onnx' ? [toTfsProgram(node)] : []
  return { kind: 'app', wrap: 'stored', entries: [about, ...program, ...triton], why }
}

/** The server as a program that needs no shell: some images have none. It names Node: the runtime layer must not. */
function toTfsProgram(node: string): LayerPlan['entries'][number] {
  const interpreter = node.startsWith('/') ? node : `/usr/bin/env ${node}`
  return { ...toLayerText(TFS_PATH.slice(1), `#!${interpreter}\nimport('${RUNTIME_PATH}/server.js')\n`), mode: 0o755 }
}

function toTritonFile({ model, modelPath, signature }: ImageFacts): LayerPlan['entries'][number] {
  const folder = modelPath.slice(toParent(modelPath).length).replace('/', '')
  return toLayerText(`${modelPath.slice(1)}/${TRITON_CONFIG}`, toTritonConfig(folder || model, signature))
}

/** How the image runs on one platform: its server on its model, as a user that is not root. */
export function toImageConfig(
  facts: ImageFacts,
  platform: Platform,
  layers: readonly WrittenLayer[],
  base: ImageConfig['config'] | undefined,
): ImageConfig {
  const created = toDateText(facts.createdAt)
  return {
    architecture: platform.architecture,
    os: platform.os,
    created,
    config: { User: USER, ...toStart(facts.server, facts, base), Labels: toAnnotations(facts) },
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

/** The index of an image for several platforms, whose manifests are written. */
export function toImageIndex(facts: ImageFacts, manifests: readonly Descriptor[]): Index {
  return { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests, annotations: toAnnotations(facts) }
}

/** The annotations of the image, which are its labels too. */
export function toAnnotations({ base, createdAt, model, rewrittenFrom, run, version }: ImageFacts): Annotations {
  return {
    [CREATED]: toDateText(createdAt),
    'org.opencontainers.image.title': model,
    'org.opencontainers.image.version': String(version),
    ...(base?.name !== undefined && { 'org.opencontainers.image.base.name': base.name }),
    ...(base !== undefined && { 'org.opencontainers.image.base.digest': base.digest }),
    [MODEL]: model,
    [VERSION]: String(version),
    ...(run !== null && { [RUN]: run }),
    ...(rewrittenFrom !== undefined && { [REWRITTEN]: rewrittenFrom }),
  }
}

function toDateText(at: number): string {
  return new Date(at).toISOString()
}

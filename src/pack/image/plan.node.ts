import { resolve } from 'node:path'
import type { Project } from '../../config/index.ts'
import type { Digest } from '../../core/brands.ts'
import { UsageError } from '../../core/errors.ts'
import { toCanonicalJson } from '../../core/json.ts'
import { type Platform, type RegistryOptions, toDigest, toPlatformText } from '../../oci/index.ts'
import { type OpenBase, openBase } from '../base/base.node.ts'
import { type Base, readBase } from '../base/base.ts'
import { planHost } from '../base/host.node.ts'
import { type Architecture, readArchitecture } from '../base/libraries.node.ts'
import type { Measuring } from '../layer/files.node.ts'
import { LAYER_FORMAT, type LayerPlan, toLayerKey } from '../layer/layer.ts'
import { planOwnFiles } from '../layer/own-files.node.ts'
import type { OpenModel } from '../model/loops.node.ts'
import { type Model, type ModelSource, readModel, withoutLoops } from '../model/model.node.ts'
import type { ImageFacts } from './image.ts'
import { planRuntime } from './runtime.node.ts'
import { toNode } from './server.ts'

/** What an image is made of. Paths are absolute. */
export interface Ingredients {
  readonly project: Pick<Project, 'folder' | 'name' | 'image'>
  readonly source: ModelSource
  /** The bundles: server.js and the native files it needs. */
  readonly runtimeFolder: string
  /** The Node that goes into the base layer, where the base is this machine's. */
  readonly node: string
  /** `SOURCE_DATE_EPOCH`, in seconds: the time that the image says it was created. @default when the run ended, or 0 */
  readonly sourceDateEpoch: string | undefined
  /** How to talk to the registry that holds the base. */
  readonly registry: RegistryOptions
  /** Remembers which layers were made before, which files were read, and which models were rewritten. */
  readonly cacheFolder: string
  /** Reads all files and all blobs again, whatever is remembered of them. @default false */
  readonly verify?: boolean
  /** Runs a model; without it, models stay as they are. */
  readonly openModel?: OpenModel
}

/** What an image stands on: a layer of this machine's Node, or another image. */
export type Ground =
  | { readonly kind: 'host'; readonly layer: LayerPlan }
  | { readonly kind: 'image'; readonly base: Base; readonly open: OpenBase }

/** The layers of one platform that do not depend on the model. */
export interface PlatformPlan {
  readonly platform: Platform
  readonly ground: Ground
  /** Above the base, bottom first. */
  readonly own: readonly LayerPlan[]
}

/** All that decides an image but its version. */
export interface ImagePlan {
  readonly facts: Omit<ImageFacts, 'version'>
  readonly model: Model
  readonly platforms: readonly PlatformPlan[]
  readonly modelCompression: 'stored' | 'none'
  /** A digest of all of it. */
  readonly recipe: Digest
}

/** Reads all that goes into an image; nothing is written. @throws as `packImage` */
export async function planImage(ingredients: Ingredients, measuring: Measuring): Promise<ImagePlan> {
  const { node, project, sourceDateEpoch } = ingredients
  const { image, name } = project
  requirePlain(image)
  const own = async (): Promise<Platform> => ({ os: 'linux', architecture: await readArchitecture(node) })
  const wished = image.platforms.length === 0 ? [await own()] : image.platforms.map(parsePlatform)
  if (image.base === 'host') requireOwn(wished, await own())
  await using base = openBeside(ingredients, measuring.signal)
  const model = await planModel(ingredients, measuring)
  const open = await base.opened
  const platforms: PlatformPlan[] = []
  for (const platform of wished) platforms.push(await planPlatform(ingredients, platform, open, measuring))
  const [first] = platforms
  const facts: ImagePlan['facts'] = {
    ...{ model: name, modelPath: image.modelPath, command: image.command, server: image.server },
    run: model.run?.digest ?? null,
    createdAt: parseSourceDateEpoch(sourceDateEpoch) ?? model.run?.record.endedAt ?? 0,
    signature: model.signature,
    node: toNode(first?.ground.kind === 'image' ? first.ground.base.config : undefined),
    base: open && { name: open.source.name, digest: open.source.root.digest },
    ...(model.loops?.rewritten && { rewrittenFrom: model.loops.original }),
  }
  const { modelCompression } = image
  return { facts, model, platforms, modelCompression, recipe: toRecipe(facts, model, platforms, modelCompression) }
}

/** Opens the base while the model is read: a registry takes its time. Nothing is opened any more after disposal. */
function openBeside(
  { cacheFolder, project, registry, verify = false }: Ingredients,
  signal: AbortSignal,
): AsyncDisposable & { readonly opened: Promise<OpenBase | undefined> } {
  const { base } = project.image
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const opened =
    base === 'host'
      ? Promise.resolve(undefined)
      : openBase(base, { folder: project.folder, registry, cacheFolder, verify }, either)
  // Told where it is awaited; a model that cannot be read is told first.
  const settled = opened.catch(() => undefined)
  return {
    opened,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await (await settled)?.[Symbol.asyncDispose]()
    },
  }
}

async function planModel(
  { cacheFolder, openModel, project, source, verify = false }: Ingredients,
  measuring: Measuring,
): Promise<Model> {
  const model = await readModel(source, project.image.server, measuring)
  if (project.image.loops === 'keep' || openModel === undefined) return model
  return await withoutLoops(model, { ...measuring, cacheFolder, openModel, verify })
}

async function planPlatform(
  { node, project, runtimeFolder }: Ingredients,
  platform: Platform,
  open: OpenBase | undefined,
  measuring: Measuring,
): Promise<PlatformPlan> {
  const { image } = project
  const architecture = toArchitecture(platform)
  const base = open && (await readBase(open.source, platform))
  const runtime =
    image.server === 'onnx' ? await planRuntime(resolve(runtimeFolder), architecture, measuring) : undefined
  const files = await planOwnFiles(image.files, project.folder, measuring)
  const ground: Ground =
    open === undefined || base === undefined
      ? { kind: 'host', layer: await planHost(node, runtime?.natives ?? [], measuring) }
      : { kind: 'image', base, open }
  return { platform, ground, own: [...(runtime === undefined ? [] : [runtime.layer]), ...files] }
}

/** What regatta.yaml cannot say, but a caller of this room may. */
function requirePlain({ base, command, server }: Project['image']): void {
  if (server !== 'onnx' && base === 'host') {
    throw new UsageError('IMAGE_BASE', `Cannot pack for server ${server}: expected a base that holds it, found host`, {
      fix: 'Name the image of the server in image.base',
    })
  }
  if (server === 'custom' && command.length === 0) {
    throw new UsageError('IMAGE_COMMAND', 'Cannot pack for server custom: expected a command that starts it', {
      fix: 'Name it in image.command, for example [python, /app/server.py]',
    })
  }
}

function parsePlatform(text: string): Platform {
  const [os = '', architecture = ''] = text.split('/')
  return { os, architecture }
}

function toArchitecture(platform: Platform): Architecture {
  const { architecture } = platform
  if (architecture === 'amd64' || architecture === 'arm64') return architecture
  throw new UsageError(
    'IMAGE_PLATFORM',
    `Cannot pack for ${toPlatformText(platform)}: expected linux/amd64 or linux/arm64`,
  )
}

function requireOwn(wished: readonly Platform[], own: Platform): void {
  const other = wished.find(({ architecture }) => architecture !== own.architecture)
  if (other === undefined) return
  throw new UsageError(
    'BASE_PLATFORM',
    `Cannot pack for ${toPlatformText(other)}: image.base is host, whose Node is for ${toPlatformText(own)}`,
    { fix: 'Name an image with Node in image.base, or leave that platform out of image.platforms' },
  )
}

function toRecipe(
  facts: ImagePlan['facts'],
  model: Model,
  platforms: readonly PlatformPlan[],
  modelCompression: string,
): Digest {
  const files = Object.fromEntries([...model.files].map(([path, { digest }]) => [path, digest]))
  const layers = platforms.map(({ ground, own, platform }) => [
    toPlatformText(platform),
    ground.kind === 'host' ? toLayerKey(ground.layer) : ground.base.layers.map(({ descriptor }) => descriptor.digest),
    own.map(toLayerKey),
  ])
  const recipe = { format: LAYER_FORMAT, facts, files, layers, modelCompression }
  return toDigest(new TextEncoder().encode(toCanonicalJson(recipe)))
}

/** The instant in epoch ms, or undefined where the variable is not set. Source: reproducible-builds.org/specs/source-date-epoch. */
function parseSourceDateEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1000
  throw new UsageError('SOURCE_DATE_EPOCH', `Cannot read SOURCE_DATE_EPOCH "${text}": expected seconds since 1970`, {
    fix: 'Set for example SOURCE_DATE_EPOCH=$(git log -1 --format=%ct), or unset it',
  })
}

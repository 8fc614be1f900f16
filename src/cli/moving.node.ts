import { existsSync } from 'node:fs'
import { arch } from 'node:os'
import { join, resolve } from 'node:path'
import { RegattaError, UsageError } from '../core/errors.ts'
import {
  type Ahead,
  copyImage,
  type Document,
  type EntryOptions,
  type Location,
  type Moved,
  openAhead,
  openLayout,
  type Place,
  type Platform,
  parseLocation,
  parsePlatformText,
  parseReference,
  pullImage,
  pushImage,
  type Reach,
  type Reference,
  type TransferOptions,
  toReferenceText,
} from '../oci/index.ts'
import { listVersions, MODEL, type PackRequest, toImageName, VERSION } from '../pack/index.ts'
import { toMovingView } from './moving.ts'
import { toRuntimeImage } from './runtime-image.node.ts'
import type { Call } from './verb.ts'
import { resolveVersion } from './versions.node.ts'
import { toRegistryOptions, type Workplace } from './workplace.node.ts'

/** An image that was moved, and where to. */
export interface MovedTo {
  readonly moved: Moved
  readonly target: string
}

/** A version that was pushed. */
export interface Pushed extends MovedTo {
  /** Where the image that gateway and control run was pushed beside it; undefined where it was there already. */
  readonly runtime: string | undefined
}

/** What to push and where to. */
export interface PushWish {
  readonly reference: string | undefined
  readonly version: string | undefined
  readonly insecure: boolean
  readonly force: boolean
  /** Connections to use. @default own ones */
  readonly reach?: Reach
  /** Layers that are on their way. @default none */
  readonly ahead?: Ahead | undefined
}

/** Pushes a version of the project. @throws PUSH_TARGET, VERSION_NONE, VERSION_UNKNOWN, and what pushing throws */
export async function pushVersion(call: Call, workplace: Workplace, wish: PushWish): Promise<Pushed> {
  const text = wish.reference ?? workplace.project.image.repository
  if (text === undefined) {
    throw new UsageError('PUSH_TARGET', 'Cannot push: no repository is known', {
      fix: 'Give a reference, or set image.repository in regatta.yaml',
    })
  }
  const named = readUsage(() => parseReference(text))
  const found = await resolveVersion(workplace, wish.version)
  const { digest, version } = found
  const target = { ...named, tag: toTag(named, version) }
  // Beside the versions that a cluster pulls; whoever names another place wants this one image there.
  const runtime = wish.reference === undefined ? toRuntimeImage(call, workplace, target, wish) : undefined
  const isThere = wish.force ? Promise.resolve(false) : runtime?.isThere()
  // Told below, after the push that it is beside.
  isThere?.catch(() => undefined)
  const moved = await watching(call, 'pushing', wish.insecure, options =>
    pushImage(
      workplace.layout,
      digest,
      target,
      { ...options, ...toReach(wish), ...(wish.ahead && { ahead: wish.ahead }), force: wish.force },
      call.signal,
    ),
  )
  const pushed = runtime !== undefined && !(await isThere) && (await runtime.push(found))
  return { moved, target: toReferenceText(target), runtime: pushed ? toReferenceText(runtime.reference) : undefined }
}

/** Without a tag, the version is the tag; a digest needs none. */
function toTag({ digest, tag }: Reference, version: number): string | undefined {
  return tag ?? (digest === undefined ? String(version) : undefined)
}

/** The way of layers to `image.repository` while they are packed. */
export interface AheadOfPush extends AsyncDisposable {
  readonly ahead: Ahead
  readonly followLayer: NonNullable<PackRequest['followLayer']>
}

/** Opens that way; undefined where no repository is known, which the push tells. */
export function openAheadOfPush(
  call: Call,
  { project }: Workplace,
  { insecure, reach }: Required<Pick<PushWish, 'insecure' | 'reach'>>,
): AheadOfPush | undefined {
  const text = project.image.repository
  if (text === undefined) return undefined
  const named = readUsage(() => parseReference(text))
  const ahead = openAhead(named, { ...toRegistryOptions(call, insecure), reach }, call.signal)
  return {
    ahead,
    followLayer: (version, sizeBytes) => ahead.follow(toTag(named, version) ?? String(version), sizeBytes),
    [Symbol.asyncDispose]: () => ahead[Symbol.asyncDispose](),
  }
}

function toReach({ reach }: Pick<PushWish, 'reach'>): { readonly reach?: Reach } {
  return reach === undefined ? {} : { reach }
}

/** What to pull. */
export interface PullWish {
  readonly reference: string
  readonly platform: string | undefined
  readonly allPlatforms: boolean
  readonly insecure: boolean
}

/** Pulls an image into the project's layout. @throws PULL_USAGE, VERSION_TAKEN, and what pulling throws */
export async function pullInto(call: Call, workplace: Workplace, wish: PullWish): Promise<MovedTo> {
  if (wish.platform !== undefined && wish.allPlatforms) {
    throw new UsageError('PULL_USAGE', 'Cannot pull one platform and all at once', {
      fix: 'Give --platform or --all-platforms, not both',
    })
  }
  const reference = readUsage(() => parseReference(wish.reference))
  const platform = wish.allPlatforms ? undefined : toPlatform(wish.platform)
  const toEntry = (image: Document, root: Document) => toVersionEntry(workplace, image, root)
  const moved = await watching(call, 'pulling', wish.insecure, options =>
    pullImage(reference, workplace.layout, { ...options, ...(platform && { platform }), toEntry }, call.signal),
  )
  return { moved, target: toReferenceText(reference) }
}

/** What to copy and where to. */
export interface CopyWish {
  readonly from: string
  readonly to: string
  readonly insecure: boolean
  readonly force: boolean
}

/** Copies an image between registries and layouts. @throws what copying throws */
export async function copyBetween(call: Call, wish: CopyWish): Promise<MovedTo> {
  const from = readUsage(() => parseLocation(wish.from))
  const to = readUsage(() => parseLocation(wish.to))
  requireLayout(call, from)
  const source = await openPlace(call, from)
  const target = await openPlace(call, to)
  const moved = await watching(call, 'copying', wish.insecure, options =>
    copyImage(source, target, { ...options, force: wish.force }, call.signal),
  )
  return { moved, target: wish.to }
}

async function watching(
  call: Call,
  word: string,
  insecure: boolean,
  move: (options: TransferOptions) => Promise<Moved>,
): Promise<Moved> {
  const { clear, onProgress } = toMovingView(call, word)
  try {
    return await move({ ...toRegistryOptions(call, insecure), onProgress })
  } finally {
    clear()
  }
}

/** A version of a model is entered as one, unless the number stands for another image here. @throws VERSION_TAKEN */
async function toVersionEntry(
  { layout }: Workplace,
  image: Document,
  root: Document,
): Promise<EntryOptions | undefined> {
  const annotations = { ...root.annotations, ...image.annotations }
  const model = annotations[MODEL]
  const version = Number(annotations[VERSION])
  if (model === undefined || !Number.isSafeInteger(version)) return undefined
  const there = (await listVersions(layout, model)).find(known => known.version === version)
  // The index that this image is one platform of is here: the version is known already.
  if (there?.digest === root.descriptor.digest && there.digest !== image.descriptor.digest) return {}
  if (there !== undefined && there.digest !== image.descriptor.digest) {
    throw new RegattaError('VERSION_TAKEN', `Cannot pull version ${version} of ${model}: the number is taken here`, {
      where: there.digest,
      fix: 'Copy it into a layout of its own: regatta copy REFERENCE oci:PATH',
    })
  }
  return { ref: toImageName(model, version), annotations }
}

function toPlatform(text: string | undefined): Platform {
  if (text !== undefined) return readUsage(() => parsePlatformText(text))
  return { os: 'linux', architecture: arch() === 'x64' ? 'amd64' : arch() }
}

async function openPlace(call: Call, location: Location): Promise<Place> {
  if (location.kind === 'registry') return location
  return { kind: 'layout', layout: await openLayout(resolve(call.cwd, location.folder)), name: location.name }
}

/** A layout that is read from is not made first. */
function requireLayout(call: Call, location: Location): void {
  if (location.kind === 'registry') return
  const folder = resolve(call.cwd, location.folder)
  if (existsSync(join(folder, 'oci-layout'))) return
  throw new RegattaError('LAYOUT_NONE', `Cannot copy from "${folder}": it is no image layout`, {
    fix: 'Name a folder that holds a file "oci-layout"',
  })
}

/** What somebody typed: a mistake in it is wrong usage. */
function readUsage<result>(read: () => result): result {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof RegattaError)) throw error
    throw new UsageError(error.code, error.message, { ...(error.fix !== undefined && { fix: error.fix }) })
  }
}

import { resolve } from 'node:path'
import { RegattaError, UsageError } from '../core/errors.ts'
import type { Reach } from '../oci/index.ts'
import { type OpenModel, type PackedImage, type PackRequest, packImage } from '../pack/index.ts'
import { listRuns, readRun, type StoredRun } from '../train/index.ts'
import type { Call } from './verb.ts'
import { toRegistryOptions, type Workplace } from './workplace.node.ts'

/** What to pack and where to. */
export interface PackWish {
  readonly runId: string | undefined
  readonly model: string | undefined
  readonly output?: string | undefined
  /** In place of `image.modelCompression`. */
  readonly modelCompression?: 'stored' | 'none' | undefined
  /** In place of `image.loops`. */
  readonly loops?: 'rewrite' | 'keep' | undefined
  /** Reads files and blobs again, whatever is remembered of them. @default false */
  readonly verify?: boolean
  /** Plain HTTP to the base's registry, whatever its host. @default false */
  readonly insecure?: boolean
  /** Told of the large layers of a new version while they are written. @default nobody */
  readonly followLayer?: PackRequest['followLayer'] | undefined
  /** Connections that go on to be used. @default own ones */
  readonly reach?: Reach
}

/** Packs the wished run or folder. @throws RUN_NONE, PACK_USAGE, and what packing throws */
export async function packInto(call: Call, workplace: Workplace, wish: PackWish): Promise<PackedImage> {
  if (wish.runId !== undefined && wish.model !== undefined) {
    throw new UsageError('PACK_USAGE', 'Cannot pack a run and a folder at once', {
      fix: 'Give a run, or --model, not both',
    })
  }
  const { layout, paths, project } = workplace
  const source =
    wish.model === undefined
      ? ({ kind: 'run', run: await findRun(call, workplace, wish.runId) } as const)
      : ({ kind: 'folder', folder: resolve(call.cwd, wish.model) } as const)
  const { image } = project
  const { insecure = false, loops = image.loops, modelCompression = image.modelCompression, verify = false } = wish
  return await packImage(
    {
      project: { ...project, image: { ...image, loops, modelCompression } },
      source,
      layout,
      cacheFolder: paths.cache,
      runtimeFolder: call.installation.runtimeFolder,
      prebuiltFolder: call.installation.prebuiltFolder,
      node: call.installation.node,
      sourceDateEpoch: call.env['SOURCE_DATE_EPOCH'],
      registry: { ...toRegistryOptions(call, insecure), ...(wish.reach && { reach: wish.reach }) },
      verify,
      openModel,
      ...(wish.followLayer && { followLayer: wish.followLayer }),
      regatta: call.installation.version,
      ...(wish.output === undefined ? {} : { output: resolve(call.cwd, wish.output) }),
    },
    call.signal,
  )
}

/** Loads a model as the model server does, to run it on one thread. */
async function openModel(path: string): ReturnType<OpenModel> {
  const { openOnnxEngine } = await import('../serve/index.ts')
  return await openOnnxEngine({ path, intraOpThreads: 1 })
}

async function findRun(call: Call, { layout, project }: Workplace, id: string | undefined): Promise<StoredRun> {
  if (id !== undefined) return await readRun(project.folder, layout, id)
  const last = (await listRuns(project.folder, layout, call.clock)).find(run => run.record.state === 'done')
  if (last !== undefined) return last
  throw new RegattaError('RUN_NONE', 'There is no run that is done', { where: project.folder, fix: 'regatta train' })
}

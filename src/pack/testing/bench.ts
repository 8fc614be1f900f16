/*
 * All that packing needs, small and real: runs of a training command, and a base of a program of this system.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseProject } from '../../config/index.ts'
import type { ImageLayout } from '../../oci/index.ts'
import type { StoredRun } from '../../train/index.ts'
import { toLinearModel } from '../../train/testing/onnx-model.ts'
import { openWorkshop } from '../../train/testing/workshop.ts'
import { type PackedImage, type PackRequest, packImage } from '../index.ts'

/** A smaller program than Node, with a loader and libraries of its own. */
export const SMALL_PROGRAM = '/bin/true'

/** A place to train and pack in. */
export interface Bench extends AsyncDisposable {
  readonly folder: string
  readonly layout: ImageLayout
  /** Runs a training that leaves a model with this weight. */
  train(weight: number): Promise<StoredRun>
  /** Runs this training command. */
  trainCommand(command: string): Promise<StoredRun>
  /** Makes a folder with these files. */
  makeFolder(name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string>
  /** The project with these settings of `image` in its regatta.yaml. */
  withImage(image: string): Pick<PackRequest, 'project'>
  toRequest(source: PackRequest['source'], wish?: Partial<PackRequest>): PackRequest
  pack(source: PackRequest['source'], wish?: Partial<PackRequest>, signal?: AbortSignal): Promise<PackedImage>
}

/** A place to pack in. */
export async function openBench(): Promise<Bench> {
  const workshop = await openWorkshop()
  const { folder, layout } = workshop
  const project = parseProject('name: forecast', { folder, env: {} })
  const makeFolder: Bench['makeFolder'] = async (name, files) => {
    const made = join(folder, name)
    await mkdir(made, { recursive: true })
    for (const [path, content] of Object.entries(files)) {
      await mkdir(join(made, path, '..'), { recursive: true })
      await writeFile(join(made, path), content)
    }
    return made
  }
  const runtimeFolder = await makeFolder('runtime', { 'server.js': 'serve()\n', 'a/b.txt': 'text' })
  const toRequest: Bench['toRequest'] = (source, wish = {}) => ({
    project,
    source,
    layout,
    cacheFolder: join(folder, '.regatta', 'cache'),
    runtimeFolder,
    node: SMALL_PROGRAM,
    sourceDateEpoch: undefined,
    registry: { env: {}, clock: Date.now },
    ...wish,
  })
  return {
    folder,
    layout,
    makeFolder,
    toRequest,
    withImage: image => ({ project: parseProject(`name: forecast\nimage: ${image}`, { folder, env: {} }) }),
    trainCommand: command => workshop.train(command),
    async train(weight) {
      const path = join(folder, `weight-${weight}.onnx`)
      await writeFile(path, toLinearModel({ weight }))
      return await workshop.train(`cp ${path} "$REGATTA_OUTPUT/model.onnx"`)
    },
    pack: async (source, wish, signal = new AbortController().signal) =>
      await packImage(toRequest(source, wish), signal),
    [Symbol.asyncDispose]: () => workshop[Symbol.asyncDispose](),
  }
}

import { join } from 'node:path'
import { RegattaError } from '../../core/errors.ts'
import type { Architecture } from '../base/libraries.node.ts'
import { listFiles, type Measuring, measureFile, toLayerFile } from '../layer/files.node.ts'
import type { LayerFile, LayerPlan } from '../layer/layer.ts'
import { RUNTIME_PATH } from './server.ts'

const NATIVE = /\.(node|so(\.\d+)*)$/
/** Native files lie in a folder of Node's word for their processor. */
const FOLDERS: Readonly<Record<Architecture, string>> = { amd64: 'linux/x64/', arm64: 'linux/arm64/' }
const MAX_RUNTIME_FILES = 10_000

/** The layer of the model server, the same for every model. */
export interface RuntimePlan {
  readonly layer: LayerPlan
  /** Absolute paths of its native files. */
  readonly natives: readonly string[]
}

/**
 * Plans the runtime layer for one processor from the bundles. It is the same on every base, so that it can be made ahead.
 * @throws RUNTIME_MISSING where they are not there, or not for this processor; FILE_KIND
 */
export async function planRuntime(
  folder: string,
  architecture: Architecture,
  measuring: Measuring,
): Promise<RuntimePlan> {
  const all = await listFiles(folder, { maxFiles: MAX_RUNTIME_FILES }).catch(cause => {
    throw missing(folder, 'server.js', cause)
  })
  if (!all.includes('server.js')) throw missing(folder, 'server.js')
  const others = Object.values(FOLDERS).filter(name => name !== FOLDERS[architecture])
  const names = all.filter(name => !others.some(other => name.includes(other)))
  const natives = names.filter(name => NATIVE.test(name))
  if (natives.length === 0 && all.some(name => NATIVE.test(name))) throw missing(folder, FOLDERS[architecture])
  const entries: LayerFile[] = []
  for (const name of names) {
    const file = await measureFile(join(folder, name), measuring)
    entries.push(toLayerFile(`${RUNTIME_PATH.slice(1)}/${name}`, file, 0o644, measuring.signal))
  }
  const why = `the model server with ONNX Runtime for ${architecture}; once for all models`
  return {
    layer: { kind: 'runtime', wrap: 'gzip', entries, why },
    natives: natives.map(name => join(folder, name)),
  }
}

function missing(folder: string, name: string, cause?: unknown): RegattaError {
  return new RegattaError('RUNTIME_MISSING', 'Cannot pack: the bundles of the runtime layer are not there', {
    where: join(folder, name),
    fix: 'npm run build',
    cause,
  })
}

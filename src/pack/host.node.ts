import { basename, dirname, join } from 'node:path'
import { RegattaError } from '../core/errors.ts'
import type { TarFolder } from '../oci/index.ts'
import { listFiles, measureFile, toLayerFile } from './files.node.ts'
import { NODE_PATH, RUNTIME_PATH } from './image.ts'
import { type LayerFile, type LayerPlan, toLayerText } from './layer.ts'
import { findLibraries, type HostLibraries } from './libraries.node.ts'

const NATIVE = /\.(node|so(\.\d+)*)$/
const MAX_RUNTIME_FILES = 10_000

/** The two lower layers, which are the same for every model. */
export interface HostPlan {
  readonly architecture: HostLibraries['architecture']
  readonly base: LayerPlan
  readonly runtime: LayerPlan
}

/**
 * Plans base and runtime from this machine: Node, the bundles, and the shared libraries that both need.
 * @throws RUNTIME_MISSING, BASE_LIBRARY, BASE_PLATFORM, ELF_FORMAT, FILE_KIND
 */
export async function planHost(node: string, runtimeFolder: string, signal: AbortSignal): Promise<HostPlan> {
  const names = await listFiles(runtimeFolder, MAX_RUNTIME_FILES).catch(cause => {
    throw toRuntimeError(runtimeFolder, cause)
  })
  if (!names.includes('server.js')) throw toRuntimeError(runtimeFolder)
  const runtime: LayerFile[] = []
  for (const name of names) {
    const file = await measureFile(join(runtimeFolder, name), signal)
    runtime.push(toLayerFile(`${RUNTIME_PATH.slice(1)}/${name}`, file, 0o644, signal))
  }
  const natives = names.filter(name => NATIVE.test(name)).map(name => join(runtimeFolder, name))
  const host = await findLibraries(node, natives)
  return {
    architecture: host.architecture,
    base: { kind: 'base', wrap: 'gzip', entries: await planBase(node, host, signal) },
    runtime: { kind: 'runtime', wrap: 'gzip', entries: runtime },
  }
}

/** Files that a process finds missing without a distribution: its user, how names are looked up, a place to scribble. */
const SYSTEM_ENTRIES: readonly (LayerFile | TarFolder)[] = [
  toLayerText('etc/passwd', 'root:x:0:0:root:/root:/sbin/nologin\nregatta:x:65532:65532:regatta:/tmp:/sbin/nologin\n'),
  toLayerText('etc/group', 'root:x:0:\nregatta:x:65532:\n'),
  toLayerText('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
  { kind: 'folder', path: 'tmp', mode: 0o1777 },
]

async function planBase(
  node: string,
  { libraries, loader }: HostLibraries,
  signal: AbortSignal,
): Promise<readonly (LayerFile | TarFolder)[]> {
  const place = async (path: string, source: string, mode: number): Promise<LayerFile> =>
    toLayerFile(path.slice(1), await measureFile(source, signal), mode, signal)
  const entries = [...SYSTEM_ENTRIES, await place(NODE_PATH, node, 0o755)]
  if (loader !== undefined) entries.push(await place(loader, loader, 0o755))
  // The loader looks where libc lies without being told, so there goes whatever it shall find.
  const folder = dirname(libraries.get('libc.so.6') ?? loader ?? '/lib/none')
  for (const [name, source] of libraries) entries.push(await place(join(folder, basename(name)), source, 0o644))
  return entries
}

function toRuntimeError(runtimeFolder: string, cause?: unknown): RegattaError {
  return new RegattaError('RUNTIME_MISSING', 'Cannot pack: the bundles of the runtime layer are not there', {
    where: join(runtimeFolder, 'server.js'),
    fix: 'npm run build',
    cause,
  })
}

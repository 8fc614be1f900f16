import { basename, dirname, join } from 'node:path'
import type { TarFolder } from '../../oci/index.ts'
import { NODE_PATH } from '../image/server.ts'
import { type Measuring, measureFile, toLayerFile } from '../layer/files.node.ts'
import { type LayerFile, type LayerPlan, toLayerText } from '../layer/layer.ts'
import { findLibraries, type HostLibraries } from './libraries.node.ts'

/**
 * Plans the base layer from this machine: Node, and the shared libraries that it and the runtime's native files need.
 * @throws BASE_LIBRARY, BASE_PLATFORM, ELF_FORMAT
 */
export async function planHost(node: string, natives: readonly string[], measuring: Measuring): Promise<LayerPlan> {
  const host = await findLibraries(node, natives)
  const entries = await planBase(node, host, measuring)
  return {
    kind: 'base',
    wrap: 'gzip',
    entries,
    why: "this machine's Node and the libraries it needs; once for all models",
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
  measuring: Measuring,
): Promise<readonly (LayerFile | TarFolder)[]> {
  const place = async (path: string, source: string, mode: number): Promise<LayerFile> =>
    toLayerFile(path.slice(1), await measureFile(source, measuring), mode, measuring.signal)
  const entries = [...SYSTEM_ENTRIES, await place(NODE_PATH, node, 0o755)]
  if (loader !== undefined) entries.push(await place(loader, loader, 0o755))
  // The loader looks where libc lies without being told, so there goes whatever it shall find.
  const folder = dirname(libraries.get('libc.so.6') ?? loader ?? '/lib/none')
  for (const [name, source] of libraries) entries.push(await place(join(folder, basename(name)), source, 0o644))
  return entries
}

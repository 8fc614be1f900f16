import { openLayout } from '../../oci/index.ts'
import { tidyLayout } from '../copy-out.node.ts'
import { openBlobCheck } from '../layer/intact.node.ts'
import { openKnownFiles } from '../layer/known-files.node.ts'
import { writeLayerOnce } from '../layer/layer-cache.node.ts'
import { planRuntime } from './runtime.node.ts'

/**
 * Makes the runtime layer of the bundles in `runtimeFolder` for both processors, so that no project has to compress it
 * again: `folder` gets them, as `PackRequest.prebuiltFolder` names it. @throws RUNTIME_MISSING, DISK_FULL
 */
export async function prebuildRuntime(runtimeFolder: string, folder: string, signal: AbortSignal): Promise<void> {
  const layout = await openLayout(folder)
  const check = openBlobCheck(layout, false, signal)
  // What is known of files is of the machine that builds, and of no use elsewhere.
  const known = await openKnownFiles(folder, { verify: true })
  for (const architecture of ['amd64', 'arm64'] as const) {
    const { layer } = await planRuntime(runtimeFolder, architecture, { known, signal })
    await writeLayerOnce(layout, { cacheFolder: folder }, layer, check)
  }
  await tidyLayout(folder)
}

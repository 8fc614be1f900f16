import { attachLineage, attachRun } from './attach.ts'
import type { ComponentLayer } from './components.ts'
import { listManifests } from './copy.ts'
import { readNodeVersion } from './node-version.node.ts'
import type { PackRequest } from './pack.node.ts'
import type { PackedImage } from './packed.ts'
import type { ImagePlan, PlatformPlan } from './plan.node.ts'
import { planUpper } from './version.node.ts'

/**
 * Puts bill of materials and run record beside a version that is in the layout: beside the image of each platform, and
 * the record beside their index too. The image itself stays as it is. @throws DISK_FULL, FILE_CHANGED, BLOB_MISSING
 */
export async function describeVersion(
  request: Pick<PackRequest, 'cacheFolder' | 'layout' | 'node' | 'regatta'>,
  plan: ImagePlan,
  { digest, run, version }: Pick<PackedImage, 'digest' | 'run' | 'version'>,
  signal: AbortSignal,
): Promise<void> {
  const { layout, regatta } = request
  const root = await layout.resolve(digest)
  if (root === undefined) return
  const { base, createdAt, model } = plan.facts
  const upper = planUpper(plan, { ...plan.facts, version }, signal)
  const manifests = await listManifests(layout, root)
  for (const [index, image] of manifests.entries()) {
    const platform = plan.platforms[index]
    if (platform === undefined) continue
    const layers = [...toHostLayers(platform), ...platform.own, ...upper]
    const versions = { regatta, node: await readVersion(request, platform, signal) }
    const ground = base === undefined ? {} : { base: { name: base.name ?? base.digest, digest: base.digest } }
    await attachLineage(layout, { image, model, version, run, createdAt, layers, versions, ...ground })
  }
  if (run !== null && !manifests.some(image => image.digest === digest)) await attachRun(layout, root, run)
}

function toHostLayers({ ground }: PlatformPlan): readonly ComponentLayer[] {
  return ground.kind === 'host' ? [ground.layer] : []
}

/** The version of this machine's Node, where that is the base. */
async function readVersion(
  { cacheFolder, node }: Pick<PackRequest, 'cacheFolder' | 'node'>,
  { ground }: PlatformPlan,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (ground.kind !== 'host') return undefined
  const file = ground.layer.entries.find(({ path }) => path.endsWith('bin/node'))
  if (file?.kind !== 'file') return undefined
  return await readNodeVersion(cacheFolder, { source: node, digest: file.digest }, signal)
}

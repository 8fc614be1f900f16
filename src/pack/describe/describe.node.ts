import type { Descriptor, NewEntry } from '../../oci/index.ts'
import { readNodeVersion } from '../base/node-version.node.ts'
import { listManifests } from '../copy.ts'
import type { ImagePlan, PlatformPlan } from '../image/plan.node.ts'
import { planUpper } from '../layer/upper.ts'
import type { PackRequest } from '../pack.node.ts'
import { writeLineage, writeRun } from './attach.ts'
import type { ComponentLayer } from './components.ts'

/** What describing a version needs of the request. */
export type DescribeRequest = Pick<PackRequest, 'cacheFolder' | 'layout' | 'node' | 'regatta'>

/**
 * Writes bill of materials and run record of a version whose documents are in the layout: about the image of each
 * platform, and the record about their index too. Returns what is to be entered; the image itself stays as it is.
 * @throws DISK_FULL, FILE_CHANGED, BLOB_MISSING
 */
export async function describeVersion(
  request: DescribeRequest,
  plan: ImagePlan,
  { root, version }: { readonly root: Descriptor; readonly version: number },
  signal: AbortSignal,
): Promise<readonly NewEntry[]> {
  const { layout, regatta } = request
  const { base, createdAt, model, run } = plan.facts
  const upper = planUpper(plan, { ...plan.facts, version }, signal)
  const manifests = await listManifests(layout, root)
  const entries: NewEntry[] = []
  for (const [index, image] of manifests.entries()) {
    const platform = plan.platforms[index]
    if (platform === undefined) continue
    const layers = [...toHostLayers(platform), ...platform.own, ...upper]
    const versions = { regatta, node: await readVersion(request, platform, signal) }
    const ground = base === undefined ? {} : { base: { name: base.name ?? base.digest, digest: base.digest } }
    const described = { image, model, version, run, createdAt, layers, versions, ...ground }
    entries.push(...(await writeLineage(layout, described)))
  }
  if (run === null || manifests.some(({ digest }) => digest === root.digest)) return entries
  return [...entries, ...(await writeRun(layout, root, run))]
}

function toHostLayers({ ground }: PlatformPlan): readonly ComponentLayer[] {
  return ground.kind === 'host' ? [ground.layer] : []
}

/** The version of this machine's Node, where that is the base. */
async function readVersion(
  { cacheFolder, node }: DescribeRequest,
  { ground }: PlatformPlan,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (ground.kind !== 'host') return undefined
  const file = ground.layer.entries.find(({ path }) => path.endsWith('bin/node'))
  if (file?.kind !== 'file') return undefined
  return await readNodeVersion(cacheFolder, { source: node, digest: file.digest }, signal)
}

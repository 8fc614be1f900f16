import { pickVariables, readProjectText } from '../config/index.ts'
import { type DeployRequestJson, toFirstRoutes, toFirstVariant, toScopedToken, toWishedPlan } from '../control/index.ts'
import { type Digest, parseDigest } from '../core/brands.ts'
import { RegattaError, toErrorText } from '../core/errors.ts'
import {
  type Change,
  checkCluster,
  type FirstVariant,
  findNextVariantId,
  type InstallOptions,
  installBase,
  isNew,
  type Kube,
  planInstall,
  pruneDocuments,
  readAdminToken,
  readRoutesRecord,
  type Uninstalled,
  uninstall,
  writeDocuments,
} from '../deploy/index.ts'
import { parseReference, readImageAnnotations, toReferenceText } from '../oci/index.ts'
import type { Version } from '../pack/index.ts'
import { toActor } from './actor.node.ts'
import { untilAnswering } from './answering.node.ts'
import { openClientAt, openCluster } from './cluster.node.ts'
import { type Deployed, untilReady } from './deploying.node.ts'
import { VERSION } from './installation.ts'
import { toLiveLine } from './progress.ts'
import { toRuntimeImage } from './runtime-image.node.ts'
import { readOrMakeToken } from './token.node.ts'
import type { Call } from './verb.ts'
import type { Workplace } from './workplace.node.ts'

/** A cluster pulls images first, and its API may be away for a moment while all goes on. */
const WAITING = { timeoutMs: 600_000, awayMs: 60_000 } as const

/** Sets up gateway and control, hands the version over to control, and waits until every replica is ready. */
export async function deployToCluster(
  call: Call,
  workplace: Workplace,
  { version, request, wait, force, reason }: ClusterWish,
): Promise<Deployed> {
  const kube = await openCluster(workplace)
  const { project } = workplace
  const [isFirst] = await Promise.all([isNew(kube, project.name), checkCluster(kube), requireRuntime(call, workplace)])
  const live = toLiveLine(call)
  const onChange = ({ change, object }: Change): void => {
    if (change !== 'keep') live.milestone(`${PAST[change]} ${object}`)
  }
  const documents = await listBlobs(workplace, version.digest)
  await writeDocuments(kube, project.name, { image: version.digest, documents })
  const first =
    isFirst && request.challenger === undefined ? toFirst(workplace, version, { request, reason }) : undefined
  await installBase(await toInstall(call, workplace, kube, { force, onChange }), first, call.signal)
  const client = await openClientAt(call, workplace, kube)
  try {
    for (const document of documents) await client.putBlob(document)
    const response = await client.deploy(request, reason)
    if (!response.changed && first === undefined) call.err('exactly this was deployed already\n')
    const status = wait ? await untilReady(call, client, response, WAITING) : await client.status()
    if (wait) await untilAnswering(call, client)
    const used = [version.digest, ...status.variants.map(({ digest }) => digest)]
    await pruneDocuments(kube, project.name, used)
    return { response, client, status }
  } catch (error) {
    // Its port would keep the command alive.
    await client[Symbol.asyncDispose]()
    throw error
  }
}

/** The variant that a first deployment makes at once. */
function toFirst(
  { project }: Workplace,
  version: Version,
  { request, reason = '' }: Pick<ClusterWish, 'request' | 'reason'>,
): FirstVariant {
  const variant = toFirstVariant(project, version, request.variant)
  return { variant, routes: toFirstRoutes(project, variant, { by: toActor(), reason }) }
}

const PAST = { create: 'created', change: 'changed', delete: 'deleted', keep: 'kept' } as const

/** What is deployed to a cluster, and how. */
export interface ClusterWish {
  readonly version: Version
  readonly request: DeployRequestJson
  readonly wait: boolean
  /** Takes fields over that others have set. */
  readonly force: boolean
  /** Why, for the history. */
  readonly reason?: string | undefined
}

/** What a deployment would change, as the cluster itself tells. @throws KUBE_… */
export async function planForCluster(
  call: Call,
  workplace: Workplace,
  { request, force }: Pick<ClusterWish, 'request' | 'force'>,
): Promise<readonly Change[]> {
  const kube = await openCluster(workplace)
  await checkCluster(kube)
  await requireRuntime(call, workplace)
  const { project } = workplace
  const changes: Change[] = []
  const onChange = (change: Change): void => void changes.push(change)
  const [routes, nextId] = await Promise.all([
    readRoutesRecord(kube, project.name),
    findNextVariantId(kube, project.name),
  ])
  const plan = toWishedPlan(project, routes, request, nextId)
  const options = await toInstall(call, workplace, kube, { force, onChange })
  await planInstall(options, plan, call.signal)
  return changes
}

/** Ends the deployment in the cluster; returns what was deleted, and what stays. */
export async function deleteFromCluster(workplace: Workplace): Promise<Uninstalled> {
  return await uninstall(await openCluster(workplace), workplace.project.name)
}

async function toInstall(
  call: Call,
  { project, paths }: Workplace,
  kube: Kube,
  rest: Pick<InstallOptions, 'force' | 'onChange'>,
): Promise<InstallOptions> {
  const admin = (await readAdminToken(kube, project.name)) ?? (await readOrMakeToken(paths.token))
  return {
    ...{ kube, project, version: VERSION, ...rest },
    projectText: await readProjectText(project.folder),
    variables: await pickVariables(call.env),
    tokens: { admin, gateway: toScopedToken(admin, 'gateway'), predict: toScopedToken(admin, 'predict') },
  }
}

/**
 * Makes sure that the nodes find what gateway and control run, as far as this machine can tell: before anything that runs
 * is changed. @throws KUBE_RUNTIME
 */
async function requireRuntime(call: Call, workplace: Workplace): Promise<void> {
  const { repository } = workplace.project.image
  if (repository === undefined) return
  const { isThere, reference } = toRuntimeImage(call, workplace, parseReference(repository), PLAIN)
  const name = toReferenceText(reference)
  try {
    if (await isThere()) return
  } catch (error) {
    call.err(`cannot see from here whether ${name} is in its registry: ${toErrorText(error)}\n`)
    return
  }
  throw new RegattaError('KUBE_RUNTIME', `Cannot run gateway and control: ${name} is not in its registry`, {
    where: 'regatta.yaml, key image.repository',
    fix: 'regatta push brings it, with a version whose image.server is onnx',
  })
}

const PLAIN = { force: false, insecure: false } as const

/** What control must know of a version: its image's manifest, and the record of its run. */
async function listBlobs({ layout }: Workplace, digest: Digest): Promise<readonly Uint8Array[]> {
  const run = (await readImageAnnotations(layout, digest))['dev.regatta.run']
  if (run === undefined) return [await layout.readBlob(digest)]
  const record = await layout.readManifest(parseDigest(run))
  const digests = [digest, parseDigest(run), record.config.digest, ...record.layers.map(layer => layer.digest)]
  return await Promise.all([...new Set(digests)].map(one => layout.readBlob(one)))
}

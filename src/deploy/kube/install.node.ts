import { setTimeout as sleep } from 'node:timers/promises'
import type { Project } from '../../config/index.ts'
import type { VariantPlan } from '../target.ts'
import { applyObject, deleteObject, listObjects, listOwn, readObject } from './apply.node.ts'
import { type Change, toChange, toDeletion } from './changes.ts'
import type { Kube } from './client.node.ts'
import { diagnoseDeployment, diagnosePod, type Finding, type FindingCode } from './diagnosis.ts'
import { toKubeError } from './errors.ts'
import { IMAGE, type Part, toOwnSelector, toSelector, VARIANT_ID } from './labels.ts'
import { type KubeObject, numberAt, textAt } from './object.ts'
import { type Tokens, toBaseObjects, toTokenSecret } from './objects/base.ts'
import { toServerObjects } from './objects/server.ts'
import { type BaseSettings, toImage, toNames } from './settings.ts'
import { isReady } from './state.ts'

/** What is needed to set up a deployment's gateway and control in a namespace. */
export interface InstallOptions {
  readonly kube: Kube
  readonly project: Project
  readonly projectText: string
  readonly variables: Readonly<Record<string, string>>
  /** Of regatta. */
  readonly version: string
  readonly tokens: Tokens
  readonly force: boolean
  readonly onChange: (change: Change) => void
}

/** Kubernetes since which a pod can wait before it stops without a shell. */
const MIN_MINOR = 30
const WAIT_MS = 300_000
const LOOK_MS = 500
/** Reasons that waiting does not remove, unless somebody acts. */
const HOPELESS: ReadonlySet<string> = new Set<FindingCode>([
  'IMAGE_NOT_FOUND',
  'IMAGE_UNAUTHORIZED',
  'QUOTA',
  'POD_SECURITY',
  'CONTAINER_CONFIG',
  'VOLUME_PENDING',
])
const HOPELESS_MS = 10_000

/** Makes sure that the cluster can do what a deployment asks for. @throws KUBE_VERSION, KUBE_UNREACHABLE, … */
export async function checkCluster(kube: Kube): Promise<void> {
  const version = await kube.ask('GET', '/version')
  const [major, minor] = [textAt(version, 'major'), textAt(version, 'minor')].map(text =>
    Number.parseInt(text ?? '', 10),
  )
  if (major === undefined || minor === undefined || major > 1 || minor >= MIN_MINOR) return
  throw toKubeError('KUBE_VERSION', `Cannot deploy to Kubernetes ${major}.${minor}: expected 1.${MIN_MINOR} or newer`, {
    where: kube.server,
    fix: 'Use a newer cluster',
  })
}

/** The admin token of a deployment that is there already; undefined where it is new. */
export async function readAdminToken(kube: Kube, deployment: string): Promise<string | undefined> {
  const secret = await readObject(kube, 'Secret', toNames(deployment).token)
  const text = textAt(secret, 'data', 'admin')
  return text === undefined ? undefined : Buffer.from(text, 'base64').toString()
}

/** Sets up everything of a deployment but its variants; what the project no longer asks for goes. @throws KUBE_… */
export async function installBase(options: InstallOptions, signal: AbortSignal): Promise<void> {
  const { kube, project, force, onChange } = options
  const settings = toSettings(options)
  const objects = [toTokenSecret(settings, options.tokens), ...toBaseObjects(settings)]
  for (const object of objects) {
    const { before, after } = await applyObject(kube, object, { deployment: project.name, force, signal })
    onChange(toChange(before, after))
  }
  for (const object of await listStale(kube, project.name, objects)) {
    await deleteObject(kube, object)
    onChange(toDeletion(object))
  }
}

/** Tells what `installBase`, and control after it, would change, by asking the cluster itself. @throws KUBE_… */
export async function planInstall(
  options: InstallOptions,
  variant: Omit<VariantPlan, 'id'>,
  signal: AbortSignal,
): Promise<void> {
  const { kube, project, force, onChange } = options
  const settings = toSettings(options)
  const id = await findVariantId(kube, project, variant.digest)
  const base = [toTokenSecret(settings, options.tokens), ...toBaseObjects(settings)]
  for (const object of [...base, ...toServerObjects(settings, { ...variant, id })]) {
    const asked = { deployment: project.name, force, dryRun: true, signal }
    const { before, after } = await applyObject(kube, object, asked)
    onChange(toChange(before, after))
  }
  for (const object of await listStale(kube, project.name, base)) onChange(toDeletion(object))
}

/** Id under which a version runs, else the next one that control will give. */
async function findVariantId(kube: Kube, project: Project, digest: string): Promise<number> {
  const image = toImage(project, digest)
  const known = (await listObjects(kube, 'Deployment', toOwnSelector(project.name))).filter(
    ({ metadata }) => metadata.labels?.[VARIANT_ID] !== undefined,
  )
  const idOf = (object: KubeObject | undefined): number => Number(object?.metadata.labels?.[VARIANT_ID] ?? 0)
  const running = known.find(one => textAt(one, 'spec', 'template', 'spec', 'containers', 0, 'image') === image)
  return running === undefined ? Math.max(0, ...known.map(idOf)) + 1 : idOf(running)
}

function toSettings({ kube, project, projectText, variables, version }: InstallOptions): BaseSettings {
  return { project, namespace: kube.namespace, projectText, variables, version }
}

/** Objects of the deployment that it no longer asks for; not those that control makes, and never a volume. */
async function listStale(
  kube: Kube,
  deployment: string,
  wanted: readonly KubeObject[],
): Promise<readonly KubeObject[]> {
  const key = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.name}`
  const { control, routes } = toNames(deployment)
  const kept = new Set([...wanted.map(key), `ConfigMap/${routes}`, `Lease/${control}`])
  return (await listOwn(kube, deployment)).filter(
    object =>
      !kept.has(key(object)) &&
      object.metadata.labels?.[VARIANT_ID] === undefined &&
      object.metadata.labels?.[IMAGE] === undefined &&
      object.kind !== 'PersistentVolumeClaim',
  )
}

/** Deletes everything that was made for a deployment but its volume; returns what was deleted. @throws KUBE_… */
export async function uninstall(kube: Kube, deployment: string): Promise<readonly Change[]> {
  const own = (await listOwn(kube, deployment)).filter(({ kind }) => kind !== 'PersistentVolumeClaim')
  for (const object of own) await deleteObject(kube, object)
  return own.map(toDeletion)
}

/**
 * Waits until control's newest pod is ready; returns its name. `onFinding` is told what is in the way.
 * @throws KUBE_NOT_READY with the reason, KUBE_NOT_DEPLOYED
 */
export async function untilControl(
  kube: Kube,
  deployment: string,
  { onFinding, signal, waitMs = WAIT_MS }: WaitOptions,
): Promise<string> {
  const startedAt = performance.now()
  let since: number | undefined
  for (;;) {
    const { pod, finding } = await lookAtControl(kube, deployment)
    if (pod !== undefined) return pod
    if (finding !== undefined) onFinding(finding)
    since = finding !== undefined && HOPELESS.has(finding.code) ? (since ?? performance.now()) : undefined
    const isHopeless = since !== undefined && performance.now() - since > HOPELESS_MS
    if (isHopeless || performance.now() - startedAt > waitMs) throw toNotReady(deployment, finding)
    await sleep(LOOK_MS, undefined, { signal })
  }
}

/** How `untilControl` waits. */
export interface WaitOptions {
  readonly onFinding: (finding: Finding) => void
  readonly signal: AbortSignal
  /** @default five minutes */
  readonly waitMs?: number
}

function toNotReady(deployment: string, finding: Finding | undefined): Error {
  const { code, evidence, fix } = finding ?? {
    code: 'STARTING',
    evidence: 'it still starts',
    fix: `kubectl describe pods -l app.kubernetes.io/instance=${deployment}`,
  }
  return toKubeError('KUBE_NOT_READY', `Control is not ready [${code}]: ${evidence}`, { fix })
}

async function lookAtControl(
  kube: Kube,
  deployment: string,
): Promise<{ readonly pod?: string; readonly finding?: Finding | undefined }> {
  const { control } = toNames(deployment)
  const object = await readObject(kube, 'Deployment', control)
  if (object === undefined) {
    throw toKubeError('KUBE_NOT_DEPLOYED', `There is no deployment "${deployment}" in namespace ${kube.namespace}`, {
      where: kube.server,
      fix: 'regatta deploy --target kubernetes',
    })
  }
  const pods = await listPartPods(kube, deployment, 'control')
  const wanted = numberAt(object, 'spec', 'replicas')
  const isRolledOut =
    numberAt(object, 'status', 'observedGeneration') >= numberAt(object, 'metadata', 'generation') &&
    numberAt(object, 'status', 'updatedReplicas') === wanted &&
    numberAt(object, 'status', 'readyReplicas') === wanted
  const ready = pods.find(isReady)
  if (isRolledOut && ready !== undefined) return { pod: ready.metadata.name }
  const around = {
    events: await listObjects(kube, 'Event', ''),
    claims: await listObjects(kube, 'PersistentVolumeClaim', ''),
    now: Date.now(),
  }
  const findings = pods.flatMap(pod => diagnosePod(pod, around) ?? [])
  return { finding: findings[0] ?? diagnoseDeployment(object) }
}

/** Names of the pods of a part that are ready. */
export async function listReadyPods(kube: Kube, deployment: string, part: Part): Promise<readonly string[]> {
  return (await listPartPods(kube, deployment, part)).filter(isReady).map(({ metadata }) => metadata.name)
}

async function listPartPods(kube: Kube, deployment: string, part: Part): Promise<readonly KubeObject[]> {
  const labels = Object.entries(toSelector(deployment, part)).map(([key, value]) => `${key}=${value}`)
  return await listObjects(kube, 'Pod', labels.join(','))
}

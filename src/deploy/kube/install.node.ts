import type { Project } from '../../config/index.ts'
import type { Routes } from '../../core/wire/routes.ts'
import type { DeploymentPlan, VariantPlan } from '../target.ts'
import { applyAll, deleteObject, listObjects, listOwn, readObject } from './apply.node.ts'
import { type Change, toChange, toDeletion } from './changes.ts'
import type { Kube } from './client.node.ts'
import { toKubeError } from './errors.ts'
import { IMAGE, toOwnSelector, VARIANT_ID } from './labels.ts'
import { type KubeObject, numberAt, textAt } from './object.ts'
import { type Tokens, toBaseObjects, toTokenSecret } from './objects/base.ts'
import { toRoutesObject } from './objects/routes.ts'
import { toServerObjects } from './objects/server.ts'
import { type BaseSettings, toNames } from './settings.ts'

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

/** What is made at once where nothing is deployed yet: nobody waits for control, which takes it up. */
export interface FirstVariant {
  readonly variant: VariantPlan
  readonly routes: Routes
}

/** Kubernetes since which a pod can wait before it stops without a shell. */
const MIN_MINOR = 30

/** Makes sure that the cluster can do what a deployment asks for. @throws KUBE_VERSION, KUBE_UNREACHABLE, … */
export async function checkCluster(kube: Kube): Promise<void> {
  const version = await kube.ask('GET', '/version')
  const [major, minor] = [textAt(version, 'major'), textAt(version, 'minor')].map(text =>
    Number.parseInt(text ?? '', 10),
  )
  if (major === undefined || minor === undefined || major > 1 || minor >= MIN_MINOR) return
  throw toKubeError('KUBE_VERSION', `Cannot deploy to Kubernetes ${major}.${minor}: expected 1.${MIN_MINOR} or newer`, {
    where: kube.server,
    fix: 'Use a newer cluster: older ones cannot let a pod without a shell answer while it leaves (preStop sleep)',
  })
}

/** The admin token of a deployment that is there already; undefined where it is new. */
export async function readAdminToken(kube: Kube, deployment: string): Promise<string | undefined> {
  const secret = await readObject(kube, 'Secret', toNames(deployment).token)
  const text = textAt(secret, 'data', 'admin')
  return text === undefined ? undefined : Buffer.from(text, 'base64').toString()
}

/** Whether a deployment has neither a control nor a record of routes. */
export async function isNew(kube: Kube, deployment: string): Promise<boolean> {
  const { control, routes } = toNames(deployment)
  const found = await Promise.all([readObject(kube, 'Deployment', control), readObject(kube, 'ConfigMap', routes)])
  return found.every(object => object === undefined)
}

/**
 * Sets up everything of a deployment but its variants, or with the first of them; what the project no longer asks for
 * goes. @throws KUBE_…
 */
export async function installBase(
  options: InstallOptions,
  first: FirstVariant | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { kube, project, force, onChange } = options
  const settings = toSettings(options)
  const base = [toTokenSecret(settings, options.tokens), ...toBaseObjects(settings)]
  const objects = [...base, ...(first === undefined ? [] : toFirstObjects(settings, first))]
  for (const { before, after } of await applyAll(kube, objects, { deployment: project.name, force, signal }))
    onChange(toChange(before, after))
  for (const object of await listStale(kube, project.name, base)) {
    await deleteObject(kube, object)
    onChange(toDeletion(object))
  }
}

/** The objects of the first variant, with the first record of the routes to it. */
function toFirstObjects(settings: BaseSettings, { variant, routes }: FirstVariant): readonly KubeObject[] {
  return [toRoutesObject(settings, routes), ...toServerObjects(settings, variant)]
}

/**
 * Tells what `installBase`, and control after it, would change, by asking the cluster itself: `plan` is what will run.
 * @throws KUBE_…
 */
export async function planInstall(options: InstallOptions, plan: DeploymentPlan, signal: AbortSignal): Promise<void> {
  const { kube, project, force, onChange } = options
  const settings = toSettings(options)
  const base = [toTokenSecret(settings, options.tokens), ...toBaseObjects(settings)]
  const known = await listVariants(kube, project.name)
  const servers = plan.variants.flatMap(variant => {
    const live = known.find(one => toVariantId(one) === variant.id)
    return toServerObjects(settings, variant, live && numberAt(live, 'spec', 'replicas'))
  })
  const asked = { deployment: project.name, force, dryRun: true, signal }
  for (const { before, after } of await applyAll(kube, [...base, ...servers], asked)) onChange(toChange(before, after))
  const stale = await listStale(kube, project.name, base)
  const gone = await listGone(kube, project.name, plan)
  for (const object of [...stale, ...gone]) onChange(toDeletion(object))
}

/** The id that the next variant of a deployment will get, as far as the cluster can tell. */
export async function findNextVariantId(kube: Kube, deployment: string): Promise<number> {
  return Math.max(0, ...(await listVariants(kube, deployment)).map(toVariantId)) + 1
}

async function listVariants(kube: Kube, deployment: string): Promise<readonly KubeObject[]> {
  return await listObjects(kube, 'Deployment', `${toOwnSelector(deployment)},${VARIANT_ID}`)
}

/** Objects of variants that will not run any more. */
async function listGone(kube: Kube, deployment: string, { variants }: DeploymentPlan): Promise<readonly KubeObject[]> {
  const kept = new Set(variants.map(({ id }) => id))
  const own = await listOwn(kube, deployment)
  return own.filter(one => one.metadata.labels?.[VARIANT_ID] !== undefined && !kept.has(toVariantId(one)))
}

function toVariantId({ metadata }: KubeObject): number {
  return Number(metadata.labels?.[VARIANT_ID])
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

/** What became of a deployment that was ended. */
export interface Uninstalled {
  readonly deleted: readonly Change[]
  /** Names of the volume claims that stay: they hold predictions and verdicts. */
  readonly kept: readonly string[]
}

/** Deletes everything that was made for a deployment but its volume. @throws KUBE_… */
export async function uninstall(kube: Kube, deployment: string): Promise<Uninstalled> {
  const own = await listOwn(kube, deployment)
  const [kept, gone] = [true, false].map(isClaim =>
    own.filter(({ kind }) => (kind === 'PersistentVolumeClaim') === isClaim),
  )
  for (const object of gone ?? []) await deleteObject(kube, object)
  return { deleted: (gone ?? []).map(toDeletion), kept: (kept ?? []).map(({ metadata }) => metadata.name) }
}

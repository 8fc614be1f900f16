import type { Kube } from './client.node.ts'
import { toKubeError } from './errors.ts'
import { KINDS, type Kind, toPath } from './kinds.ts'
import { isOwn, toOwnSelector } from './labels.ts'
import { type KubeObject, listAt, toKubeObject, toObjectName } from './object.ts'

/** Whose fields regatta's are. */
export const FIELD_MANAGER = 'regatta'
const APPLY = 'application/apply-patch+yaml'

/** How objects are applied. */
export interface ApplyOptions {
  /** `name` of regatta.yaml: an object of the same name that is not of this deployment is left alone. */
  readonly deployment: string
  /** Takes fields over that others have set. @default false */
  readonly force?: boolean
  /** Asks the cluster what would come of it. @default false */
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
}

/** What was before and what came of applying an object. */
export interface Applied {
  readonly before: KubeObject | undefined
  readonly after: KubeObject
}

/** Reads an object, or undefined where there is none. */
export async function readObject(kube: Kube, kind: string, name: string): Promise<KubeObject | undefined> {
  return toKubeObject(await kube.ask('GET', toPath(kind, kube.namespace, name)))
}

/** Reads the objects of a kind that a selector finds. */
export async function listObjects(kube: Kube, kind: string, selector: string): Promise<readonly KubeObject[]> {
  const path = `${toPath(kind, kube.namespace)}?labelSelector=${encodeURIComponent(selector)}`
  const list = await kube.ask('GET', path)
  // The items of a list do not say what they are.
  return listAt(list, 'items').map(item => ({ apiVersion: '', ...item, kind }) as unknown as KubeObject)
}

/** Kinds whose objects ask for others to be there: the role that is bound, and whatever pods start with. */
const LAST: ReadonlySet<string> = new Set(['RoleBinding', 'Deployment'])

/**
 * Makes objects what they are described as, by server-side apply, all at once but those that ask for others: fields that
 * regatta set and no longer describes go, those of others stay. Nothing is changed where an object is somebody else's.
 * @throws KUBE_FOREIGN, KUBE_CONFLICT, KUBE_REFUSED, …
 */
export async function applyAll(
  kube: Kube,
  objects: readonly KubeObject[],
  options: ApplyOptions,
): Promise<readonly Applied[]> {
  const before = await Promise.all(objects.map(object => readOwn(kube, object, options.deployment)))
  const applied = new Map<KubeObject, Applied>()
  for (const isLast of [false, true]) {
    const wave = objects.filter(({ kind }) => LAST.has(kind) === isLast)
    const ends = await Promise.allSettled(
      wave.map(async object => {
        // The cluster binds no role that it does not have, and a dry run makes none.
        const isUnbound = options.dryRun === true && object.kind === 'RoleBinding' && !before.some(isRole)
        const after = isUnbound ? object : await patch(kube, object, options)
        applied.set(object, { before: before[objects.indexOf(object)], after })
      }),
    )
    const failed = ends.find(end => end.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
  return objects.flatMap(object => applied.get(object) ?? [])
}

/** Makes one object what it is described as. @throws KUBE_FOREIGN, KUBE_CONFLICT, KUBE_REFUSED, … */
export async function applyObject(kube: Kube, object: KubeObject, options: ApplyOptions): Promise<Applied> {
  const before = await readOwn(kube, object, options.deployment)
  return { before, after: await patch(kube, object, options) }
}

function isRole(object: KubeObject | undefined): boolean {
  return object?.kind === 'Role'
}

async function readOwn(kube: Kube, object: KubeObject, deployment: string): Promise<KubeObject | undefined> {
  const before = await readObject(kube, object.kind, object.metadata.name)
  if (before !== undefined && !isOwn(deployment, before.metadata.labels)) throw toForeign(kube, before)
  return before
}

async function patch(kube: Kube, object: KubeObject, options: ApplyOptions): Promise<KubeObject> {
  const { dryRun = false, force = false, signal } = options
  const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', force: String(force) })
  if (dryRun) query.set('dryRun', 'All')
  const path = `${toPath(object.kind, kube.namespace, object.metadata.name)}?${query}`
  const answer = await kube.ask('PATCH', path, { body: object, type: APPLY, ...(signal !== undefined && { signal }) })
  const after = toKubeObject(answer)
  if (after !== undefined) return after
  throw toKubeError('KUBE_ANSWER', `Cannot tell what became of ${toObjectName(object)}: the cluster has no such path`, {
    where: path,
    fix: 'See that the cluster serves this version of the API: kubectl api-versions',
  })
}

function toForeign(kube: Kube, object: KubeObject): Error {
  const owner = object.metadata.labels?.['app.kubernetes.io/managed-by']
  return toKubeError(
    'KUBE_FOREIGN',
    `Cannot change ${toObjectName(object)}: it is not of this deployment${owner === undefined ? '' : `, ${owner} manages it`}`,
    {
      where: `namespace ${kube.namespace}`,
      fix: 'Give the deployment another name (name in regatta.yaml), or remove that object yourself',
    },
  )
}

/** Deletes an object and what depends on it; one that is gone already counts as deleted. */
export async function deleteObject(
  kube: Kube,
  { kind, metadata }: Pick<KubeObject, 'kind' | 'metadata'>,
): Promise<void> {
  const path = `${toPath(kind, kube.namespace, metadata.name)}?propagationPolicy=Background`
  await kube.ask('DELETE', path)
}

/** Every object that regatta made for a deployment, in the reverse order of their making. */
export async function listOwn(kube: Kube, deployment: string): Promise<readonly KubeObject[]> {
  const found: KubeObject[] = []
  for (const kind of (Object.keys(KINDS) as Kind[]).reverse())
    found.push(...(await listObjects(kube, kind, toOwnSelector(deployment))))
  return found
}

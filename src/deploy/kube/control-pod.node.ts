import { setTimeout as sleep } from 'node:timers/promises'
import { listObjects, readObject } from './apply.node.ts'
import type { Kube } from './client.node.ts'
import { diagnosePod } from './diagnosis.ts'
import { toKubeError } from './errors.ts'
import type { Finding, FindingCode } from './finding.ts'
import { type Part, toSelector } from './labels.ts'
import { type KubeObject, numberAt } from './object.ts'
import { diagnoseDeployment } from './refusal.ts'
import { toNames } from './settings.ts'
import { isReady } from './state.ts'

const WAIT_MS = 300_000
const LOOK_MS = 200
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
  const [object, pods] = await Promise.all([
    readObject(kube, 'Deployment', control),
    listPartPods(kube, deployment, 'control'),
  ])
  if (object === undefined) {
    throw toKubeError('KUBE_NOT_DEPLOYED', `There is no deployment "${deployment}" in namespace ${kube.namespace}`, {
      where: kube.server,
      fix: 'regatta deploy --target kubernetes',
    })
  }
  const wanted = numberAt(object, 'spec', 'replicas')
  const isRolledOut =
    numberAt(object, 'status', 'observedGeneration') >= numberAt(object, 'metadata', 'generation') &&
    numberAt(object, 'status', 'updatedReplicas') === wanted &&
    numberAt(object, 'status', 'readyReplicas') === wanted
  const ready = pods.find(isReady)
  if (isRolledOut && ready !== undefined) return { pod: ready.metadata.name }
  const [events, claims] = await Promise.all([
    listObjects(kube, 'Event', ''),
    listObjects(kube, 'PersistentVolumeClaim', ''),
  ])
  const around = { events, claims, now: Date.now() }
  const findings = pods.flatMap(pod => diagnosePod(pod, around) ?? [])
  return { finding: findings[0] ?? diagnoseDeployment(object, around) }
}

/** Names of the pods of a part that are ready. */
export async function listReadyPods(kube: Kube, deployment: string, part: Part): Promise<readonly string[]> {
  return (await listPartPods(kube, deployment, part)).filter(isReady).map(({ metadata }) => metadata.name)
}

async function listPartPods(kube: Kube, deployment: string, part: Part): Promise<readonly KubeObject[]> {
  const labels = Object.entries(toSelector(deployment, part)).map(([key, value]) => `${key}=${value}`)
  return await listObjects(kube, 'Pod', labels.join(','))
}

import type { Digest } from '../../core/brands.ts'
import { parseDigest } from '../../core/brands.ts'
import type { Health, ProcessState, ReplicaState, TargetState } from '../target.ts'
import { diagnosePod } from './diagnosis.ts'
import { type Circumstances, type Finding, findCondition } from './finding.ts'
import { type Part, VARIANT_ID } from './labels.ts'
import { type KubeObject, listAt, numberAt, textAt } from './object.ts'
import { PORTS } from './objects/pod.ts'
import { diagnoseEndpoints, diagnoseService } from './reach.ts'
import { diagnoseDeployment } from './refusal.ts'

/** What a cluster holds of a deployment. */
export interface Snapshot extends Circumstances {
  readonly pods: readonly KubeObject[]
  readonly deployments: readonly KubeObject[]
  readonly services: readonly KubeObject[]
  readonly slices: readonly KubeObject[]
}

/** The state of a deployment's processes as the cluster knows them. */
export function toState(snapshot: Snapshot, gatewayName: string): TargetState {
  const service = snapshot.services.find(one => one.metadata.name === gatewayName)
  const address = service === undefined ? undefined : toAddress(service)
  return {
    gateway: toGateway(snapshot, gatewayName, service),
    gatewayUrl: address && `http://${address}:${PORTS.http}`,
    gatewayGrpcUrl: address && `http://${address}:${PORTS.grpc}`,
    replicas: [
      ...listPods(snapshot, 'server').map(pod => toReplica(pod, snapshot)),
      ...snapshot.deployments.flatMap(deployment => toMissing(deployment, snapshot)),
    ],
  }
}

/** Pods of a part that run or are about to; those that were evicted or have ended stay behind as mere records. */
export function listPods({ pods }: Pick<Snapshot, 'pods'>, part: Part): readonly KubeObject[] {
  return pods
    .filter(pod => pod.metadata.labels?.['app.kubernetes.io/component'] === part)
    .filter(pod => !['Failed', 'Succeeded'].includes(textAt(pod, 'status', 'phase') ?? ''))
}

function toReplica(pod: KubeObject, snapshot: Snapshot): ReplicaState {
  const ip = textAt(pod, 'status', 'podIP')
  const host = ip?.includes(':') === true ? `[${ip}]` : ip
  return {
    ...toProcess(pod, snapshot),
    variant: Number(pod.metadata.labels?.[VARIANT_ID]),
    url: host && `http://${host}:${PORTS.http}`,
    grpcUrl: host && `http://${host}:${PORTS.grpc}`,
    digest: findDigest(pod),
  }
}

/** Digest of the image that a pod is told to run, else of what its tag led to. */
function findDigest(pod: KubeObject): Digest | undefined {
  const container = listAt(pod, 'spec', 'containers')[0]
  const known = listAt(pod, 'status', 'containerStatuses').find(one => one['name'] === container?.['name'])
  const references = [textAt(container, 'image'), textAt(known, 'imageID')]
  const digest = references.map(text => /sha256:[0-9a-f]{64}$/.exec(text ?? '')?.[0]).find(text => text !== undefined)
  return digest === undefined ? undefined : parseDigest(digest)
}

/** A pod as a process. */
export function toProcess(pod: KubeObject, around: Circumstances): ProcessState {
  const restarts = numberAt(listAt(pod, 'status', 'containerStatuses')[0], 'restartCount')
  return { name: pod.metadata.name, health: toHealth(pod, around), pid: undefined, restarts }
}

function toHealth(pod: KubeObject, around: Circumstances): Health {
  const leaving = textAt(pod, 'metadata', 'deletionTimestamp')
  if (leaving !== undefined) return { state: 'stopping', since: Date.parse(leaving) }
  const condition = findCondition(pod, 'Ready')
  const created = textAt(pod, 'metadata', 'creationTimestamp') ?? ''
  const since = Date.parse(textAt(condition, 'lastTransitionTime') ?? created)
  if (isReady(pod)) return { state: 'ready', since }
  const finding = diagnosePod(pod, around)
  return finding === undefined ? { state: 'starting', since } : toFailing(finding, since)
}

/** Whether a pod answers, and is not about to go. */
export function isReady(pod: KubeObject): boolean {
  return (
    findCondition(pod, 'Ready')?.['status'] === 'True' && textAt(pod, 'metadata', 'deletionTimestamp') === undefined
  )
}

function toFailing({ code, evidence, fix }: Finding, since: number): Health {
  return { state: 'failing', since, code, reason: `${evidence}; try: ${fix}`, retryAt: since }
}

/** Replicas that the cluster refuses to make: one stands for all that are missing. */
function toMissing(deployment: KubeObject, around: Circumstances): readonly ReplicaState[] {
  const variant = deployment.metadata.labels?.[VARIANT_ID]
  const finding = diagnoseDeployment(deployment, around)
  if (variant === undefined || finding === undefined) return []
  const condition = findCondition(deployment, 'ReplicaFailure')
  const since = Date.parse(textAt(condition, 'lastTransitionTime') ?? '') || around.now
  return [
    {
      name: deployment.metadata.name,
      variant: Number(variant),
      health: toFailing(finding, since),
      pid: undefined,
      restarts: 0,
      url: undefined,
      grpcUrl: undefined,
    },
  ]
}

/** Time that a Service takes at most to lead to a new pod, ms. */
const SETTLE_MS = 10_000

/** All gateways as one process: failing where one fails, ready where as many are as are wanted. */
function toGateway(snapshot: Snapshot, name: string, service: KubeObject | undefined): ProcessState {
  const processes = listPods(snapshot, 'gateway').map(pod => toProcess(pod, snapshot))
  const restarts = processes.reduce((sum, one) => sum + one.restarts, 0)
  const deployment = snapshot.deployments.find(one => one.metadata.name === name)
  const refused = deployment && diagnoseDeployment(deployment, snapshot)
  const unreached = service && diagnoseService(service, snapshot)
  const since = Math.max(0, ...processes.map(({ health }) => health.since))
  const serving = processes.filter(({ health }) => health.state === 'ready').length
  // A Service hears of a pod a moment after it got ready.
  const isSettled = snapshot.now - since > SETTLE_MS
  const own =
    refused ?? unreached ?? (service && isSettled ? diagnoseEndpoints(service, snapshot.slices, serving) : undefined)
  const base = { name: 'gateway', pid: undefined, restarts }
  const failing = processes.find(({ health }) => health.state === 'failing')
  if (failing !== undefined) return { ...base, health: failing.health }
  if (own !== undefined) return { ...base, health: toFailing(own, since) }
  const wanted = numberAt(deployment, 'spec', 'replicas')
  return { ...base, health: { state: serving >= Math.max(1, wanted) ? 'ready' : 'starting', since } }
}

/** Where clients find a Service; undefined while nobody has given it an address. */
function toAddress(service: KubeObject): string | undefined {
  if (textAt(service, 'spec', 'type') !== 'LoadBalancer')
    return `${service.metadata.name}.${service.metadata.namespace}.svc`
  const [ingress] = listAt(service, 'status', 'loadBalancer', 'ingress')
  const ip = textAt(ingress, 'ip')
  return ip?.includes(':') === true ? `[${ip}]` : (ip ?? textAt(ingress, 'hostname'))
}

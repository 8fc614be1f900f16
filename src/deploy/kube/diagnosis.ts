import type { JsonObject } from '../../core/json.ts'
import { at, type KubeObject, listAt, numberAt, textAt } from './object.ts'

/** Why something does not work. Codes are stable. */
export type FindingCode =
  | 'IMAGE_NOT_FOUND'
  | 'IMAGE_UNAUTHORIZED'
  | 'REGISTRY_UNREACHABLE'
  | 'IMAGE_PULL'
  | 'IMAGE_PLATFORM'
  | 'CRASH_LOOP'
  | 'OOM'
  | 'CONTAINER_CONFIG'
  | 'UNSCHEDULABLE'
  | 'VOLUME_PENDING'
  | 'PROBE_FAILING'
  | 'QUOTA'
  | 'POD_SECURITY'
  | 'PODS_REFUSED'
  | 'LOAD_BALANCER_PENDING'
  | 'NO_ENDPOINTS'

/** One reason: what the cluster says, and what to do. */
export interface Finding {
  readonly code: FindingCode
  readonly evidence: string
  readonly fix: string
}

/** What is known beside an object. */
export interface Circumstances {
  /** Events of the namespace. */
  readonly events: readonly KubeObject[]
  /** Volume claims of the namespace. */
  readonly claims: readonly KubeObject[]
  /** Epoch ms. */
  readonly now: number
}

/** Time that a start takes without being a failure, ms. */
const PATIENCE_MS = 30_000

/** Says why a pod is not ready; undefined where nothing is wrong with it, or not yet. */
export function diagnosePod(pod: KubeObject, around: Circumstances): Finding | undefined {
  const [container] = listAt(pod, 'status', 'containerStatuses')
  return (
    diagnoseScheduling(pod, around) ??
    (container === undefined
      ? undefined
      : (diagnosePull(pod, container, around) ??
        diagnoseEnd(pod, container) ??
        diagnoseConfig(container) ??
        diagnoseProbe(pod, container, around)))
  )
}

/** The condition of a type, or undefined. */
export function findCondition(object: KubeObject, type: string): JsonObject | undefined {
  return listAt(object, 'status', 'conditions').find(condition => condition['type'] === type)
}

function diagnoseScheduling(pod: KubeObject, around: Circumstances): Finding | undefined {
  const condition = findCondition(pod, 'PodScheduled')
  if (condition?.['status'] !== 'False') return undefined
  const evidence = textAt(condition, 'message') ?? 'no node takes the pod'
  if (/PersistentVolumeClaim/.test(evidence)) return toVolumeFinding(pod, evidence, around)
  return { code: 'UNSCHEDULABLE', evidence, fix: toSchedulingFix(evidence) }
}

function toSchedulingFix(evidence: string): string {
  const short = /Insufficient (\S+?)[.,;]?(\s|$)/.exec(evidence)?.[1]
  if (short !== undefined) return `Lower serve.resources.requests.${short}, or add nodes that have more ${short}`
  if (/taint/.test(evidence)) return 'Set targets.kubernetes.tolerations for the taint that it names'
  if (/node affinity\/selector/.test(evidence)) return 'Set targets.kubernetes.nodeSelector to labels that nodes have'
  if (/topology spread/.test(evidence))
    return 'Set whenUnsatisfiable: ScheduleAnyway in targets.kubernetes.topologySpread'
  return 'See what the nodes have: kubectl describe nodes'
}

function toVolumeFinding(pod: KubeObject, evidence: string, { claims, events }: Circumstances): Finding {
  const named = listAt(pod, 'spec', 'volumes').map(volume => textAt(volume, 'persistentVolumeClaim', 'claimName'))
  const claim = claims.find(one => named.includes(one.metadata.name) && textAt(one, 'status', 'phase') !== 'Bound')
  const said = claim === undefined ? undefined : findLastEvent(claim, events)
  return {
    code: 'VOLUME_PENDING',
    evidence: said === undefined ? evidence : `volume claim ${claim?.metadata.name}: ${textAt(said, 'message')}`,
    fix: 'Set targets.kubernetes.storage.class to a StorageClass of the cluster, or storage.ephemeral: true',
  }
}

function diagnosePull(pod: KubeObject, container: JsonObject, { events }: Circumstances): Finding | undefined {
  const reason = textAt(container, 'state', 'waiting', 'reason') ?? ''
  if (!['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull'].includes(reason)) return undefined
  const failed = events.filter(event => isAbout(event, pod) && /Failed to pull/.test(textAt(event, 'message') ?? ''))
  const words = textAt(failed.at(-1), 'message') ?? textAt(container, 'state', 'waiting', 'message') ?? reason
  const image = textAt(container, 'image') ?? 'the image'
  if (/no match for platform|no matching manifest|does not match the specified platform/i.test(words))
    return toPlatformFinding(`${image} is not for the platform of the node: ${words}`)
  if (/not found|manifest unknown|NAME_UNKNOWN|does not exist/i.test(words) && !/no such host/i.test(words)) {
    const fix = 'Push it: regatta push; and see that image.repository is the one that the cluster pulls from'
    return { code: 'IMAGE_NOT_FOUND', evidence: `${image} is not in its registry: ${words}`, fix }
  }
  if (/unauthorized|denied|forbidden|authentication|\b40[13]\b/i.test(words)) {
    const fix = 'Name a Secret of the registry in targets.kubernetes.imagePullSecrets'
    return { code: 'IMAGE_UNAUTHORIZED', evidence: `the cluster may not pull ${image}: ${words}`, fix }
  }
  if (/no such host|connection refused|timeout|dial tcp|server gave HTTP response/i.test(words)) {
    const fix = 'Set image.repository to a registry that the nodes of the cluster reach'
    return { code: 'REGISTRY_UNREACHABLE', evidence: `no node reaches the registry of ${image}: ${words}`, fix }
  }
  return { code: 'IMAGE_PULL', evidence: words, fix: 'See that the image is whole: regatta verify' }
}

/** The kubelet keeps the end of the log of a container that failed (`terminationMessagePolicy`). */
function diagnoseEnd(pod: KubeObject, container: JsonObject): Finding | undefined {
  if (container['ready'] === true) return undefined
  const end = at(container, 'state', 'terminated') ?? at(container, 'lastState', 'terminated')
  if (end === undefined || numberAt(container, 'restartCount') + numberAt(end, 'exitCode') === 0) return undefined
  if (textAt(end, 'reason') === 'OOMKilled') return toMemoryFinding(pod, container)
  const lines = toLastLines(textAt(end, 'message'))
  if (lines.some(line => /exec format error/i.test(line)))
    return toPlatformFinding(`its program is not for the processor of the node: ${lines.join(' | ')}`)
  const how =
    numberAt(end, 'signal') > 0 ? `signal ${numberAt(end, 'signal')}` : `exit code ${numberAt(end, 'exitCode')}`
  const words = lines.length === 0 ? 'it printed nothing' : `its last words: ${lines.join(' | ')}`
  return {
    code: 'CRASH_LOOP',
    evidence: `it ended with ${how} (${numberAt(container, 'restartCount')} restarts); ${words}`,
    fix: `Its whole log: regatta logs ${pod.metadata.name}`,
  }
}

function toPlatformFinding(evidence: string): Finding {
  const fix = 'Set image.platforms to those of the nodes, pack and push; or targets.kubernetes.nodeSelector'
  return { code: 'IMAGE_PLATFORM', evidence, fix }
}

function toMemoryFinding(pod: KubeObject, container: JsonObject): Finding {
  const spec = listAt(pod, 'spec', 'containers').find(one => one['name'] === container['name'])
  const limit = textAt(spec, 'resources', 'limits', 'memory') ?? 'none'
  // At its peak it had all that it may have: that is what it was killed for.
  const evidence = `it used all of its limit of ${limit} and needs more (killed, ${numberAt(container, 'restartCount')} restarts)`
  return { code: 'OOM', evidence, fix: `Raise serve.resources.limits.memory above ${limit}` }
}

function diagnoseConfig(container: JsonObject): Finding | undefined {
  const reason = textAt(container, 'state', 'waiting', 'reason') ?? ''
  if (!/^(CreateContainer|RunContainer)/.test(reason)) return undefined
  const evidence = textAt(container, 'state', 'waiting', 'message') ?? reason
  return { code: 'CONTAINER_CONFIG', evidence, fix: 'Correct what it names; an overlay may have set it' }
}

/** A start that fails its probe is no failure until it has taken long. */
function diagnoseProbe(pod: KubeObject, container: JsonObject, { events, now }: Circumstances): Finding | undefined {
  if (container['ready'] === true) return undefined
  const startedAt = Date.parse(textAt(container, 'state', 'running', 'startedAt') ?? '')
  if (!(now - startedAt > PATIENCE_MS)) return undefined
  const said = events.filter(event => isAbout(event, pod) && textAt(event, 'reason') === 'Unhealthy').at(-1)
  const seconds = Math.round((now - startedAt) / 1000)
  const evidence = textAt(said, 'message') ?? 'it does not answer its readiness probe'
  return {
    code: 'PROBE_FAILING',
    evidence: `${evidence} (${seconds} s after its start)`,
    fix: `See what it does: regatta logs ${pod.metadata.name}`,
  }
}

/** Says why a Deployment cannot make its pods; undefined where it can. */
export function diagnoseDeployment(deployment: KubeObject, { events }: Circumstances): Finding | undefined {
  const condition = findCondition(deployment, 'ReplicaFailure')
  if (condition?.['status'] !== 'True') return undefined
  // The condition keeps the words of the first refusal while there is one, whatever a later one is for.
  const said = textAt(findLastRefusal(deployment, events), 'message')?.replace(/^.*?Error creating: /, '')
  const evidence = said ?? textAt(condition, 'message') ?? 'the cluster makes no pods'
  // The second is said of a quota that is so new that nothing was counted yet, and stays said.
  if (/exceeded quota|status unknown for quota/.test(evidence)) {
    const fix = 'Ask for less (serve.replicas, serve.resources), or have the quota of the namespace raised'
    return { code: 'QUOTA', evidence, fix }
  }
  if (/violates PodSecurity/.test(evidence)) {
    const fix = 'Take out of targets.kubernetes.overlay what the level of the namespace does not allow'
    return { code: 'POD_SECURITY', evidence, fix }
  }
  return {
    code: 'PODS_REFUSED',
    evidence,
    fix: 'Have what it names changed in the namespace, or in targets.kubernetes',
  }
}

/** Says why clients cannot reach a Service; undefined where they can, or where it is only new. */
export function diagnoseService(service: KubeObject, { events, now }: Circumstances): Finding | undefined {
  if (textAt(service, 'spec', 'type') !== 'LoadBalancer') return undefined
  if (listAt(service, 'status', 'loadBalancer', 'ingress').length > 0) return undefined
  const madeAt = Date.parse(textAt(service, 'metadata', 'creationTimestamp') ?? '')
  if (!(now - madeAt > PATIENCE_MS)) return undefined
  const said = textAt(findLastEvent(service, events), 'message')
  return {
    code: 'LOAD_BALANCER_PENDING',
    evidence: `Service ${service.metadata.name} has no address yet: ${said ?? 'nothing in the cluster gives it one'}`,
    fix: 'Set targets.kubernetes.expose to NodePort or ClusterIP, or install a load balancer in the cluster',
  }
}

/** Says that a Service leads nowhere although pods that it should lead to are ready. */
export function diagnoseEndpoints(
  service: KubeObject,
  slices: readonly KubeObject[],
  readyPods: number,
): Finding | undefined {
  const own = slices.filter(slice => slice.metadata.labels?.['kubernetes.io/service-name'] === service.metadata.name)
  const ready = own.flatMap(slice => listAt(slice, 'endpoints')).filter(one => at(one, 'conditions', 'ready') !== false)
  if (ready.length > 0 || readyPods === 0) return undefined
  return {
    code: 'NO_ENDPOINTS',
    evidence: `Service ${service.metadata.name} leads to none of ${readyPods} ready pods`,
    fix: 'Take a selector or port of the Service out of targets.kubernetes.overlay, and deploy again',
  }
}

/** The last event about an object. */
function findLastEvent(object: KubeObject, events: readonly KubeObject[]): KubeObject | undefined {
  return events.filter(event => isAbout(event, object)).at(-1)
}

/** The last event of a pod that one of a Deployment's ReplicaSets, which are named after it, could not make. */
function findLastRefusal({ metadata }: KubeObject, events: readonly KubeObject[]): KubeObject | undefined {
  const toOwner = (event: KubeObject) => (textAt(event, 'involvedObject', 'name') ?? '').replace(/-[a-z0-9]+$/, '')
  return events
    .filter(event => textAt(event, 'reason') === 'FailedCreate')
    .filter(event => textAt(event, 'involvedObject', 'kind') === 'ReplicaSet' && toOwner(event) === metadata.name)
    .sort((a, b) => toTime(a) - toTime(b))
    .at(-1)
}

function toTime(event: KubeObject): number {
  return Date.parse(textAt(event, 'lastTimestamp') ?? textAt(event, 'eventTime') ?? '') || 0
}

function isAbout(event: KubeObject, { kind, metadata }: KubeObject): boolean {
  return textAt(event, 'involvedObject', 'kind') === kind && textAt(event, 'involvedObject', 'name') === metadata.name
}

function toLastLines(text: string | undefined): readonly string[] {
  return (text ?? '').trimEnd().split('\n').filter(Boolean).slice(-5)
}

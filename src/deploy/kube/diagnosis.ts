import type { JsonObject } from '../../core/json.ts'
import { diagnoseEnd, toPlatformFinding } from './end.ts'
import {
  type Circumstances,
  type Finding,
  findCondition,
  findLastEvent,
  isAbout,
  PATIENCE_MS,
  toResourceKey,
} from './finding.ts'
import { type KubeObject, listAt, textAt } from './object.ts'

/** Says why a pod is not ready; undefined where nothing is wrong with it, or not yet. */
export function diagnosePod(pod: KubeObject, around: Circumstances): Finding | undefined {
  const [container] = listAt(pod, 'status', 'containerStatuses')
  return (
    diagnoseScheduling(pod, around) ??
    (container === undefined
      ? undefined
      : (diagnosePull(pod, container, around) ??
        diagnoseEnd(pod, container) ??
        diagnoseConfig(pod, container) ??
        diagnoseProbe(pod, container, around)))
  )
}

function diagnoseScheduling(pod: KubeObject, around: Circumstances): Finding | undefined {
  const condition = findCondition(pod, 'PodScheduled')
  if (condition?.['status'] !== 'False') return undefined
  const evidence = textAt(condition, 'message') ?? 'no node takes the pod'
  if (/PersistentVolumeClaim/.test(evidence)) return toVolumeFinding(pod, evidence, around)
  return { code: 'UNSCHEDULABLE', evidence, fix: toSchedulingFix(pod, evidence) }
}

function toSchedulingFix(pod: KubeObject, evidence: string): string {
  const then = ', then: regatta deploy'
  const short = /Insufficient (\S+?)[.,;]?(\s|$)/.exec(evidence)?.[1]
  if (short === 'cpu' || short === 'memory') {
    const container = textAt(listAt(pod, 'spec', 'containers')[0], 'name') ?? ''
    return `Lower ${toResourceKey(container, `requests.${short}`)} to what "kubectl describe nodes" shows as free${then}`
  }
  if (short !== undefined) return `Ask for less ${short} in targets.kubernetes.overlay${then}`
  if (/taint/.test(evidence)) return `Set targets.kubernetes.tolerations for the taint that it names${then}`
  if (/node affinity\/selector/.test(evidence))
    return `Set targets.kubernetes.nodeSelector to labels that "kubectl get nodes --show-labels" shows${then}`
  if (/topology spread/.test(evidence))
    return `Set whenUnsatisfiable: ScheduleAnyway in targets.kubernetes.topologySpread${then}`
  return 'See what the nodes have: kubectl describe nodes'
}

function toVolumeFinding(pod: KubeObject, evidence: string, { claims, events }: Circumstances): Finding {
  const named = listAt(pod, 'spec', 'volumes').map(volume => textAt(volume, 'persistentVolumeClaim', 'claimName'))
  const claim = claims.find(one => named.includes(one.metadata.name) && textAt(one, 'status', 'phase') !== 'Bound')
  const said = claim === undefined ? undefined : findLastEvent(claim, events)
  return {
    code: 'VOLUME_PENDING',
    evidence: said === undefined ? evidence : `volume claim ${claim?.metadata.name}: ${textAt(said, 'message')}`,
    fix: toVolumeFix(claim),
  }
}

/** A claim keeps the class that it was made with; this one holds nothing yet. */
function toVolumeFix(claim: KubeObject | undefined): string {
  const { name, namespace = 'default' } = claim?.metadata ?? { name: '' }
  const first = claim === undefined ? '' : `kubectl delete pvc ${name} --namespace ${namespace}, then `
  return (
    `${first}set targets.kubernetes.storage.class to one that "kubectl get storageclass" lists, or storage.ephemeral: ` +
    'true, and regatta deploy'
  )
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
    const fix = 'regatta push brings it, where image.repository is what the cluster pulls from; then: regatta deploy'
    return { code: 'IMAGE_NOT_FOUND', evidence: `${image} is not in its registry: ${words}`, fix }
  }
  if (/unauthorized|denied|forbidden|authentication|\b40[13]\b/i.test(words)) {
    const [registry] = image.split('/')
    const fix =
      `kubectl create secret docker-registry pull --docker-server=${registry} --docker-username=USER ` +
      '--docker-password=PASSWORD, then set targets.kubernetes.imagePullSecrets: [pull], and regatta deploy'
    return { code: 'IMAGE_UNAUTHORIZED', evidence: `the cluster may not pull ${image}: ${words}`, fix }
  }
  if (/no such host|connection refused|timeout|dial tcp|server gave HTTP response/i.test(words)) {
    const fix = 'Set image.repository to a registry that the nodes reach, then: regatta push, regatta deploy'
    return { code: 'REGISTRY_UNREACHABLE', evidence: `no node reaches the registry of ${image}: ${words}`, fix }
  }
  return { code: 'IMAGE_PULL', evidence: words, fix: `See that the image is whole: regatta verify ${image}` }
}

function diagnoseConfig(pod: KubeObject, container: JsonObject): Finding | undefined {
  const reason = textAt(container, 'state', 'waiting', 'reason') ?? ''
  if (!/^(CreateContainer|RunContainer)/.test(reason)) return undefined
  const evidence = textAt(container, 'state', 'waiting', 'message') ?? reason
  return { code: 'CONTAINER_CONFIG', evidence, fix: toConfigFix(pod, evidence) }
}

function toConfigFix({ metadata: { name, namespace = 'default' } }: KubeObject, evidence: string): string {
  const missing = /^(secret|configmap) "([^"]+)" not found/.exec(evidence)
  if (missing !== null)
    return `Make it: kubectl create ${toCreated(missing[1])} ${missing[2]} --namespace ${namespace} …`
  return (
    `Change what it names in targets.kubernetes (database, env, overlay), then: regatta deploy; all of it: ` +
    `kubectl describe pod ${name} --namespace ${namespace}`
  )
}

function toCreated(kind: string | undefined): string {
  return kind === 'secret' ? 'secret generic' : 'configmap'
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

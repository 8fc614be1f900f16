import { type Circumstances, type Finding, findLastEvent, PATIENCE_MS } from './finding.ts'
import { at, type KubeObject, listAt, textAt } from './object.ts'

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
    fix: 'Set targets.kubernetes.expose to NodePort or ClusterIP, then: regatta deploy; or have a load balancer installed',
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
    fix:
      'Set its selector and ports back: regatta deploy --force-conflicts; a port that targets.kubernetes.overlay changes ' +
      'must be taken out first',
  }
}

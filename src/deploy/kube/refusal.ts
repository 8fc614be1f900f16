import { type Circumstances, type Finding, findCondition } from './finding.ts'
import { type KubeObject, textAt } from './object.ts'

/** Says why a Deployment cannot make its pods; undefined where it can. */
export function diagnoseDeployment(deployment: KubeObject, { events }: Circumstances): Finding | undefined {
  const condition = findCondition(deployment, 'ReplicaFailure')
  if (condition?.['status'] !== 'True') return undefined
  // The condition keeps the words of the first refusal while there is one, whatever a later one is for.
  const said = textAt(findLastRefusal(deployment, events), 'message')?.replace(/^.*?Error creating: /, '')
  const evidence = said ?? textAt(condition, 'message') ?? 'the cluster makes no pods'
  const { name, namespace = 'default' } = deployment.metadata
  // The second is said of a quota that is so new that nothing was counted yet, and stays said.
  if (/exceeded quota|status unknown for quota/.test(evidence)) {
    const fix =
      'Ask for less (serve.replicas, serve.resources), then: regatta deploy; or have the quota raised: ' +
      `kubectl describe quota --namespace ${namespace}`
    return { code: 'QUOTA', evidence, fix }
  }
  if (/violates PodSecurity/.test(evidence)) {
    const fix =
      'Take out of targets.kubernetes.overlay what the level of the namespace does not allow, then: regatta deploy; or ' +
      `kubectl rollout undo deployment/${name} --namespace ${namespace}, where somebody else has set it`
    return { code: 'POD_SECURITY', evidence, fix }
  }
  return { code: 'PODS_REFUSED', evidence, fix: toRefusedFix(evidence, deployment) }
}

function toRefusedFix(evidence: string, { metadata: { name, namespace = 'default' } }: KubeObject): string {
  if (/PriorityClass/.test(evidence))
    return 'Set targets.kubernetes.priorityClass to one that "kubectl get priorityclass" lists, then: regatta deploy'
  if (/usage per (Container|Pod)|limit to request ratio/.test(evidence))
    return `Keep serve.resources within what "kubectl describe limitrange --namespace ${namespace}" shows, then: regatta deploy`
  return (
    `Have what it names changed in the namespace, or in targets.kubernetes, then: regatta deploy; all of it: ` +
    `kubectl describe deployment/${name} --namespace ${namespace}`
  )
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

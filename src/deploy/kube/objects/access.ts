import { KINDS, type Kind, READ_KINDS } from '../kinds.ts'
import { toLabels } from '../labels.ts'
import type { KubeObject } from '../object.ts'
import { type KubeSettings, toNames } from '../settings.ts'

const WRITE = ['get', 'list', 'watch', 'create', 'patch', 'delete'] as const
const READ = ['get', 'list', 'watch'] as const
const GROUP = 'rbac.authorization.k8s.io'

/** Kinds that control makes for each variant, and its record of the routes; where it is several, also the lease. */
const CONTROL_WRITES = ['ConfigMap', 'Service', 'Deployment', 'PodDisruptionBudget', 'HorizontalPodAutoscaler'] as const

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

/** What control and whoever sets it up have beside what they write. */
const OTHER_RULES: readonly Rule[] = [
  { apiGroups: [''], resources: ['events'], verbs: ['create'] },
  {
    apiGroups: [''],
    resources: ['pods', 'pods/log', 'events', 'services', 'persistentvolumeclaims', 'resourcequotas'],
    verbs: READ,
  },
  { apiGroups: [READ_KINDS.ReplicaSet.group], resources: ['replicasets'], verbs: READ },
  { apiGroups: [READ_KINDS.EndpointSlice.group], resources: ['endpointslices'], verbs: READ },
]

/** Account, role and binding of control: what it makes and reads, in its namespace alone. */
export function toControlAccess({ project, namespace }: KubeSettings): readonly KubeObject[] {
  const name = toNames(project.name).control
  const kinds =
    project.targets.kubernetes.database === undefined ? CONTROL_WRITES : ([...CONTROL_WRITES, 'Lease'] as const)
  const metadata = { name, namespace, labels: toLabels(project.name, 'control') }
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    { apiVersion: `${GROUP}/v1`, kind: 'Role', metadata, rules: [...toWriteRules(kinds), ...OTHER_RULES] },
    toBinding(metadata, name, { kind: 'ServiceAccount', name, namespace }),
  ]
}

/**
 * Account, role and binding for the person, or the pipeline, that deploys: exactly what `deploy`, `status` and `delete`
 * ask for. It holds all that control's role holds, since nobody may give away more than they have. Source: Kubernetes,
 * "Using RBAC Authorization", section "Privilege escalation prevention".
 */
export function toDeployerAccess(name: string, namespace: string): readonly KubeObject[] {
  // Not regatta's to change or delete: whoever has more rights applies it.
  const metadata = { name: `${name}-deployer`, namespace }
  const kinds = Object.keys(KINDS) as Kind[]
  const forward: Rule = { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] }
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    { apiVersion: `${GROUP}/v1`, kind: 'Role', metadata, rules: [...toWriteRules(kinds), ...OTHER_RULES, forward] },
    toBinding(metadata, metadata.name, { kind: 'ServiceAccount', name: metadata.name, namespace }),
  ]
}

/** One rule for each group of the API. */
function toWriteRules(kinds: readonly Kind[]): readonly Rule[] {
  const groups = [...new Set(kinds.map(kind => KINDS[kind].group))].sort()
  return groups.map(group => ({
    apiGroups: [group],
    resources: kinds
      .filter(kind => KINDS[kind].group === group)
      .map(kind => KINDS[kind].plural)
      .sort(),
    verbs: WRITE,
  }))
}

function toBinding(metadata: KubeObject['metadata'], role: string, subject: object): KubeObject {
  return {
    apiVersion: `${GROUP}/v1`,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: GROUP, kind: 'Role', name: role },
    subjects: [subject],
  }
}

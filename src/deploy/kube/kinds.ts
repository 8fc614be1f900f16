import { RegattaError } from '../../core/errors.ts'

/** Where the API keeps the objects of a kind, and what a role calls them. */
export interface KindRow {
  /** '' is the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
}

/** Every kind that regatta makes, in the order in which they are made; all of them live in a namespace. */
export const KINDS = {
  ServiceAccount: { group: '', version: 'v1', plural: 'serviceaccounts' },
  Role: { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'roles' },
  Secret: { group: '', version: 'v1', plural: 'secrets' },
  ConfigMap: { group: '', version: 'v1', plural: 'configmaps' },
  PersistentVolumeClaim: { group: '', version: 'v1', plural: 'persistentvolumeclaims' },
  Lease: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' },
  NetworkPolicy: { group: 'networking.k8s.io', version: 'v1', plural: 'networkpolicies' },
  Service: { group: '', version: 'v1', plural: 'services' },
  // Deleted before all that control writes, which it could make again while it ends.
  RoleBinding: { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'rolebindings' },
  Deployment: { group: 'apps', version: 'v1', plural: 'deployments' },
  PodDisruptionBudget: { group: 'policy', version: 'v1', plural: 'poddisruptionbudgets' },
  HorizontalPodAutoscaler: { group: 'autoscaling', version: 'v2', plural: 'horizontalpodautoscalers' },
} as const satisfies Record<string, KindRow>

/** Kinds that the cluster makes for them, and that are only read. */
export const READ_KINDS = {
  Pod: { group: '', version: 'v1', plural: 'pods' },
  Event: { group: '', version: 'v1', plural: 'events' },
  EndpointSlice: { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' },
  ReplicaSet: { group: 'apps', version: 'v1', plural: 'replicasets' },
} as const satisfies Record<string, KindRow>

/** A kind that regatta makes. */
export type Kind = keyof typeof KINDS
/** A kind that regatta makes or reads. */
export type AnyKind = Kind | keyof typeof READ_KINDS

const ALL: Readonly<Record<string, KindRow>> = { ...KINDS, ...READ_KINDS }

/** `v1`, `apps/v1`: the version of the API that a kind belongs to. */
export function toApiVersion(kind: Kind): string {
  const { group, version } = KINDS[kind]
  return group === '' ? version : `${group}/${version}`
}

/** The path of a kind's objects in a namespace, or of the one with a name. */
export function toPath(kind: string, namespace: string, name?: string): string {
  const row = ALL[kind]
  if (row === undefined) throw new RegattaError('KUBE_OVERLAY', `Cannot make a ${kind}: regatta makes none`)
  const root = row.group === '' ? `/api/${row.version}` : `/apis/${row.group}/${row.version}`
  const objects = `${root}/namespaces/${namespace}/${row.plural}`
  return name === undefined ? objects : `${objects}/${encodeURIComponent(name)}`
}

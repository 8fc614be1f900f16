import type { JsonObject } from '../../../core/json.ts'
import type { Part } from '../labels.ts'
import { toSelector } from '../labels.ts'
import type { KubeSettings } from '../settings.ts'

/** Ports of every server and gateway, by name. */
export const PORTS = { http: 8501, grpc: 8500, control: 8400 } as const

/** The user that images run as; a number, so that the kubelet can check that it is not root. */
const USER = 65532

/** Everything that the level `restricted` of Pod Security asks of a container, and a root that nobody writes to. */
const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  privileged: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
}

/** Seconds that a pod still serves after it has left the Service, so that everybody has heard. */
export const LEAVE_SECONDS = 5

/** A container's probe by HTTP. */
export function toProbe(path: string, port: 'http' | 'control', periodSeconds: number, failureThreshold: number) {
  return { httpGet: { path, port }, periodSeconds, failureThreshold, timeoutSeconds: 2 }
}

/** Tells a Prometheus that finds pods by their annotations where a pod's metrics are. */
export function toScraped(port: number): Readonly<Record<string, string>> {
  return { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(port), 'prometheus.io/path': '/metrics' }
}

/** Adds what every container has. */
export function toContainer(container: JsonObject): JsonObject {
  const { volumeMounts } = container
  return {
    ...container,
    imagePullPolicy: 'IfNotPresent',
    securityContext: CONTAINER_SECURITY,
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }, ...(Array.isArray(volumeMounts) ? volumeMounts : [])],
  }
}

/** How a pod differs from another. */
export interface PodWish {
  readonly part: Part
  readonly selector: Readonly<Record<string, string>>
  readonly container: JsonObject
  readonly volumes?: readonly JsonObject[]
  /** Its token for the API; most pods have none. */
  readonly serviceAccount?: string
  readonly graceSeconds: number
}

/** The part of a pod's description that all pods of a deployment share. */
export function toPodSpec({ project }: KubeSettings, wish: PodWish): JsonObject {
  const { imagePullSecrets, nodeSelector, priorityClass, tolerations, topologySpread } = project.targets.kubernetes
  const named = wish.serviceAccount
  return {
    ...(named !== undefined && { serviceAccountName: named }),
    automountServiceAccountToken: named !== undefined,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    terminationGracePeriodSeconds: wish.graceSeconds,
    ...(priorityClass !== undefined && { priorityClassName: priorityClass }),
    ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
    ...(tolerations.length > 0 && { tolerations }),
    ...(topologySpread.length > 0 && {
      topologySpreadConstraints: topologySpread.map(spread => ({
        ...spread,
        labelSelector: { matchLabels: wish.selector },
      })),
    }),
    ...(imagePullSecrets.length > 0 && { imagePullSecrets: imagePullSecrets.map(name => ({ name })) }),
    containers: [toContainer(wish.container)],
    volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '64Mi' } }, ...(wish.volumes ?? [])],
  }
}

/** Selector of the pods of a part that is one for the whole deployment. */
export function toPartSelector({ project }: KubeSettings, part: Part): Readonly<Record<string, string>> {
  return toSelector(project.name, part)
}

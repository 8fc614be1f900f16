import type { JsonObject } from '../../core/json.ts'
import { type KubeObject, listAt, textAt } from './object.ts'

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

/** One reason: what the cluster says, and what to do at once. */
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
export const PATIENCE_MS = 30_000

/** The condition of a type, or undefined. */
export function findCondition(object: KubeObject, type: string): JsonObject | undefined {
  return listAt(object, 'status', 'conditions').find(condition => condition['type'] === type)
}

/** The last event about an object. */
export function findLastEvent(object: KubeObject, events: readonly KubeObject[]): KubeObject | undefined {
  return events.filter(event => isAbout(event, object)).at(-1)
}

/** Whether an event is about an object. */
export function isAbout(event: KubeObject, { kind, metadata }: KubeObject): boolean {
  return textAt(event, 'involvedObject', 'kind') === kind && textAt(event, 'involvedObject', 'name') === metadata.name
}

/** What to set for another amount of memory or CPU: servers have a key of their own, the others are overlaid. */
export function toResourceKey(container: string, path: string): string {
  if (container === 'server') return `serve.resources.${path}`
  return `resources.${path} of container ${container}, by targets.kubernetes.overlay (kind: Deployment, part: ${container}),`
}

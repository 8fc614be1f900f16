import { isObject, toCanonicalJson } from '../../core/json.ts'
import { type KubeObject, toObjectName } from './object.ts'

/** What becomes of an object. */
export interface Change {
  /** Such as `Deployment/forecast-gateway`. */
  readonly object: string
  readonly change: 'create' | 'change' | 'keep' | 'delete'
  /** Fields that change, with what they are and will be. */
  readonly fields: readonly string[]
}

/** Kept by the cluster, and no part of what somebody wants. */
const KEPT = new Set(['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp'])
const MAX_SHOWN = 80

/** Tells what applying an object changes. */
export function toChange(before: KubeObject | undefined, after: KubeObject): Change {
  const object = toObjectName(after)
  if (before === undefined) return { object, change: 'create', fields: [] }
  const fields = compare(strip(before), strip(after), '', after.kind === 'Secret')
  return { object, change: fields.length === 0 ? 'keep' : 'change', fields }
}

/** The change of an object that goes. */
export function toDeletion(object: KubeObject): Change {
  return { object: toObjectName(object), change: 'delete', fields: [] }
}

function strip({ status: _, metadata, ...rest }: KubeObject): object {
  const kept = Object.fromEntries(Object.entries(metadata).filter(([key]) => !KEPT.has(key)))
  return { ...rest, metadata: kept }
}

function compare(before: unknown, after: unknown, path: string, isSecret: boolean): readonly string[] {
  if (toCanonicalJson(before ?? null) === toCanonicalJson(after ?? null)) return []
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
    return keys.flatMap(key => compare(before[key], after[key], `${path}.${key}`, isSecret))
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return before.flatMap((item, index) => compare(item, after[index], `${path}[${index}]`, isSecret))
  // Values of secrets stand in no plan.
  return [isSecret ? path : `${path}: ${show(before)} → ${show(after)}`]
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`
}

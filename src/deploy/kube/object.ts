import { isObject, type JsonObject } from '../../core/json.ts'

/** An object as a cluster keeps it; what its kind adds stands beside `metadata`. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly [key: string]: unknown
}

/** The part of an object's metadata that regatta looks at. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly [key: string]: unknown
}

/** `Deployment/forecast-gateway`: names an object within its namespace, as people write it. */
export function toObjectName({ kind, metadata }: Pick<KubeObject, 'kind' | 'metadata'>): string {
  return `${kind}/${metadata.name}`
}

/** Reads what a cluster answered as an object; undefined for anything else. */
export function toKubeObject(value: unknown): KubeObject | undefined {
  if (!isObject(value) || typeof value['kind'] !== 'string' || typeof value['apiVersion'] !== 'string') return undefined
  const { metadata } = value
  if (!isObject(metadata) || typeof metadata['name'] !== 'string') return undefined
  return value as unknown as KubeObject
}

/** The value at a path of keys, or undefined where the path ends before. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => {
    if (typeof key === 'number') return Array.isArray(inner) ? inner[key] : undefined
    return isObject(inner) ? inner[key] : undefined
  }, value)
}

/** The text at a path, or undefined. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = at(value, ...path)
  return typeof found === 'string' ? found : undefined
}

/** The number at a path, or 0. */
export function numberAt(value: unknown, ...path: readonly (string | number)[]): number {
  const found = at(value, ...path)
  return typeof found === 'number' ? found : 0
}

/** The objects of the list at a path; none where there is no list. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly JsonObject[] {
  const found = at(value, ...path)
  return Array.isArray(found) ? found.filter(isObject) : []
}

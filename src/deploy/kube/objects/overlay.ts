import type { OverlayConfig } from '../../../config/index.ts'
import { isObject, type JsonObject } from '../../../core/json.ts'
import { toKubeError } from '../errors.ts'
import type { Part } from '../labels.ts'
import type { KubeObject } from '../object.ts'

/** Keys by which the items of a list are told apart, the first that all items have. */
const MERGE_KEYS = ['name', 'containerPort', 'port', 'mountPath', 'topologyKey', 'key', 'ip'] as const
/** What regatta finds its objects by. */
const FIXED = ['apiVersion', 'kind', 'metadata.name', 'metadata.namespace', 'spec.selector', 'status'] as const

/** Lays the project's patches for a part over its objects. @throws KUBE_OVERLAY */
export function overlay(
  objects: readonly KubeObject[],
  part: Part,
  patches: readonly OverlayConfig[],
): readonly KubeObject[] {
  const ours = patches.filter(patch => patch.part === undefined || patch.part === part)
  return objects.map(object =>
    ours.filter(({ kind }) => kind === object.kind).reduce((merged, { patch }) => patchObject(merged, patch), object),
  )
}

/** Makes sure that every patch is for an object that a deployment has. @throws KUBE_OVERLAY */
export function checkOverlays(
  patches: readonly OverlayConfig[],
  kindsOf: Readonly<Record<Part, ReadonlySet<string>>>,
): void {
  for (const [index, { kind, part, patch }] of patches.entries()) {
    const parts = part === undefined ? (Object.keys(kindsOf) as Part[]) : [part]
    if (!parts.some(one => kindsOf[one].has(kind))) {
      const known = [...new Set(parts.flatMap(one => [...kindsOf[one]]))].sort().join(', ')
      throw toOverlayError(index, `a ${part ?? 'deployment'} has no ${kind}`, `Choose one of ${known}`)
    }
    const fixed = FIXED.find(path => hasPath(patch, path.split('.')))
    if (fixed !== undefined)
      throw toOverlayError(index, `${fixed} is what regatta finds its objects by`, `Leave ${fixed} out`)
  }
}

function hasPath(value: unknown, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true
  return isObject(value) && Object.hasOwn(value, key) && hasPath(value[key], rest)
}

function toOverlayError(index: number, what: string, fix: string): Error {
  return toKubeError('KUBE_OVERLAY', `Cannot lay overlay ${index} over the objects: ${what}`, {
    where: `regatta.yaml, key targets.kubernetes.overlay.${index}`,
    fix,
  })
}

function patchObject(object: KubeObject, patch: JsonObject): KubeObject {
  return merge(object, patch) as KubeObject
}

/**
 * Merges as Kubernetes' strategic merge does: mappings key by key, null removes, lists of named things by their names,
 * other lists are replaced. Source: kubernetes/community, "Strategic Merge Patch".
 */
export function merge(value: unknown, patch: unknown): unknown {
  if (Array.isArray(patch)) return mergeLists(value, patch)
  if (!isObject(patch)) return patch
  const merged: Record<string, unknown> = isObject(value) ? { ...value } : {}
  for (const [key, inner] of Object.entries(patch)) {
    if (inner === null) delete merged[key]
    else merged[key] = merge(merged[key], inner)
  }
  return merged
}

function mergeLists(value: unknown, patch: readonly unknown[]): unknown {
  const old: readonly unknown[] = Array.isArray(value) ? value : []
  const key = MERGE_KEYS.find(name =>
    [...old, ...patch].every(item => isObject(item) && ['string', 'number'].includes(typeof item[name])),
  )
  if (key === undefined) return patch
  const keyOf = (item: unknown): unknown => (isObject(item) ? item[key] : undefined)
  const kept = old.map(item => {
    const change = patch.find(one => keyOf(one) === keyOf(item))
    return change === undefined ? item : merge(item, change)
  })
  return [...kept, ...patch.filter(item => !old.some(one => keyOf(one) === keyOf(item)))]
}

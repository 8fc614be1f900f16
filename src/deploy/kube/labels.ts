/** What of a deployment an object belongs to. */
export type Part = 'server' | 'gateway' | 'control'

/** The label that tells which variant a pod runs. */
export const VARIANT = 'regatta.dev/variant'
/** The label of its id, which is unique. */
export const VARIANT_ID = 'regatta.dev/variant-id'
/** The label of what is kept of an image, with the beginning of its digest. */
export const IMAGE = 'regatta.dev/image'
const INSTANCE = 'app.kubernetes.io/instance'
const COMPONENT = 'app.kubernetes.io/component'
const MANAGED_BY = 'app.kubernetes.io/managed-by'

/** Labels by which the pods of a part are found; they never change. */
export function toSelector(name: string, part: Part, variant?: number): Readonly<Record<string, string>> {
  return {
    'app.kubernetes.io/name': 'regatta',
    [INSTANCE]: name,
    [COMPONENT]: part,
    ...(variant !== undefined && { [VARIANT_ID]: String(variant) }),
  }
}

/** Labels of an object. */
export function toLabels(name: string, part: Part): Readonly<Record<string, string>> {
  return {
    'app.kubernetes.io/name': 'regatta',
    [INSTANCE]: name,
    [MANAGED_BY]: 'regatta',
    [COMPONENT]: part,
  }
}

/** Finds every object that regatta made for a deployment. */
export function toOwnSelector(name: string): string {
  return `${MANAGED_BY}=regatta,${INSTANCE}=${name}`
}

/** Whether regatta made an object with these labels for this deployment. */
export function isOwn(name: string, labels: Readonly<Record<string, string>> | undefined): boolean {
  return labels?.[MANAGED_BY] === 'regatta' && labels[INSTANCE] === name
}

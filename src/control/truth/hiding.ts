import { isObject } from '../../core/json.ts'

/** Fields of a logged row that are left out, and those that are put in as digests, as lists of names. */
export interface HiddenFields {
  readonly drop: readonly (readonly string[])[]
  readonly hash: readonly (readonly string[])[]
}

/**
 * A logged row without the fields that shall not be stored. A name is a key of an object, or the place of an item in a
 * list, or holds for every item of a list of objects. What both are asked for is left out.
 */
export function hideFields(value: unknown, { drop, hash }: HiddenFields, toDigest: (text: string) => string): unknown {
  const hashed = hash.reduce(
    (row, path) => change(row, path, inner => toDigest(typeof inner === 'string' ? inner : JSON.stringify(inner))),
    value,
  )
  return drop.reduce((row, path) => change(row, path, () => undefined), hashed)
}

/** The value with another one at a path; undefined takes a key away, and an item's place is kept by null. */
function change(value: unknown, [name, ...rest]: readonly string[], toNew: (inner: unknown) => unknown): unknown {
  if (name === undefined) return toNew(value)
  if (Array.isArray(value)) {
    if (!/^\d+$/.test(name)) return value.map(item => change(item, [name, ...rest], toNew))
    return value.map((item, at) => (at === Number(name) ? (change(item, rest, toNew) ?? null) : item))
  }
  if (!isObject(value) || !Object.hasOwn(value, name)) return value
  const { [name]: inner, ...others } = value
  const next = change(inner, rest, toNew)
  return next === undefined ? others : { ...others, [name]: next }
}

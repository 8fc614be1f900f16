import { z } from 'zod'

/*
 * Every schema's message is what was wanted, as in "expected MESSAGE, found …".
 */

/** A whole number within bounds. */
export function whole(least: number, most = Number.MAX_SAFE_INTEGER) {
  const wanted =
    most === Number.MAX_SAFE_INTEGER ? `a whole number of ${least} or more` : `a whole number from ${least} to ${most}`
  return z.int(wanted).min(least, wanted).max(most, wanted)
}

/** Text of a pattern. */
export function text(wanted: string, pattern: RegExp, longest = 1000) {
  return z.string(wanted).regex(pattern, wanted).max(longest, `${wanted}, at most ${longest} characters`)
}

/** One of some words. */
export function oneOf<const values extends readonly [string, ...string[]]>(values: values) {
  return z.enum(values, `one of ${values.join(', ')}`)
}

/** A mapping of these keys and no others. */
export function section<shape extends z.ZodRawShape>(shape: shape) {
  return z.strictObject(shape, `a mapping with ${Object.keys(shape).join(', ')}`)
}

import * as z from 'zod'

/*
 * The JSON of control's API, version 1 (`/api/v1`): the page, the CLI and other people's programs read what is in this
 * folder and nothing else of control. Instants are ISO 8601 strings, durations are in the unit of their name. Beside each
 * type stands its shape: requests are parsed with it, answers are described by it, and its annotation makes the compiler
 * compare the two.
 */

/** An instant, ISO 8601. */
export const instant = z.iso.datetime()

/** A share, 0–1. */
export const fraction = z.number().min(0).max(1)

/** A number of things. */
export const count = z.int().min(0)

/** The digest of a manifest or a blob. */
export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)

/** The parameters of a run. */
export const params = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

/** A text that is not too long. */
export const shortText = z.string().meta({ minLength: 1, maxLength: 1000 })

/** What a variant is for. */
export const role = z.enum(['champion', 'split', 'shadow', 'standby'])

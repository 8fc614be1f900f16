import * as z from 'zod'
import { count, shortText } from './parts.ts'

/**
 * `POST /truth`: one TruthJson or a JSON array of them, all or nothing; or NDJSON of any length, which is stored in
 * parts as it arrives. With `on-error=skip` items that are wrong are left out.
 */
export type TruthJson = {
  readonly value: number | string | boolean | readonly number[]
  readonly revision?: number
  readonly source?: string
} & ({ readonly prediction: string } | { readonly series: string; readonly at: string | number })

/** Truths by what became of them. */
export interface TruthCountsJson {
  readonly new: number
  readonly duplicate: number
  readonly revised: number
  readonly stale: number
  readonly conflict: number
  readonly orphan: number
}

/** The answer to `POST /truth`. */
export interface TruthResponseJson extends TruthCountsJson {
  readonly schema: 'regatta/truth/v1'
  /** Items that were wrong and left out (`on-error=skip`), and the first of them, at most 1000. */
  readonly refused: number
  readonly problems: readonly TruthProblemJson[]
}

/** An item that was wrong: `truth 3` of a JSON array, counted from 0, or `line 4` of NDJSON, counted from 1. */
export interface TruthProblemJson {
  readonly place: string
  readonly message: string
}

const truthShared = {
  value: z.union([z.number(), z.string(), z.boolean(), z.array(z.number())]),
  revision: z.exactOptional(count),
  source: z.exactOptional(shortText),
}

/** The shape of TruthJson. */
export const truth: z.ZodType<TruthJson> = z.union([
  z.strictObject({ prediction: z.string(), ...truthShared }),
  z.strictObject({ series: shortText, at: z.union([z.string(), z.number()]), ...truthShared }),
])

/** The shape of TruthCountsJson. */
export const truthCounts = z.object({
  new: count,
  duplicate: count,
  revised: count,
  stale: count,
  conflict: count,
  orphan: count,
})

/** The shape of TruthResponseJson. */
export const truthsTaken: z.ZodType<TruthResponseJson> = truthCounts.extend({
  schema: z.literal('regatta/truth/v1'),
  refused: count,
  problems: z.array(z.object({ place: z.string(), message: z.string() })),
})

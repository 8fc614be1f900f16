import * as z from 'zod'
import type { VerdictState } from '../../judge/index.ts'
import { count, fraction, instant } from './parts.ts'

/** What a race says now. */
export interface VerdictJson {
  readonly state: VerdictState
  readonly reason: string
  /** Improvement of B over A in units of the loss, and its confidence sequence. */
  readonly estimate: number | null
  readonly lower: number | null
  readonly upper: number | null
  readonly se: number | null
  readonly labels: number
  readonly p: number
  readonly logE: number
  readonly gates: readonly { readonly name: string; readonly passed: boolean; readonly detail: string }[]
}

/** A verdict as it was written down. */
export interface DecisionJson extends VerdictJson {
  readonly at: string
  /** Digest of the race's rule; empty of a decision from before it was written down. */
  readonly spec: string
  /** Truths that had changed something by then. */
  readonly truthRevision: number
}

/** `GET /api/v1/race/series`: the improvement and its confidence sequence as labels came, at most 400 points. */
export interface RaceSeriesJson {
  readonly schema: 'regatta/race-series/v1'
  readonly race: number
  readonly points: readonly RacePointJson[]
}

/** What a race said at so many labels. */
export interface RacePointJson {
  /** Labels that counted. */
  readonly n: number
  /** Null for labels that came before control started: their order is then that of the times predicted for. */
  readonly at: string | null
  readonly estimate: number
  readonly lower: number | null
  readonly upper: number | null
}

/** The words of a verdict. */
export const verdictState = z.enum(['warming-up', 'keep-racing', 'promote-B', 'keep-A', 'equivalent', 'inconclusive'])

/** The shape of VerdictJson. */
export const verdict = z.object({
  state: verdictState,
  reason: z.string(),
  estimate: z.nullable(z.number()),
  lower: z.nullable(z.number()),
  upper: z.nullable(z.number()),
  se: z.nullable(z.number()),
  labels: count,
  p: fraction,
  logE: z.number(),
  gates: z.array(z.object({ name: z.string(), passed: z.boolean(), detail: z.string() })),
})

/** The shape of DecisionJson. */
export const decision = verdict.extend({ at: instant, spec: z.string(), truthRevision: count })

/** The shape of RaceSeriesJson. */
export const raceSeries: z.ZodType<RaceSeriesJson> = z.object({
  schema: z.literal('regatta/race-series/v1'),
  race: z.int(),
  points: z.array(
    z.object({
      n: count,
      at: z.nullable(instant),
      estimate: z.number(),
      lower: z.nullable(z.number()),
      upper: z.nullable(z.number()),
    }),
  ),
})

import * as z from 'zod'
import type { PredictedValue } from '../../core/wire/records.ts'
import { count, digest, fraction, instant, params } from './parts.ts'

/** A line of `GET /api/v1/races/ID/outcomes`: one variant's prediction of one row, joined to its truth. */
export interface OutcomeJson {
  readonly request: string
  readonly row: number
  readonly variant: string
  readonly version: number
  readonly at: string
  readonly series: string | null
  readonly targetAt: string | null
  readonly prediction: PredictedValue
  readonly truth: PredictedValue
  /** Null where the truth gives none. */
  readonly loss: number | null
  /** The client got this answer. */
  readonly served: boolean
  /** Probability with which the variant was chosen, 0–1. */
  readonly propensity: number
  readonly epoch: number
  /** The row of the request and that of the answer; null where they are not logged (`race.log`), or too long. */
  readonly input: unknown
  readonly output: unknown
  /** A digest of whom the prediction is for. */
  readonly entity: string | null
  /** What was known before and goes with the loss. */
  readonly covariate: number | null
  /** Chance did not choose the variant. */
  readonly pinned: boolean
  /** The variant is the champion of this race. */
  readonly champion: boolean
}

/** `GET /api/v1/predictions/ID` */
export interface TraceJson {
  readonly schema: 'regatta/trace/v1'
  readonly prediction: string
  readonly at: string
  /** The served answer first, then the shadows'. */
  readonly answers: readonly TraceAnswerJson[]
  readonly truth: { readonly value: unknown; readonly revision: number } | null
}

/** What one variant answered, and where that comes from. */
export interface TraceAnswerJson {
  readonly variant: string
  readonly served: boolean
  readonly version: number
  readonly replica: string
  readonly prediction: unknown
  readonly loss: number | null
  readonly latencyMs: number
  readonly image: string
  /** Digest of the run record; null for a model that was packed with --model. */
  readonly run: string | null
  readonly runId: string | null
  readonly params: Readonly<Record<string, string | number | boolean>>
  readonly data: readonly { readonly path: string; readonly digest: string }[]
  readonly git: { readonly commit: string; readonly dirty: boolean } | null
}

const predicted = z.union([z.number(), z.string(), z.boolean(), z.array(z.number())])

/** The shape of OutcomeJson. */
export const outcome: z.ZodType<OutcomeJson> = z.object({
  request: z.string(),
  row: count,
  variant: z.string(),
  version: z.int(),
  at: instant,
  series: z.nullable(z.string()),
  targetAt: z.nullable(instant),
  prediction: predicted,
  truth: predicted,
  loss: z.nullable(z.number()),
  served: z.boolean(),
  propensity: fraction,
  epoch: count,
  input: z.unknown(),
  output: z.unknown(),
  entity: z.nullable(z.string()),
  covariate: z.nullable(z.number()),
  pinned: z.boolean(),
  champion: z.boolean(),
})

/** The shape of TraceJson. */
export const trace: z.ZodType<TraceJson> = z.object({
  schema: z.literal('regatta/trace/v1'),
  prediction: z.string(),
  at: instant,
  answers: z.array(
    z.object({
      variant: z.string(),
      served: z.boolean(),
      version: z.int(),
      replica: z.string(),
      prediction: z.unknown(),
      loss: z.nullable(z.number()),
      latencyMs: z.number(),
      image: digest,
      run: z.nullable(z.string()),
      runId: z.nullable(z.string()),
      params,
      data: z.array(z.object({ path: z.string(), digest: z.string() })),
      git: z.nullable(z.object({ commit: z.string(), dirty: z.boolean() })),
    }),
  ),
  truth: z.nullable(z.object({ value: z.unknown(), revision: count })),
})

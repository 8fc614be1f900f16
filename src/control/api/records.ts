import * as z from 'zod'
import { count, digest, fraction, role } from './parts.ts'

/** The answer to `POST /api/v1/records`: records that were new, and those of them whose truth was here already. */
export interface RecordsResponseJson {
  readonly schema: 'regatta/records-stored/v1'
  readonly added: number
  readonly joined: number
}

/** Sent by gateways and checked by `parseRecordBatch`; here only what a reader of the description needs. */
export const recordBatch = z.object({
  schema: z.literal('regatta/records/v1'),
  gateway: z.string(),
  dropped: count,
  records: z.array(z.looseObject({ request: z.string(), at: z.number(), variant: z.int(), epoch: count })),
})

/** The shape of RecordsResponseJson. */
export const recordsStored: z.ZodType<RecordsResponseJson> = z.object({
  schema: z.literal('regatta/records-stored/v1'),
  added: count,
  joined: count,
})

/** Read by gateways with `parseRoutes`; here for readers of the description. */
export const routes = z.object({
  schema: z.literal('regatta/routes/v1'),
  deployment: z.string(),
  epoch: count,
  variants: z.array(
    z.object({
      id: z.int(),
      name: z.string(),
      version: z.int(),
      digest,
      role,
      weight: fraction,
      replicas: z.array(z.object({ name: z.string(), url: z.string(), grpcUrl: z.string().optional() })),
    }),
  ),
  capture: z.object({
    prediction: z.exactOptional(z.string()),
    series: z.exactOptional(z.string()),
    at: z.exactOptional(z.string()),
    entity: z.exactOptional(z.string()),
    covariate: z.exactOptional(z.string()),
    sample: z.exactOptional(fraction),
    log: z.exactOptional(z.enum(['outputs', 'inputs'])),
  }),
})

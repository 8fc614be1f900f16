import * as z from 'zod'
import { count, digest, role } from './parts.ts'
import type { VariantJson } from './status.ts'

/** `POST /api/v1/deploy`: answers when the plan is accepted; `status` and `events` tell when it is ready. */
export interface DeployRequestJson {
  readonly version: number
  readonly digest: string
  /** The variant's name; absent: the champion's (a new deployment calls it `race.champion` or "a"). */
  readonly variant?: string
  /** Absent: the version becomes or replaces the champion. */
  readonly challenger?:
    | { readonly mode: 'shadow' }
    | { readonly mode: 'split'; readonly weight: number }
    | { readonly mode: 'ramp' }
}

/** The answer to `POST /api/v1/deploy`. */
export interface DeployResponseJson {
  readonly schema: 'regatta/deploy/v1'
  readonly variant: string
  readonly version: number
  readonly digest: string
  readonly role: VariantJson['role']
  readonly epoch: number
  /** False where exactly this already ran. */
  readonly changed: boolean
}

/** `POST /api/v1/promote` (`{variant?}`; absent: the only challenger) and `POST /api/v1/rollback` (`{}`) */
export interface PromoteResponseJson {
  readonly schema: 'regatta/promote/v1'
  readonly champion: string
  readonly version: number
  readonly previous: string
  readonly epoch: number
}

/** `DELETE /api/v1/deployment`: answers when everything has stopped. */
export interface DeleteResponseJson {
  readonly schema: 'regatta/delete/v1'
  readonly deployment: string
  /** False where nothing was deployed. */
  readonly deleted: boolean
}

/** Told to readers of the description; whoever reads the name says better what is wrong with it. */
export const variantName = z.string().meta({ pattern: '^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$' })

/** The shape of DeployRequestJson. */
export const deployRequest: z.ZodType<DeployRequestJson> = z.strictObject({
  version: z.int().min(1),
  digest,
  variant: z.exactOptional(variantName),
  challenger: z.exactOptional(
    z.discriminatedUnion('mode', [
      z.strictObject({ mode: z.literal('shadow') }),
      z.strictObject({ mode: z.literal('split'), weight: z.number().gt(0).lt(1) }),
      z.strictObject({ mode: z.literal('ramp') }),
    ]),
  ),
})

/** The shape of DeployResponseJson. */
export const deployed: z.ZodType<DeployResponseJson> = z.object({
  schema: z.literal('regatta/deploy/v1'),
  variant: z.string(),
  version: z.int(),
  digest,
  role,
  epoch: count,
  changed: z.boolean(),
})

/** The shape of PromoteResponseJson. */
export const promoted: z.ZodType<PromoteResponseJson> = z.object({
  schema: z.literal('regatta/promote/v1'),
  champion: z.string(),
  version: z.int(),
  previous: z.string(),
  epoch: count,
})

/** The shape of DeleteResponseJson. */
export const deleted: z.ZodType<DeleteResponseJson> = z.object({
  schema: z.literal('regatta/delete/v1'),
  deployment: z.string(),
  deleted: z.boolean(),
})

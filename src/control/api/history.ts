import * as z from 'zod'
import { count, digest, fraction, instant, role } from './parts.ts'

/** `GET /api/v1/history`: the changes of the deployment, the newest first. */
export interface HistoryJson {
  readonly schema: 'regatta/history/v1'
  readonly changes: readonly ChangeJson[]
}

/** A change of the deployment. */
export interface ChangeJson {
  /** Number of the routes that came of it. */
  readonly epoch: number
  readonly at: string
  /** `step` and `withdraw` are what control does about a race; `restore`: control took up what the target had on record. */
  readonly kind: 'deploy' | 'promote' | 'rollback' | 'step' | 'withdraw' | 'delete' | 'restore'
  /** Who asked for it, as they call themselves; `control` where nobody did. */
  readonly by: string
  /** Why, in the words of who asked; empty where none were given. */
  readonly reason: string
  /** What was in the routes from then on. */
  readonly variants: readonly {
    readonly name: string
    readonly version: number
    readonly digest: string
    readonly role: 'champion' | 'standby' | 'shadow' | 'split'
    /** Share of the requests, 0–1. */
    readonly weight: number
  }[]
}

/** The shape of HistoryJson. */
export const history: z.ZodType<HistoryJson> = z.object({
  schema: z.literal('regatta/history/v1'),
  changes: z.array(
    z.object({
      epoch: count,
      at: instant,
      kind: z.enum(['deploy', 'promote', 'rollback', 'step', 'withdraw', 'delete', 'restore']),
      by: z.string(),
      reason: z.string(),
      variants: z.array(z.object({ name: z.string(), version: z.int(), digest, role, weight: fraction })),
    }),
  ),
})

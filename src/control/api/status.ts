import * as z from 'zod'
import type { VerdictState } from '../../judge/index.ts'
import { count, digest, fraction, instant, role } from './parts.ts'
import { ended, type GuardrailJson, guardrails, type RaceEventJson, type RaceJson, raceEvent } from './race.ts'
import { verdictState } from './verdict.ts'

/** `GET /api/v1/status` */
export interface StatusJson {
  readonly schema: 'regatta/status/v1'
  readonly deployment: string
  readonly target: 'local' | 'kubernetes'
  readonly epoch: number
  /** Every wanted replica is ready. */
  readonly ready: boolean
  readonly gateway: {
    readonly url: string | null
    readonly grpcUrl: string | null
    readonly process: ProcessJson
    readonly droppedRecords: number
  }
  readonly variants: readonly VariantJson[]
  /** The races that run, or the last one where none does, as they were last looked at. */
  readonly races: readonly RaceSummaryJson[]
}

/** A race on one line. */
export interface RaceSummaryJson {
  readonly race: number
  readonly champion: string
  readonly challenger: string
  readonly state: VerdictState
  readonly reason: string
  readonly ended: RaceJson['ended']
  readonly guardrails: readonly GuardrailJson[]
  /** What was last done about it by itself; null where nothing was. */
  readonly lastEvent: RaceEventJson | null
}

/** A variant of the deployment. */
export interface VariantJson {
  readonly name: string
  readonly version: number
  readonly digest: string
  readonly role: 'champion' | 'split' | 'shadow' | 'standby'
  /** 0–1 */
  readonly weight: number
  /** In the routes; false while its first replicas load. */
  readonly live: boolean
  readonly wantedReplicas: number
  readonly replicas: readonly ProcessJson[]
}

/** The gateway, or a replica. */
export interface ProcessJson {
  readonly name: string
  readonly state: 'starting' | 'ready' | 'failing' | 'stopping'
  readonly since: string
  readonly pid: number | null
  readonly restarts: number
  /** Stable code and sentence of a `failing` process, or of a `ready` replica that performs poorly. */
  readonly code: string | null
  readonly reason: string | null
}

const processJson = z.object({
  name: z.string(),
  state: z.enum(['starting', 'ready', 'failing', 'stopping']),
  since: instant,
  pid: z.nullable(z.int()),
  restarts: count,
  code: z.nullable(z.string()),
  reason: z.nullable(z.string()),
})

/** The shape of StatusJson. */
export const status: z.ZodType<StatusJson> = z.object({
  schema: z.literal('regatta/status/v1'),
  deployment: z.string(),
  target: z.enum(['local', 'kubernetes']),
  epoch: count,
  ready: z.boolean(),
  gateway: z.object({
    url: z.nullable(z.string()),
    grpcUrl: z.nullable(z.string()),
    process: processJson,
    droppedRecords: count,
  }),
  variants: z.array(
    z.object({
      name: z.string(),
      version: z.int(),
      digest,
      role,
      weight: fraction,
      live: z.boolean(),
      wantedReplicas: count,
      replicas: z.array(processJson),
    }),
  ),
  races: z.array(
    z.object({
      race: z.int(),
      champion: z.string(),
      challenger: z.string(),
      state: verdictState,
      reason: z.string(),
      ended,
      guardrails,
      lastEvent: z.nullable(raceEvent),
    }),
  ),
})

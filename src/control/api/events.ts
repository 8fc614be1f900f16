import * as z from 'zod'
import type { RaceEventJson, RaceJson } from './race.ts'
import type { StatusJson } from './status.ts'
import type { VerdictJson } from './verdict.ts'

/** Server-sent events of `GET /api/v1/events`: `event:` is the kind, `data:` the JSON. */
export type EventJson =
  | { readonly kind: 'status'; readonly status: StatusJson }
  | { readonly kind: 'race'; readonly race: RaceJson }
  | { readonly kind: 'decision'; readonly race: number; readonly verdict: VerdictJson }
  | { readonly kind: 'race-event'; readonly race: number; readonly event: RaceEventJson }

/** Every error of the API. */
export interface ErrorJson {
  readonly error: { readonly code: string; readonly message: string; readonly fix: string | null }
}

/** The shape of ErrorJson. */
export const error: z.ZodType<ErrorJson> = z.object({
  error: z.object({ code: z.string(), message: z.string(), fix: z.nullable(z.string()) }),
})

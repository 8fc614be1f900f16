import * as z from 'zod'
import { deleted, deployed, deployRequest, promoted, variantName } from './commands.ts'
import { error } from './events.ts'
import { history } from './history.ts'
import { outcome, trace } from './outcomes.ts'
import { count, digest } from './parts.ts'
import { race, races } from './race.ts'
import { recordBatch, recordsStored, routes } from './records.ts'
import { status } from './status.ts'
import { truth, truthsTaken } from './truth.ts'
import { raceSeries } from './verdict.ts'

/** Every document of the API by the name that its description uses. */
export const SCHEMAS = {
  Status: status,
  DeployRequest: deployRequest,
  Deployed: deployed,
  Blob: z.object({ schema: z.literal('regatta/blob/v1'), digest, size: count }),
  PromoteRequest: z.strictObject({ variant: z.exactOptional(variantName) }),
  Promoted: promoted,
  RollbackRequest: z.strictObject({}),
  Deleted: deleted,
  History: history,
  Race: race,
  Races: races,
  RaceSeries: raceSeries,
  Truths: z.union([truth, z.array(truth)]),
  TruthsTaken: truthsTaken,
  RecordBatch: recordBatch,
  RecordsStored: recordsStored,
  Routes: routes,
  Outcome: outcome,
  Trace: trace,
  Health: z.object({ status: z.enum(['ok', 'unavailable']), reason: z.exactOptional(z.string()) }),
  Error: error,
} as const

/** Name of a document of the API. */
export type SchemaName = keyof typeof SCHEMAS

/** The documents as JSON Schema 2020-12, which refer to each other under `#/components/schemas/`. */
export function toJsonSchemas(): Readonly<Record<string, object>> {
  const registry = z.registry<{ readonly id: string }>()
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, { uri: id => `#/components/schemas/${id}`, io: 'input' })
  return Object.fromEntries(Object.entries(schemas).map(([id, { $schema: _, $id: __, ...schema }]) => [id, schema]))
}

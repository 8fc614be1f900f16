import * as z from 'zod'
import type {
  DeleteResponseJson,
  DeployRequestJson,
  DeployResponseJson,
  ErrorJson,
  OutcomeJson,
  PromoteResponseJson,
  RaceJson,
  RaceSeriesJson,
  RacesJson,
  RecordsResponseJson,
  StatusJson,
  TraceJson,
  TruthJson,
  TruthResponseJson,
} from './api.ts'

/*
 * The shapes of the API's documents, once: requests are parsed with them, answers are described by them. The
 * annotations make the compiler compare each with its type in api.ts.
 */

const instant = z.iso.datetime()
const fraction = z.number().min(0).max(1)
const count = z.int().min(0)
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
const params = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
/** Told to readers of the description; whoever reads the name says better what is wrong with it. */
const variantName = z.string().meta({ pattern: '^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$' })
const shortText = z.string().meta({ minLength: 1, maxLength: 1000 })
const role = z.enum(['champion', 'split', 'shadow', 'standby'])

const processJson = z.object({
  name: z.string(),
  state: z.enum(['starting', 'ready', 'failing', 'stopping']),
  since: instant,
  pid: z.nullable(z.int()),
  restarts: count,
  code: z.nullable(z.string()),
  reason: z.nullable(z.string()),
})

const ended = z.nullable(
  z.object({ at: instant, how: z.enum(['promoted', 'replaced', 'deleted', 'stopped', 'spent']) }),
)
const verdictState = z.enum(['warming-up', 'keep-racing', 'promote-B', 'keep-A', 'equivalent', 'inconclusive'])
const guardrails = z.array(
  z.object({ name: z.string(), state: z.enum(['watching', 'quiet', 'breached']), detail: z.string() }),
)
const raceEvent = z.object({
  at: instant,
  kind: z.enum(['step', 'stopped', 'spent', 'promoted']),
  detail: z.string(),
})

const status: z.ZodType<StatusJson> = z.object({
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

const deployRequest: z.ZodType<DeployRequestJson> = z.strictObject({
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

const deployed: z.ZodType<DeployResponseJson> = z.object({
  schema: z.literal('regatta/deploy/v1'),
  variant: z.string(),
  version: z.int(),
  digest,
  role,
  epoch: count,
  changed: z.boolean(),
})

const promoted: z.ZodType<PromoteResponseJson> = z.object({
  schema: z.literal('regatta/promote/v1'),
  champion: z.string(),
  version: z.int(),
  previous: z.string(),
  epoch: count,
})

const deleted: z.ZodType<DeleteResponseJson> = z.object({
  schema: z.literal('regatta/delete/v1'),
  deployment: z.string(),
  deleted: z.boolean(),
})

const truthCounts = z.object({
  new: count,
  duplicate: count,
  revised: count,
  stale: count,
  conflict: count,
  orphan: count,
})

const verdict = z.object({
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

const race: z.ZodType<RaceJson> = z.object({
  schema: z.literal('regatta/race/v1'),
  race: z.int(),
  startedAt: instant,
  ended,
  task: z.string(),
  loss: z.string(),
  design: z.enum(['paired', 'split', 'epochs', 'clustered', 'adjusted', 'dependent', 'bounded']),
  maturityMs: count,
  alpha: fraction,
  comparisons: z.int().min(1),
  variants: z.array(
    z.object({
      name: z.string(),
      version: z.int(),
      digest,
      role: z.enum(['A', 'B']),
      params,
      predictions: count,
      labels: count,
      meanLoss: z.nullable(z.number()),
      maturity: z.object({
        ...{ predictions: count, labelled: count, missing: count },
        provisional: z.object({ labels: count, meanLoss: z.nullable(z.number()) }),
      }),
      lateness: z.nullable(z.object({ medianMs: z.number(), p95Ms: z.number() })),
    }),
  ),
  verdict,
  guardrails,
  ramp: z.nullable(z.object({ steps: z.array(fraction), weight: fraction, waitsFor: z.nullable(z.string()) })),
  events: z.array(raceEvent),
  truths: truthCounts,
  refused: count,
  decision: z.nullable(verdict.extend({ at: instant, spec: z.string(), truthRevision: count })),
  drift: z.boolean(),
  outlook: z.nullable(
    z.object({
      gain: z.number(),
      from: z.enum(['min-gain', 'estimate']),
      labels: z.object({ low: count, high: z.nullable(count) }),
      labelsPerDay: z.nullable(z.number()),
      expected: z.object({ from: z.nullable(instant), to: z.nullable(instant) }),
    }),
  ),
  notes: z.array(z.object({ name: z.string(), detail: z.string() })),
})

const races: z.ZodType<RacesJson> = z.object({ schema: z.literal('regatta/races/v1'), races: z.array(race) })

const raceSeries: z.ZodType<RaceSeriesJson> = z.object({
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

const truthShared = {
  value: z.union([z.number(), z.string(), z.boolean(), z.array(z.number())]),
  revision: z.exactOptional(count),
  source: z.exactOptional(shortText),
}
const truth: z.ZodType<TruthJson> = z.union([
  z.strictObject({ prediction: z.string(), ...truthShared }),
  z.strictObject({ series: shortText, at: z.union([z.string(), z.number()]), ...truthShared }),
])

const truthsTaken: z.ZodType<TruthResponseJson> = truthCounts.extend({
  schema: z.literal('regatta/truth/v1'),
  refused: count,
  problems: z.array(z.object({ place: z.string(), message: z.string() })),
})

const recordsStored: z.ZodType<RecordsResponseJson> = z.object({
  schema: z.literal('regatta/records-stored/v1'),
  added: count,
  joined: count,
})

/** Sent by gateways and checked by `parseRecordBatch`; here only what a reader of the description needs. */
const recordBatch = z.object({
  schema: z.literal('regatta/records/v1'),
  gateway: z.string(),
  dropped: count,
  records: z.array(z.looseObject({ request: z.string(), at: z.number(), variant: z.int(), epoch: count })),
})

const routes = z.object({
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

const predicted = z.union([z.number(), z.string(), z.boolean(), z.array(z.number())])

const outcome: z.ZodType<OutcomeJson> = z.object({
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

const trace: z.ZodType<TraceJson> = z.object({
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

const error: z.ZodType<ErrorJson> = z.object({
  error: z.object({ code: z.string(), message: z.string(), fix: z.nullable(z.string()) }),
})

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

import { toChecks } from './checks.ts'

/** The largest size of a covariate: a larger one could not be squared and summed. */
export const MAX_COVARIATE = 1e140

/** What one variant answered to one request: the unit that gateways send to control, in batches. */
export interface PredictionRecord {
  /** The request's UUIDv7; with a row's number it is the prediction's id. */
  readonly request: string
  /** When the request arrived, epoch ms. */
  readonly at: number
  /** `RouteVariant.id`, and the epoch of the routes that chose it. */
  readonly variant: number
  readonly epoch: number
  /** True for the answer the client got, false for a shadow's. */
  readonly served: boolean
  /** Probability with which this variant was chosen to serve, 0–1 (1 for shadows). */
  readonly propensity: number
  /**
   * True where chance did not choose the variant: the request named a version, or the chosen variant could not
   * answer and the champion did. Left out of split comparisons; absent otherwise.
   */
  readonly pinned?: true
  /** HTTP status of the answer; 0 where none came. */
  readonly status: number
  /** From the forwarding of the request to the end of the answer, microseconds. */
  readonly latencyUs: number
  readonly replica: string
  /** Why there is no prediction although the request was made; absent where there is one. */
  readonly error?: string
  readonly entity?: string
  /** One item per row of the batch; empty where the answer was an error. */
  readonly rows: readonly RecordRow[]
}

/** One row's prediction, and what it is a prediction of. */
export interface RecordRow {
  /**
   * The predicted value: a number, a class label, or an array of numbers (class probabilities). A number that is not finite,
   * alone or among others, is told by its name ("NaN"), of which no loss can be computed.
   */
  readonly prediction: PredictedValue
  readonly series?: string
  /** The time the prediction is for, epoch ms. */
  readonly at?: number
  /** Whom the row is for, where the rows of one request are for several. */
  readonly entity?: string
  /** A number that was known before any variant answered and goes with the loss, such as last week's error. */
  readonly covariate?: number
  /** The row of the request and that of the answer as they were, where `race.log` asks for them. */
  readonly input?: unknown
  readonly output?: unknown
}

/** A prediction or a truth: a number, a label, or the probabilities of classes. */
export type PredictedValue = number | string | boolean | readonly number[]

/** One batch from one gateway. Control answers 200 when all of it is stored; a batch may come twice. */
export interface RecordBatch {
  readonly schema: 'regatta/records/v1'
  readonly gateway: string
  /** Records this gateway had to drop since it started (its spool was full). */
  readonly dropped: number
  /** Epoch of the routes in force; a new one is told at once, in a batch without records if need be. Absent before the first. */
  readonly epoch?: number
  readonly records: readonly PredictionRecord[]
}

const check = toChecks('RECORDS', 'records')
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const RECORD_KEYS = [
  'request',
  'at',
  'variant',
  'epoch',
  'served',
  'propensity',
  'pinned',
  'status',
  'latencyUs',
  'replica',
  'error',
  'entity',
  'rows',
]

/** Reads a batch of records. @throws RECORDS */
export function parseRecordBatch(value: unknown): RecordBatch {
  const fields = check.object(value, 'the batch', ['schema', 'gateway', 'dropped', 'epoch', 'records'])
  return {
    schema: check.oneOf(fields['schema'], 'schema', ['regatta/records/v1']),
    gateway: check.string(fields['gateway'], 'gateway'),
    dropped: check.integer(fields['dropped'], 'dropped', 0),
    ...(fields['epoch'] === undefined ? {} : { epoch: check.integer(fields['epoch'], 'epoch', 0) }),
    records: check
      .array(fields['records'], 'records')
      .map((item, index) => parsePredictionRecord(item, `records[${index}]`)),
  }
}

/** Reads one record; `path` names it in errors. @throws RECORDS */
export function parsePredictionRecord(value: unknown, path = 'the record'): PredictionRecord {
  const fields = check.object(value, path, RECORD_KEYS)
  const { error, entity } = fields
  const pinned = fields['pinned'] !== undefined && check.boolean(fields['pinned'], `${path}.pinned`)
  const request = check.string(fields['request'], `${path}.request`)
  if (!UUID.test(request)) check.fail(`${path}.request`, 'a UUID in lower case', request)
  return {
    request,
    at: check.integer(fields['at'], `${path}.at`, 0),
    variant: check.integer(fields['variant'], `${path}.variant`, 0),
    epoch: check.integer(fields['epoch'], `${path}.epoch`, 0),
    served: check.boolean(fields['served'], `${path}.served`),
    propensity: check.number(fields['propensity'], `${path}.propensity`, 0, 1),
    ...(pinned ? { pinned } : {}),
    status: check.integer(fields['status'], `${path}.status`, 0),
    latencyUs: check.number(fields['latencyUs'], `${path}.latencyUs`, 0),
    replica: check.string(fields['replica'], `${path}.replica`),
    ...(error === undefined ? {} : { error: check.string(error, `${path}.error`) }),
    ...(entity === undefined ? {} : { entity: check.string(entity, `${path}.entity`) }),
    rows: check.array(fields['rows'], `${path}.rows`).map((row, index) => parseRow(row, `${path}.rows[${index}]`)),
  }
}

function parseRow(value: unknown, path: string): RecordRow {
  const fields = check.object(value, path, ['prediction', 'series', 'at', 'entity', 'covariate', 'input', 'output'])
  const { prediction, series, at, entity, covariate, input, output } = fields
  return {
    prediction: isPredictedValue(prediction)
      ? prediction
      : check.fail(`${path}.prediction`, 'a number, a string, true, false or an array of numbers', prediction),
    ...(series === undefined ? {} : { series: check.string(series, `${path}.series`) }),
    ...(at === undefined ? {} : { at: check.integer(at, `${path}.at`) }),
    ...(entity === undefined ? {} : { entity: check.string(entity, `${path}.entity`) }),
    ...(covariate === undefined
      ? {}
      : { covariate: check.number(covariate, `${path}.covariate`, -MAX_COVARIATE, MAX_COVARIATE) }),
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
  }
}

/** Whether a value can be a prediction or a truth: a finite number, a string, a boolean, or an array of finite numbers. */
export function isPredictedValue(value: unknown): value is PredictedValue {
  if (Array.isArray(value)) return value.every(item => Number.isFinite(item))
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}

import { UsageError } from '../../core/errors.ts'
import { parseInstant } from '../../core/instant.ts'
import { isObject } from '../../core/json.ts'
import { findNearest } from '../../core/nearest.ts'
import { isPredictedValue } from '../../core/wire/records.ts'
import { type LossSpec, type LossTerms, toLossTerms } from '../sums/loss.ts'
import { type Draw, isExported, parseExported } from './exported.ts'

/** One variant's answer to one request, as a file of outcomes has it. */
export interface OutcomeRow {
  readonly request: string
  readonly variant: string
  /** Undefined: predicted, but the truth is not here. */
  readonly terms: LossTerms | undefined
  /** Whether the loss stands in the row, so that nobody knows what kind it is. */
  readonly given: boolean
  readonly entity: string | undefined
  /** Series and time that the prediction is for; epoch ms. */
  readonly series: string | undefined
  readonly at: number | undefined
  readonly epoch: string | undefined
  /** Weights of the variants by name; they need not sum to 1. */
  readonly weights: Readonly<Record<string, number>> | undefined
  /** What was known before and foretells the loss. */
  readonly covariate: number | undefined
  /** Of a row that `regatta export` wrote; undefined: chance chose the variant. */
  readonly draw: Draw | undefined
}

const KEYS = [
  ...['request', 'variant', 'loss', 'prediction', 'truth'],
  ...['entity', 'series', 'at', 'epoch', 'weights', 'covariate'],
]
/** A larger loss could not be squared and summed. */
const MAX_LOSS = 1e140

/**
 * Reads one row, of the form that somebody kept or as `regatta export` wrote it, and scores its prediction where the
 * loss does not stand there. @throws OUTCOME_ROW, INSTANT
 */
export function parseOutcomeRow(value: unknown, loss: LossSpec): OutcomeRow {
  if (!isObject(value)) return fail('row', 'an object such as {"request": "1", "variant": "a", "loss": 0.5}', value)
  if (!isExported(value)) return parseKeptRow(value, loss, undefined)
  const { kept, draw } = parseExported(value)
  return parseKeptRow(kept, loss, draw)
}

function parseKeptRow(value: Readonly<Record<string, unknown>>, loss: LossSpec, draw: Draw | undefined): OutcomeRow {
  for (const key of Object.keys(value)) if (!KEYS.includes(key)) failUnknown(key)
  const { at, covariate, epoch, series, weights } = value
  const entity = value['entity'] ?? undefined
  return {
    request: parseText(value['request'], 'request'),
    variant: parseText(value['variant'], 'variant'),
    terms: parseTerms(value, loss, draw !== undefined),
    given: value['loss'] !== undefined,
    entity: entity === undefined ? undefined : parseText(entity, 'entity'),
    series: series === undefined ? undefined : parseText(series, 'series'),
    at: at === undefined ? undefined : parseInstant(at),
    epoch: epoch === undefined ? undefined : parseEpoch(epoch),
    weights: weights === undefined ? undefined : parseWeights(weights),
    covariate: covariate === undefined ? undefined : parseNumber(covariate, 'covariate'),
    draw,
  }
}

/** A live race leaves out what its loss cannot score; what somebody kept is meant to be scored. */
function parseTerms(row: Readonly<Record<string, unknown>>, spec: LossSpec, lenient: boolean): LossTerms | undefined {
  const { loss, prediction } = row
  const truth = row['truth'] ?? undefined
  if (loss !== undefined) {
    if (prediction !== undefined || truth !== undefined) fail('row', 'loss or prediction and truth', 'both')
    if (spec.kind === 'wmape') fail('loss', 'prediction and truth for wmape', loss)
    return { loss: parseNumber(loss, 'loss'), weight: 1 }
  }
  if (!isPredictedValue(prediction))
    return fail('prediction', 'a loss, or a prediction (number, text, list)', prediction)
  if (truth === undefined) return undefined
  if (!isPredictedValue(truth)) return fail('truth', 'a number, text, true, false or a list of numbers', truth)
  const terms = toLossTerms(spec, prediction, truth)
  if (terms === undefined && lenient) return undefined
  return terms ?? fail('prediction', `a prediction and a truth that loss ${spec.kind} can score`, { prediction, truth })
}

function parseText(value: unknown, key: string): string {
  return typeof value === 'string' && value !== '' ? value : fail(key, 'text', value)
}

function parseNumber(value: unknown, key: string): number {
  const isFit = typeof value === 'number' && Math.abs(value) <= MAX_LOSS
  return isFit ? value : fail(key, 'a number that can be squared', value)
}

function parseEpoch(value: unknown): string {
  return typeof value === 'number' || (typeof value === 'string' && value !== '')
    ? String(value)
    : fail('epoch', 'a number or text', value)
}

function parseWeights(value: unknown): Readonly<Record<string, number>> {
  const entries = isObject(value) ? Object.entries(value) : []
  const weights = entries.flatMap(([name, weight]) =>
    typeof weight === 'number' && weight >= 0 && Number.isFinite(weight) ? [[name, weight] as const] : [],
  )
  const isFit = weights.length > 0 && weights.length === entries.length && weights.some(([, weight]) => weight > 0)
  return isFit ? Object.fromEntries(weights) : fail('weights', 'a weight of 0 or more by variant', value)
}

function failUnknown(key: string): never {
  const nearest = findNearest(key, KEYS)
  const hint = nearest === undefined ? `one of ${KEYS.join(', ')}` : `"${nearest}"`
  throw new UsageError('OUTCOME_ROW', `Cannot read key "${key}" of a row: expected ${hint}`, {
    fix: 'Rename the key or leave it out',
  })
}

function fail(key: string, wanted: string, found: unknown): never {
  const shown = found === undefined ? 'nothing' : (JSON.stringify(found) ?? String(found)).slice(0, 200)
  throw new UsageError('OUTCOME_ROW', `Cannot read ${key} of a row: expected ${wanted}, found ${shown}`, {
    fix: 'Write one JSON object per line: {"request": "1", "variant": "a", "prediction": 3, "truth": 4}',
  })
}

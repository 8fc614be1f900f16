import { RegattaError, toErrorText } from '../../core/errors.ts'
import { parseInstant } from '../../core/instant.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { parsePredictionId } from '../../core/uuid.ts'
import type { PredictedValue } from '../../core/wire/records.ts'
import type { Truth } from '../../store/index.ts'
import { toControlError } from '../errors.ts'

const MAX_TEXT = 1000
const MAX_VALUES = 10_000
const KEYS: readonly string[] = ['value', 'revision', 'source', 'prediction', 'series', 'at']

/** One truth that nobody has looked at yet, and how an error calls it. */
export interface TruthItem {
  readonly value: unknown
  /** `truth 3` of a JSON array, counted from 0; `line 4` of NDJSON, counted from 1. */
  readonly place: string
}

/** What a truth looks like. */
export const EXAMPLE =
  'Send for example {"prediction":"ID","value":1.5} or {"series":"s","at":"2026-01-31","value":1.5}'

/**
 * Reads one item: a list of values for a request's id without a row has one for each row; else one item is one truth.
 * With `labels` a value may be a text or a boolean.
 *
 * @throws TRUTH with the item's place and its field
 */
export function parseTruth({ value: item, place }: TruthItem, labels: boolean): readonly Truth[] {
  if (!isObject(item)) throw toUnreadable(place, `an object, found ${toShown(item)}`, EXAMPLE)
  const unknown = Object.keys(item).find(key => !KEYS.includes(key))
  if (unknown !== undefined) throw toUnreadable(`field "${unknown}" of ${place}`, `one of ${KEYS.join(', ')}`, EXAMPLE)
  const shared = {
    revision: parseRevision(item['revision'] ?? 0, place),
    source: item['source'] === undefined ? undefined : parseText(item['source'], 'source', place),
  }
  const { value } = item
  const subject = parseSubject(item, place)
  if (subject.by === 'series' || !isWholeRequest(item['prediction']) || !Array.isArray(value)) {
    return [{ ...shared, ...subject, value: parseValue(value, place, labels) }]
  }
  if (value.length === 0 || value.length > MAX_VALUES) {
    throw toUnreadable(
      `field "value" of ${place}`,
      `1–${MAX_VALUES} values, one for each row, found ${value.length}`,
      EXAMPLE,
    )
  }
  return value.map((item: unknown, row) => ({
    ...shared,
    ...subject,
    id: { ...subject.id, row },
    value: parseValue(item, place, labels),
  }))
}

function isWholeRequest(prediction: unknown): boolean {
  return typeof prediction === 'string' && !prediction.includes('/')
}

function parseSubject(item: JsonObject, place: string): { readonly by: 'prediction' | 'series' } & SubjectOf<Truth> {
  const { prediction, series, at } = item
  if (prediction !== undefined) {
    if (series !== undefined || at !== undefined) {
      throw toUnreadable(place, 'either prediction, or series and at; found both', EXAMPLE)
    }
    const text = parseText(prediction, 'prediction', place)
    return { by: 'prediction', id: parseField('prediction', place, () => parsePredictionId(text)) }
  }
  if (series === undefined || at === undefined) {
    throw toUnreadable(place, 'prediction, or series and at; found neither', EXAMPLE)
  }
  return {
    by: 'series',
    series: parseText(series, 'series', place),
    at: parseField('at', place, () => parseInstant(at)),
  }
}

/** What a truth is about, without its value. */
type SubjectOf<truth> = truth extends unknown ? Omit<truth, 'value' | 'revision' | 'source'> : never

function parseValue(value: unknown, place: string, labels: boolean): PredictedValue {
  if (labels && typeof value === 'boolean') return value
  if (labels && typeof value === 'string') return parseText(value, 'value', place)
  if (isFiniteNumber(value)) return value
  if (Array.isArray(value) && value.length > 0 && value.length <= MAX_VALUES && value.every(isFiniteNumber))
    return value
  const wanted = `a finite number${labels ? ', a text, a boolean' : ''} or 1–${MAX_VALUES} finite numbers`
  throw toUnreadable(`field "value" of ${place}`, `${wanted}, found ${toShown(value)}`, EXAMPLE)
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function parseRevision(value: unknown, place: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  const wanted = `an integer of 0 or more, found ${toShown(value)}`
  throw toUnreadable(`field "revision" of ${place}`, wanted, "Count a truth's revisions 0, 1, 2, …")
}

function parseText(value: unknown, field: string, place: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= MAX_TEXT) return value
  throw toUnreadable(`field "${field}" of ${place}`, `1–${MAX_TEXT} characters, found ${toShown(value)}`, EXAMPLE)
}

function parseField<value>(field: string, place: string, parse: () => value): value {
  try {
    return parse()
  } catch (cause) {
    if (!(cause instanceof RegattaError)) throw cause
    throw toControlError(
      'TRUTH',
      `Cannot read field "${field}" of ${place}: ${toErrorText(cause)}`,
      cause.fix ?? EXAMPLE,
      cause,
    )
  }
}

/** The error of a truth that cannot be taken. */
export function toUnreadable(what: string, wanted: string, fix: string, cause?: unknown): RegattaError {
  return toControlError('TRUTH', `Cannot read ${what}: expected ${wanted}`, fix, cause)
}

function toShown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`
}

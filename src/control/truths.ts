import { RegattaError, toErrorText } from '../core/errors.ts'
import { parseInstant } from '../core/instant.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import { parsePredictionId } from '../core/uuid.ts'
import type { PredictedValue } from '../core/wire/records.ts'
import type { Truth } from '../store/index.ts'
import { toControlError } from './errors.ts'

const MAX_TRUTHS = 50_000
const MAX_TEXT = 1000
const MAX_VALUES = 10_000
const KEYS: readonly string[] = ['value', 'revision', 'source', 'prediction', 'series', 'at']

/**
 * Reads the body of `POST /truth`: one object, a JSON array, or NDJSON, told by the content type
 * `application/x-ndjson` or else by shape. The whole body is refused where one item is wrong.
 *
 * @throws TRUTH with the item's index, counted from 0, and its field
 */
export function parseTruths(body: Uint8Array, contentType: string | undefined): readonly Truth[] {
  const items = parseItems(toText(body), contentType?.split(';')[0]?.trim().toLowerCase() === 'application/x-ndjson')
  if (items.length === 0 || items.length > MAX_TRUTHS) {
    throw unreadable('the truths', `1 to ${MAX_TRUTHS} items, found ${items.length}`, 'Send the truths in parts')
  }
  return items.map(parseTruth)
}

function toText(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (cause) {
    throw unreadable('the truths', 'UTF-8, found other bytes', 'Encode the body as UTF-8', cause)
  }
}

function parseItems(text: string, isNdjson: boolean): readonly unknown[] {
  if (isNdjson) return parseLines(text)
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : [value]
  } catch (cause) {
    // Two objects on two lines are no JSON document, but they are NDJSON.
    if (/^\s*\{[^\n]*\}\s*\n\s*\{/.test(text)) return parseLines(text)
    throw unreadable('the truths', 'JSON or NDJSON, found neither', EXAMPLE, cause)
  }
}

function parseLines(text: string): readonly unknown[] {
  return text.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return []
    try {
      return [JSON.parse(line)]
    } catch (cause) {
      throw unreadable(`line ${at + 1} of the truths`, 'one JSON object', EXAMPLE, cause)
    }
  })
}

const EXAMPLE = 'Send for example {"prediction":"ID","value":1.5} or {"series":"s","at":"2026-01-31","value":1.5}'

function parseTruth(item: unknown, index: number): Truth {
  if (!isObject(item)) throw unreadable(`truth ${index}`, `an object, found ${toShown(item)}`, EXAMPLE)
  const unknown = Object.keys(item).find(key => !KEYS.includes(key))
  if (unknown !== undefined)
    throw unreadable(`field "${unknown}" of truth ${index}`, `one of ${KEYS.join(', ')}`, EXAMPLE)
  const shared = {
    value: parseValue(item['value'], index),
    revision: parseRevision(item['revision'] ?? 0, index),
    source: item['source'] === undefined ? undefined : parseText(item['source'], 'source', index),
  }
  return { ...shared, ...parseSubject(item, index) }
}

function parseSubject(item: JsonObject, index: number): { readonly by: 'prediction' | 'series' } & SubjectOf<Truth> {
  const { prediction, series, at } = item
  if (prediction !== undefined) {
    if (series !== undefined || at !== undefined) {
      throw unreadable(`truth ${index}`, 'either prediction, or series and at; found both', EXAMPLE)
    }
    const text = parseText(prediction, 'prediction', index)
    return { by: 'prediction', id: parseField('prediction', index, () => parsePredictionId(text)) }
  }
  if (series === undefined || at === undefined) {
    throw unreadable(`truth ${index}`, 'prediction, or series and at; found neither', EXAMPLE)
  }
  return {
    by: 'series',
    series: parseText(series, 'series', index),
    at: parseField('at', index, () => parseInstant(at)),
  }
}

/** What a truth is about, without its value. */
type SubjectOf<truth> = truth extends unknown ? Omit<truth, 'value' | 'revision' | 'source'> : never

function parseValue(value: unknown, index: number): PredictedValue {
  if (typeof value === 'boolean') return value
  if (typeof value === 'string') return parseText(value, 'value', index)
  if (isFiniteNumber(value)) return value
  if (Array.isArray(value) && value.length > 0 && value.length <= MAX_VALUES && value.every(isFiniteNumber))
    return value
  const wanted = `a finite number, a text, a boolean or 1–${MAX_VALUES} finite numbers, found ${toShown(value)}`
  throw unreadable(`field "value" of truth ${index}`, wanted, EXAMPLE)
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function parseRevision(value: unknown, index: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  const wanted = `an integer of 0 or more, found ${toShown(value)}`
  throw unreadable(`field "revision" of truth ${index}`, wanted, "Count a truth's revisions 0, 1, 2, …")
}

function parseText(value: unknown, field: string, index: number): string {
  if (typeof value === 'string' && value !== '' && value.length <= MAX_TEXT) return value
  throw unreadable(`field "${field}" of truth ${index}`, `1–${MAX_TEXT} characters, found ${toShown(value)}`, EXAMPLE)
}

function parseField<value>(field: string, index: number, parse: () => value): value {
  try {
    return parse()
  } catch (cause) {
    if (!(cause instanceof RegattaError)) throw cause
    throw toControlError(
      'TRUTH',
      `Cannot read field "${field}" of truth ${index}: ${toErrorText(cause)}`,
      cause.fix ?? EXAMPLE,
      cause,
    )
  }
}

function unreadable(what: string, wanted: string, fix: string, cause?: unknown): RegattaError {
  return toControlError('TRUTH', `Cannot read ${what}: expected ${wanted}`, fix, cause)
}

function toShown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`
}

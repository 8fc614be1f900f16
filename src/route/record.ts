import { toErrorText } from '../core/errors.ts'
import { parseInstant } from '../core/instant.ts'
import { isPredictedValue, type PredictionRecord, type RecordRow } from '../core/wire/records.ts'
import { parseBody } from './body.ts'
import type { RowPath, RowPaths } from './capture.ts'
import { toAnswerRows, toRequestRows } from './rows.ts'
import type { Tap } from './tap.ts'

/** A record, and how many of its rows lack a series or time that a path should have given. */
export interface ReadTap {
  readonly record: PredictionRecord
  readonly unlabelled: number
}

/** What reading taps goes by. */
export interface ReadOptions {
  readonly paths: RowPaths
  /** A body that is longer once it is inflated is not read. */
  readonly maxBodyBytes: number
}

const MAX_ERROR_CHARS = 300

/** Reads the rows of a tap. What cannot be read becomes the record's `error`; it never throws. */
export function toRecord(tap: Tap, options: ReadOptions): ReadTap {
  try {
    return readRows(tap, options)
  } catch (error) {
    return { record: toFailedRecord(tap, toErrorText(error)), unlabelled: 0 }
  }
}

/** The record of a tap whose rows cannot be told. */
export function toFailedRecord(tap: Tap, error: string): PredictionRecord {
  return { ...tap.head, error: error.slice(0, MAX_ERROR_CHARS), rows: [] }
}

function readRows(tap: Tap, { paths, maxBodyBytes }: ReadOptions): ReadTap {
  const { head, protocol } = tap
  const fail = (error: string): ReadTap => ({ record: toFailedRecord(tap, error), unlabelled: 0 })
  if (tap.answer === undefined || tap.problem !== undefined) return fail(tap.problem ?? 'no answer')
  const body = parseBody(tap.answer, maxBodyBytes, head.status === 200)
  if (head.status !== 200) return fail(body.text.slice(0, MAX_ERROR_CHARS) || 'empty answer')
  const answer = toAnswerRows(protocol, body)
  if ('problem' in answer) return fail(answer.problem)
  const places = toPlaces(tap, { paths, maxBodyBytes }, answer.rows.length)
  const rows: RecordRow[] = []
  for (const [index, row] of answer.rows.entries()) {
    const prediction = paths.prediction(row)
    if (!isPredictedValue(prediction))
      return fail(`Cannot record row ${index}: expected a number, a label or numbers, found ${toShort(prediction)}`)
    rows.push({ prediction, ...places.rows[index] })
  }
  return { record: { ...head, rows }, unlabelled: places.unlabelled }
}

interface Places {
  readonly rows: readonly Omit<RecordRow, 'prediction'>[]
  readonly unlabelled: number
}

/** What each row is a prediction of: the headers' word, else what the paths find in the request's rows. */
function toPlaces(tap: Tap, options: ReadOptions, count: number): Places {
  const { paths } = options
  const requestRows = readRequestRows(tap, options)
  let unlabelled = 0
  const rows = Array.from({ length: count }, (_, index) => {
    const row = requestRows[index]
    const series = tap.series ?? toText(paths.series, row)
    const at = tap.at ?? toAt(paths.at, row)
    const entity = tap.head.entity === undefined ? toText(paths.entity, row) : undefined
    if ((paths.series !== undefined && series === undefined) || (paths.at !== undefined && at === undefined))
      unlabelled += 1
    return {
      ...(series === undefined ? {} : { series }),
      ...(at === undefined ? {} : { at }),
      ...(entity === undefined ? {} : { entity }),
    }
  })
  return { rows, unlabelled }
}

/** A request that cannot be read leaves its rows unlabelled; the predictions are recorded. */
function readRequestRows({ request, protocol }: Tap, { maxBodyBytes }: ReadOptions): readonly unknown[] {
  if (request === undefined) return []
  try {
    const read = toRequestRows(protocol, parseBody(request, maxBodyBytes))
    return 'rows' in read ? read.rows : []
  } catch {
    // Counted by the caller.
    return []
  }
}

function toText(path: RowPath | undefined, row: unknown): string | undefined {
  const value = path?.(row)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function toAt(path: RowPath | undefined, row: unknown): number | undefined {
  if (path === undefined) return undefined
  try {
    return parseInstant(path(row))
  } catch {
    // Counted by the caller: the row is recorded without its time.
    return undefined
  }
}

function toShort(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80)
}

import { toErrorText } from '../core/errors.ts'
import { parseInstant } from '../core/instant.ts'
import { isPredictedValue, type PredictionRecord, type RecordRow } from '../core/wire/records.ts'
import type { RowPath, RowPaths } from './capture.ts'
import type { Protocol } from './path.ts'
import { toAnswerRows, toRequestRows } from './rows.ts'

/** What one variant did with one request, as bytes: read into a record later, off the path of the answer. */
export interface Tap {
  readonly head: Omit<PredictionRecord, 'rows' | 'error'>
  readonly protocol: Protocol
  readonly paths: RowPaths
  /** From the headers; they hold for every row. */
  readonly series: string | undefined
  readonly at: number | undefined
  /** The request's body, where series or time are to be read from its rows. */
  readonly request: Uint8Array | undefined
  /** The answer's body; undefined where there is none to read, and then `problem` says why. */
  readonly answer: Uint8Array | undefined
  readonly problem: string | undefined
}

/** A record, and how many of its rows lack a series or time that a path should have given. */
export interface ReadTap {
  readonly record: PredictionRecord
  readonly unlabelled: number
}

const MAX_ERROR_CHARS = 300

/** Bytes that a tap keeps in memory; 512 stand for the object itself. */
export function toTapBytes(tap: Tap): number {
  return 512 + (tap.request?.byteLength ?? 0) + (tap.answer?.byteLength ?? 0)
}

/** Whether the request's body is needed to tell what the rows are predictions of. */
export function needsRequest(paths: RowPaths, series: string | undefined, at: number | undefined): boolean {
  return (paths.series !== undefined && series === undefined) || (paths.at !== undefined && at === undefined)
}

/** Reads the rows of a tap. What cannot be read becomes the record's `error`; it never throws. */
export function toRecord(tap: Tap): ReadTap {
  try {
    return readRows(tap)
  } catch (error) {
    return toFailed(tap, toErrorText(error))
  }
}

function readRows(tap: Tap): ReadTap {
  const { head } = tap
  if (tap.answer === undefined || tap.problem !== undefined) return toFailed(tap, tap.problem ?? 'no answer')
  if (head.status !== 200) return toFailed(tap, toAnswerText(tap.answer))
  const answer = toAnswerRows(tap.protocol, JSON.parse(toText(tap.answer)))
  if ('problem' in answer) return toFailed(tap, answer.problem)
  const places = toPlaces(tap, answer.rows.length)
  const rows: RecordRow[] = []
  for (const [index, row] of answer.rows.entries()) {
    const prediction = tap.paths.prediction(row)
    if (!isPredictedValue(prediction))
      return toFailed(
        tap,
        `Cannot record row ${index}: expected a number, a label or numbers, found ${toShort(prediction)}`,
      )
    rows.push({ prediction, ...places.rows[index] })
  }
  return { record: { ...head, rows }, unlabelled: places.unlabelled }
}

interface Places {
  readonly rows: readonly Omit<RecordRow, 'prediction'>[]
  readonly unlabelled: number
}

/** What each row is a prediction of: the headers' word, else what the paths find in the request's rows. */
function toPlaces(tap: Tap, count: number): Places {
  const request =
    tap.request === undefined ? { rows: [] } : toRequestRows(tap.protocol, JSON.parse(toText(tap.request)))
  const requestRows = 'rows' in request ? request.rows : []
  let unlabelled = 0
  const rows = Array.from({ length: count }, (_, index) => {
    const series = tap.series ?? toSeries(tap.paths.series, requestRows[index])
    const at = tap.at ?? toAt(tap.paths.at, requestRows[index])
    if ((tap.paths.series !== undefined && series === undefined) || (tap.paths.at !== undefined && at === undefined))
      unlabelled += 1
    return { ...(series === undefined ? {} : { series }), ...(at === undefined ? {} : { at }) }
  })
  return { rows, unlabelled }
}

function toSeries(path: RowPath | undefined, row: unknown): string | undefined {
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

function toFailed(tap: Tap, error: string): ReadTap {
  return { record: { ...tap.head, error: error.slice(0, MAX_ERROR_CHARS), rows: [] }, unlabelled: 0 }
}

function toAnswerText(answer: Uint8Array): string {
  return toText(answer.subarray(0, MAX_ERROR_CHARS)) || 'empty answer'
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

function toShort(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80)
}

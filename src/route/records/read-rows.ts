import { toErrorText } from '../../core/errors.ts'
import { parseInstant } from '../../core/instant.ts'
import { isPredictedValue, MAX_COVARIATE, type RecordRow } from '../../core/wire/records.ts'
import { toGrpcAnswerRows, toGrpcRequestRows } from '../grpc/rows.ts'
import { isGrpcForm, type Protocol } from '../path.ts'
import { parseBody } from './body.ts'
import type { RowPath, RowPaths } from './capture.ts'
import { RowLog } from './row-log.ts'
import { type Rows, toAnswerRows, toRequestRows } from './rows.ts'
import type { TapBody, TapContent } from './tap.ts'

/**
 * The rows of a record, and how many of them lack a series or time that a path should have given; or why there are
 * none.
 */
export type ReadRows = { readonly rows: readonly RecordRow[]; readonly unlabelled: number } | { readonly error: string }

/** What reading rows goes by. */
export interface ReadOptions {
  readonly paths: RowPaths
  /** A body that is longer once it is inflated is not read. */
  readonly maxBodyBytes: number
}

const MAX_ERROR_CHARS = 300

/** Reads the rows of a tap. It never throws. */
export function readRows(content: TapContent, options: ReadOptions): ReadRows {
  try {
    return readAnswer(content, options)
  } catch (error) {
    return { error: toErrorText(error) }
  }
}

/** The JSON of a record, given that of its head. */
export function toLine(head: string, read: ReadRows): string {
  const more =
    'error' in read
      ? `"error":${JSON.stringify(read.error.slice(0, MAX_ERROR_CHARS))},"rows":[]`
      : `"rows":${JSON.stringify(read.rows)}`
  return `${head.slice(0, -1)},${more}}`
}

function readAnswer(content: TapContent, options: ReadOptions): ReadRows {
  const { answer, problem, status, protocol } = content
  if (answer === undefined || problem !== undefined) return { error: problem ?? 'no answer' }
  const { maxBodyBytes } = options
  if (status !== 200) return { error: parseBody(answer, maxBodyBytes, false).text || 'empty answer' }
  const found = toFound(protocol, answer, maxBodyBytes)
  if ('problem' in found) return { error: found.problem }
  const toPlace = toPlacer(content, options)
  const log = new RowLog(content.logged)
  const rows: RecordRow[] = []
  let unlabelled = 0
  for (let index = 0; index < found.rows.length; index += 1) {
    const prediction = toRecorded(options.paths.prediction(found.rows[index]))
    if (!isPredictedValue(prediction))
      return {
        error: `Cannot record row ${index}: expected a number, a label or numbers, found ${toShort(prediction)}`,
      }
    const place = toPlace(index)
    if (place.isUnlabelled) unlabelled += 1
    rows.push({ prediction, ...place.of, ...log.take(place.input, found.rows[index]) })
  }
  return { rows, unlabelled }
}

/**
 * What JSON has no number for is recorded by its name, NaN or Infinity: a prediction that was made, and that no loss can
 * be computed of.
 */
function toRecorded(prediction: unknown): unknown {
  const isSpecial = (value: unknown): boolean => typeof value === 'number' && !Number.isFinite(value)
  if (Array.isArray(prediction) && prediction.every(item => typeof item === 'number'))
    return prediction.some(isSpecial) ? String(prediction.find(isSpecial)) : prediction
  return isSpecial(prediction) ? String(prediction) : prediction
}

function toFound(protocol: Protocol, answer: TapBody, maxBodyBytes: number): Rows {
  return isGrpcForm(protocol)
    ? toGrpcAnswerRows(protocol, answer.bytes)
    : toAnswerRows(protocol, parseBody(answer, maxBodyBytes))
}

/** What one row is a prediction of, and for whom. */
interface Place {
  /** The row of the request; undefined where it was not read. */
  readonly input: unknown
  readonly of: Omit<RecordRow, 'prediction'>
  readonly isUnlabelled: boolean
}

/** Places the rows of an answer: by the headers' word, else by what the paths find in the request's rows. */
function toPlacer(content: TapContent, options: ReadOptions): (index: number) => Place {
  const { paths } = options
  const requestRows = readRequest(content, options)
  const wants = { series: paths.series !== undefined, at: paths.at !== undefined }
  return index => {
    const row = requestRows[index]
    const series = content.series ?? toText(paths.series, row)
    const at = content.at ?? toAt(paths.at, row)
    // The header's entity stands in the record's head.
    const entity = content.entity === undefined ? toText(paths.entity, row) : undefined
    const covariate = paths.covariate?.(row)
    const of: { series?: string; at?: number; entity?: string; covariate?: number } = {}
    if (series !== undefined) of.series = series
    if (at !== undefined) of.at = at
    if (entity !== undefined) of.entity = entity
    if (typeof covariate === 'number' && Math.abs(covariate) <= MAX_COVARIATE) of.covariate = covariate
    return { input: row, of, isUnlabelled: (wants.series && series === undefined) || (wants.at && at === undefined) }
  }
}

/** A request that cannot be read leaves its rows unlabelled; the predictions are recorded. */
function readRequest({ request, protocol }: TapContent, { maxBodyBytes }: ReadOptions): readonly unknown[] {
  if (request === undefined) return []
  try {
    const read = isGrpcForm(protocol)
      ? toGrpcRequestRows(protocol, request.bytes)
      : toRequestRows(protocol, parseBody(request, maxBodyBytes))
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

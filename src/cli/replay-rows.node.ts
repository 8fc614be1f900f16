import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { readCsv } from '../core/csv.ts'
import { toErrorText, UsageError } from '../core/errors.ts'
import { toTexts } from '../core/lines.ts'
import { toCell } from './truths/row.ts'

/** Longest line that is read, in characters. */
const MAX_LINE = 1_000_000

/** A row of a file of outcomes, and the line, or of Parquet the row, that it is in. */
export interface PlacedRow {
  readonly number: number
  readonly row: unknown
}

/**
 * Reads a file of outcomes row by row: CSV and Parquet by their names' endings, another as one JSON object per line.
 * @throws OUTCOME_ROW with the line, CSV, PARQUET, UTF8, and the file system's errors
 */
export function readRows(path: string, signal: AbortSignal): AsyncGenerator<PlacedRow> {
  if (/\.csv$/i.test(path)) return readCsvRows(path, signal)
  return /\.parquet$/i.test(path) ? readParquetRows(path, signal) : readJsonRows(path, signal)
}

async function* readJsonRows(path: string, signal: AbortSignal): AsyncGenerator<PlacedRow> {
  const lines = createInterface({ input: createReadStream(path, { signal }), crlfDelay: Number.POSITIVE_INFINITY })
  let number = 0
  for await (const line of lines) {
    number += 1
    if (line.trim() !== '') yield { number, row: parseLine(line, `${path}:${number}`) }
  }
}

async function* readCsvRows(path: string, signal: AbortSignal): AsyncGenerator<PlacedRow> {
  let heading: readonly string[] | undefined
  for await (const { line, cells } of readCsv(toTexts(createReadStream(path, { signal })))) {
    if (heading === undefined) heading = cells.map(cell => cell.trim())
    else yield { number: line, row: toRow(heading.map((name, at) => [name, cells[at]])) }
  }
}

async function* readParquetRows(path: string, signal: AbortSignal): AsyncGenerator<PlacedRow> {
  const { openParquet } = await import('./truths/parquet.node.ts')
  await using table = await openParquet(path)
  // Logged rows are long, and no race looks at them.
  const columns = table.heading.filter(name => name !== 'input' && name !== 'output')
  for await (const { number, cells } of table.rows(columns)) {
    signal.throwIfAborted()
    yield { number, row: toRow(Object.entries(cells)) }
  }
}

const TEXTS = ['request', 'variant', 'entity', 'series', 'at', 'target_at', 'epoch', 'input', 'output']

function toRow(cells: readonly (readonly [string, unknown])[]): unknown {
  const typed = cells.map(([name, cell]) => [name, toCell(!TEXTS.includes(name), cell)] as const)
  return Object.fromEntries(typed.filter(([, cell]) => cell !== undefined))
}

function parseLine(line: string, where: string): unknown {
  try {
    if (line.length > MAX_LINE) throw new RangeError(`longer than ${MAX_LINE} characters`)
    return JSON.parse(line)
  } catch (error) {
    throw new UsageError('OUTCOME_ROW', `Cannot read a row: ${toErrorText(error)}`, {
      where,
      fix: 'Write one JSON object per line',
    })
  }
}

import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { readCsv } from '../../core/csv.ts'
import { RegattaError, toErrorText, toSystemCode, UsageError } from '../../core/errors.ts'
import { readLines, toTexts } from '../../core/lines.ts'
import { type Columns, type Pick, pickColumns } from './columns.ts'
import { readJsonItems } from './json-items.ts'
import { type TruthRow, toJsonRow, toTableRow } from './row.ts'

/** Forms that truths come in. */
export const FORMATS = ['json', 'ndjson', 'csv', 'parquet'] as const

/** A form that truths come in. */
export type TruthFormat = (typeof FORMATS)[number]

/** A file of truths, and how to read it. */
export interface TruthSource {
  /** Absolute; undefined is stdin. */
  readonly path: string | undefined
  readonly format: TruthFormat
  readonly columns: Columns | undefined
}

const EXTENSIONS: Readonly<Record<string, TruthFormat>> = {
  json: 'json',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  csv: 'csv',
  tsv: 'csv',
  parquet: 'parquet',
}

/** Tells the form of a file by its name; stdin is JSON. @throws TRUTH_FORMAT (a UsageError) */
export function toFormat(file: string, flag: string | undefined): TruthFormat {
  const named = FORMATS.find(format => format === flag)
  if (named === 'parquet' && file === '-') {
    throw new UsageError('TRUTH_FORMAT', 'Cannot read Parquet from stdin: its list of columns is at its end', {
      fix: 'Name the file, or send CSV or NDJSON',
    })
  }
  if (named !== undefined) return named
  const extension = basename(file).split('.').at(-1)?.toLowerCase() ?? ''
  const known = file === '-' ? 'json' : EXTENSIONS[extension]
  if (flag === undefined && known !== undefined) return known
  const what = flag === undefined ? `the form of "${file}" from its name` : `--format "${flag}"`
  throw new UsageError('TRUTH_FORMAT', `Cannot tell ${what}: expected one of ${FORMATS.join(', ')}`, {
    fix: '--format csv',
  })
}

/**
 * Reads the truths of a file or of stdin one by one, within little memory (of Parquet, a part of a row group).
 *
 * @throws TRUTH_FILE, TRUTH_COLUMNS, TRUTH_JSON, CSV, LINE, UTF8, PARQUET
 */
export async function* readTruths(source: TruthSource): AsyncGenerator<TruthRow> {
  try {
    yield* READERS[source.format](source)
  } catch (error) {
    const where = source.path ?? 'stdin'
    if (error instanceof RegattaError) throw error.where === undefined ? toPlaced(error, where) : error
    if (toSystemCode(error) === undefined) throw error
    throw new RegattaError('TRUTH_FILE', `Cannot read the truths: ${toErrorText(error)}`, {
      where,
      fix: 'Name a file that you may read, or - for stdin',
      cause: error,
    })
  }
}

function toPlaced(error: RegattaError, where: string): RegattaError {
  const { code, message, fix, cause } = error
  return new RegattaError(code, message, { where, ...(fix !== undefined && { fix }), cause })
}

const READERS = {
  async *json({ path, columns }) {
    let number = 0
    for await (const text of readJsonItems(openTexts(path))) yield toJsonRow(`item ${++number}`, text, columns)
  },
  async *ndjson({ path, columns }) {
    for await (const { number, text } of readLines(openTexts(path))) {
      if (text.trim() !== '') yield toJsonRow(`line ${number}`, text, columns)
    }
  },
  async *csv({ path, columns = {} }) {
    let picks: readonly Pick[] | undefined
    for await (const { line, cells } of readCsv(openTexts(path))) {
      if (picks === undefined) picks = pickColumns(cells, columns)
      else yield toTableRow(`line ${line}`, picks, ({ index }) => cells[index])
    }
  },
  async *parquet({ path = '', columns = {} }) {
    const { openParquet } = await import('./parquet.node.ts')
    await using table = await openParquet(path)
    const picks = pickColumns(table.heading, columns)
    for await (const { number, cells } of table.rows(picks.map(({ column }) => column))) {
      yield toTableRow(`row ${number}`, picks, ({ column }) => cells[column])
    }
  },
} as const satisfies Record<TruthFormat, (source: TruthSource) => AsyncGenerator<TruthRow>>

function openTexts(path: string | undefined): AsyncIterable<string> {
  // Its number: what a parent's pipe is may not be there to be opened by a name.
  return toTexts(path === undefined ? createReadStream('', { fd: 0, autoClose: false }) : createReadStream(path))
}

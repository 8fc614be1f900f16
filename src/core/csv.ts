import { RegattaError } from './errors.ts'

/** One row of a CSV text. */
export interface CsvRow {
  /** Line that it begins at, counted from 1. */
  readonly line: number
  readonly cells: readonly string[]
}

const DELIMITERS = [',', ';', '\t'] as const
/** A longer row is taken for a quoted cell that nobody closed. */
const MAX_ROW_CHARS = 1024 * 1024

/**
 * Reads CSV in chunks, holding no more than a chunk and a row. The first line tells whether commas, semicolons or tabs
 * part the cells; lines without anything are left out. Source: RFC 4180, section 2.
 *
 * @throws CSV with the line
 */
export async function* readCsv(chunks: AsyncIterable<string>): AsyncGenerator<CsvRow> {
  let rest = ''
  let line = 1
  let delimiter: string | undefined
  function* cut(isLast: boolean): Generator<CsvRow> {
    let from = 0
    for (;;) {
      const end = findRowEnd(rest, from)
      if (end === -1 && (!isLast || from === rest.length)) break
      const text = toRowText(rest, from, end === -1 ? rest.length : end)
      delimiter ??= toDelimiter(text)
      if (text !== '') yield { line, cells: toCells(text, delimiter, line) }
      line += 1 + countBreaks(text)
      from = end === -1 ? rest.length : end + 1
    }
    rest = rest.slice(from)
    if (rest.length > MAX_ROW_CHARS) throw toUnclosed(line)
  }
  for await (const chunk of chunks) {
    rest += line === 1 && rest === '' ? chunk.replace(/^\uFEFF/, '') : chunk
    yield* cut(false)
  }
  yield* cut(true)
}

/** Index of the line break that ends the row, or -1 where the text has none outside of quotes. */
function findRowEnd(text: string, from: number): number {
  let end = text.indexOf('\n', from)
  let quote = text.indexOf('"', from)
  while (quote !== -1 && end !== -1 && quote < end) {
    const close = text.indexOf('"', quote + 1)
    if (close === -1) return -1
    if (close > end) end = text.indexOf('\n', close)
    quote = text.indexOf('"', close + 1)
  }
  return end
}

function toRowText(text: string, from: number, end: number): string {
  return text.slice(from, text[end - 1] === '\r' && end > from ? end - 1 : end)
}

function countBreaks(text: string): number {
  return text.includes('\n') ? text.split('\n').length - 1 : 0
}

function toDelimiter(heading: string): string {
  const count = (delimiter: string): number => heading.split(delimiter).length
  return DELIMITERS.reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best))
}

function toCells(text: string, delimiter: string, line: number): readonly string[] {
  if (!text.includes('"')) return text.split(delimiter)
  const cells: string[] = []
  for (let at = 0; at <= text.length; ) {
    const { cell, end } = text[at] === '"' ? toQuoted(text, at, line) : toBare(text, at, delimiter)
    if (end < text.length && text[end] !== delimiter) throw toUnreadable(line, `"${delimiter}" after a quoted cell`)
    cells.push(cell)
    at = end + 1
  }
  return cells
}

function toBare(text: string, from: number, delimiter: string): { readonly cell: string; readonly end: number } {
  const found = text.indexOf(delimiter, from)
  const end = found === -1 ? text.length : found
  return { cell: text.slice(from, end), end }
}

/** Two quotes in a quoted cell stand for one. */
function toQuoted(text: string, from: number, line: number): { readonly cell: string; readonly end: number } {
  let close = text.indexOf('"', from + 1)
  while (close !== -1 && text[close + 1] === '"') close = text.indexOf('"', close + 2)
  if (close === -1) throw toUnclosed(line)
  return { cell: text.slice(from + 1, close).replaceAll('""', '"'), end: close + 1 }
}

function toUnclosed(line: number): RegattaError {
  return toUnreadable(line, `rows of at most ${MAX_ROW_CHARS} characters whose quoted cells end`)
}

function toUnreadable(line: number, wanted: string): RegattaError {
  return new RegattaError('CSV', `Cannot read line ${line}: expected ${wanted}`, {
    fix: 'Write CSV as RFC 4180 has it: quotes around a cell with a comma, a quote or a line break, its quotes doubled',
  })
}

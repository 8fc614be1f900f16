import type { Column, Scenario } from './scenario.ts'

/** Standard errors of the difference within which two rates agree. */
export const AGREES = 3.5

/** A cell of the tables: our rate beside the reference. */
export interface Cell {
  readonly table: string
  readonly row: string
  readonly column: string
  readonly runs: number
  readonly rate: number
  readonly reference: number | null
  /** Standard error of the difference of both rates. */
  readonly se: number | null
  /** Whether the rates agree; null without a reference. */
  readonly agrees: boolean | null
}

/** The cells of a row. */
export function toCells({ columns, name, table }: Scenario, found: readonly number[], runs: number): readonly Cell[] {
  return columns.map((column, i) => {
    const rate = (found[i] ?? 0) / runs
    return { table, row: name, column: column.name, runs, rate, ...compare(column, rate, runs) }
  })
}

function compare({ atMost, reference, runs: theirs }: Column, rate: number, runs: number) {
  if (reference === undefined) return { reference: null, se: null, agrees: null }
  // Of no event in a finite number of runs half of one is the best guess.
  const pooled = (rate * runs + reference * theirs + 0.5) / (runs + theirs + 1)
  const se = Math.sqrt(pooled * (1 - pooled) * (1 / runs + 1 / theirs))
  const limit = atMost === true ? Math.max(reference, 0.05) : reference
  const off = atMost === true ? rate - limit : Math.abs(rate - limit)
  return { reference, se, agrees: off <= AGREES * se }
}

/** The cells as tables of Markdown: `rate (reference)`, with a mark where they disagree. */
export function toMarkdown(cells: readonly Cell[]): string {
  const tables = Map.groupBy(cells, cell => cell.table)
  return [...tables].map(([name, own]) => `### ${name}\n\n${toTable(own)}`).join('\n')
}

function toTable(cells: readonly Cell[]): string {
  const columns = [...new Set(cells.map(cell => cell.column))]
  const rows = [...Map.groupBy(cells, cell => cell.row)].map(([row, own]) => {
    const texts = columns.map(column => toText(own.find(cell => cell.column === column)))
    return `| ${row} | ${texts.join(' | ')} |\n`
  })
  return `| | ${columns.join(' | ')} |\n|---|${columns.map(() => '---').join('|')}|\n${rows.join('')}`
}

function toText(cell: Cell | undefined): string {
  if (cell === undefined) return ''
  const text = `${toRate(cell.rate)}${cell.reference === null ? '' : ` (${toRate(cell.reference)})`}`
  return cell.agrees === false ? `**${text} ✗**` : text
}

function toRate(rate: number): string {
  return rate === 0 ? '0' : rate === 1 ? '1' : rate.toFixed(4).replace(/^0|0+$/g, '')
}

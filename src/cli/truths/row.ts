import { isObject } from '../../core/json.ts'
import { type Columns, FIELDS, type Field, type Pick } from './columns.ts'

/** One truth of a file, or why what stands there is none. Control checks what a truth holds. */
export type TruthRow =
  | { readonly place: string; readonly truth: unknown }
  | { readonly place: string; readonly problem: string }

/** Makes a truth of a row of a table. An empty cell is left out; a value that is no finite number is none. */
export function toTableRow(place: string, picks: readonly Pick[], cellOf: (pick: Pick) => unknown): TruthRow {
  const truth: Partial<Record<Field, unknown>> = {}
  for (const pick of picks) {
    const cell = toCell(isTyped(pick.field), cellOf(pick))
    if (cell === 'endless') return { place, problem: `column "${pick.column}" is no finite number` }
    if (cell !== undefined) truth[pick.field] = cell
  }
  if (truth.value === undefined) return { place, problem: 'it has no value' }
  return { place, truth }
}

/** Makes a truth of a JSON text. Where columns are named, only what a truth may have is taken. */
export function toJsonRow(place: string, text: string, columns: Columns | undefined): TruthRow {
  let item: unknown
  try {
    item = JSON.parse(text)
  } catch (error) {
    const isEndless = /[:[,]\s*-?(NaN|Infinity)\b/.test(text)
    const problem = isEndless ? 'NaN and Infinity are no finite numbers' : `it is no JSON: ${toMessage(error)}`
    return { place, problem }
  }
  if (columns === undefined || !isObject(item)) return { place, truth: item }
  const object = item
  const fields = FIELDS.map(field => [field, object[columns[field] ?? field]] as const)
  return { place, truth: Object.fromEntries(fields.filter(([, value]) => value !== undefined && value !== null)) }
}

/**
 * What JSON can say of a cell of a CSV or Parquet file; undefined for one without anything. A text of a typed column
 * may be a number, a boolean or a list.
 */
export function toCell(typed: boolean, cell: unknown): unknown {
  if (cell === null || cell === undefined) return undefined
  if (typeof cell === 'bigint') return Number(cell)
  if (cell instanceof Date) return cell.toISOString()
  if (typeof cell === 'number') return Number.isFinite(cell) ? cell : 'endless'
  if (Array.isArray(cell)) return cell.map(item => (typeof item === 'bigint' ? Number(item) : item))
  return typeof cell === 'string' ? toTextCell(typed, cell.trim()) : cell
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const ENDLESS = /^[+-]?(nan|inf|infinity)$/i

/** Only values and revisions are numbers: a series may be called 7. */
function isTyped(field: Field): boolean {
  return field === 'value' || field === 'revision'
}

function toTextCell(typed: boolean, cell: string): unknown {
  if (cell === '') return undefined
  if (!typed) return cell
  if (ENDLESS.test(cell)) return 'endless'
  if (NUMBER.test(cell)) return Number.isFinite(Number(cell)) ? Number(cell) : 'endless'
  if (/^(true|false)$/i.test(cell)) return cell.toLowerCase() === 'true'
  return cell.startsWith('[') ? toList(cell) : cell
}

function toList(cell: string): unknown {
  try {
    return JSON.parse(cell)
  } catch {
    return cell
  }
}

function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

import { isUtf8 } from 'node:buffer'
import type { Dtype, JsonNode } from '../../tensor/index.ts'
import type { ModelInput } from '../engine/engine.ts'
import { Refusal } from '../errors.ts'
import type { Frame } from './frame.ts'

// A cell in quotes, in which a quote is doubled, or one without; then what ends it. RFC 4180, section 2.
const CELL = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y

/**
 * Reads comma-separated values: a line of the columns' names, then a line for every row. A cell is read as its column's
 * input wants it, or as the only input does. @throws BAD_REQUEST
 */
export function parseCsv(body: Uint8Array, inputs: readonly ModelInput[]): Frame {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (!isUtf8(bytes)) throw toRefusal('Cannot read the table: its bytes are not UTF-8')
  const [columns = [], ...lines] = splitCsv(bytes.toString('utf8').replace(/^\uFEFF/, ''))
  const dtypes = columns.map(name => (inputs.find(input => input.name === name) ?? inputs[0])?.dtype ?? 'string')
  const rows = lines.map((line, row) =>
    line.map((cell, at) => toNode(cell, dtypes[at] ?? 'string', `row ${row}, column "${columns[at] ?? at}"`)),
  )
  return { columns, rows }
}

/** The cells of each line; empty lines are left out. */
function splitCsv(text: string): readonly (readonly string[])[] {
  const lines: string[][] = []
  let line: string[] = []
  CELL.lastIndex = 0
  for (let at = 0; at < text.length; at = CELL.lastIndex) {
    const match = CELL.exec(text)
    if (match === null)
      throw toRefusal(`Cannot read line ${lines.length + 1} of the table: a quote is out of its place`)
    const [, quoted, plain = '', end] = match
    line.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === ',' && CELL.lastIndex < text.length) continue
    if (end === ',') line.push('')
    if (line.length > 1 || line[0] !== '') lines.push(line)
    line = []
  }
  return lines
}

/** How tables say that there is no number. */
const MISSING = new Set(['', 'na', 'nan', 'null'])

function toNode(cell: string, dtype: Dtype, place: string): JsonNode {
  if (dtype === 'string') return cell
  const text = cell.trim().toLowerCase()
  if (dtype === 'bool' && (text === 'true' || text === 'false')) return text === 'true'
  if (/^[+-]?\d{1,20}$/.test(text)) {
    const value = Number(text)
    return { kind: 'number', value, isInteger: true, exact: Number.isSafeInteger(value) ? undefined : BigInt(text) }
  }
  const isMissing = MISSING.has(text)
  const value = isMissing ? Number.NaN : Number(text.replace(/^([+-]?)inf(inity)?$/, '$1Infinity'))
  if (Number.isNaN(value) && !isMissing) throw toRefusal(`Cannot read "${cell.slice(0, 50)}" as a number (${place})`)
  return { kind: 'number', value, isInteger: false, exact: undefined }
}

function toRefusal(text: string): Refusal {
  return new Refusal('BAD_REQUEST', text)
}

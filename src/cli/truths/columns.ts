import { RegattaError, UsageError } from '../../core/errors.ts'
import { findNearest } from '../../core/nearest.ts'

/** What a truth may have. */
export const FIELDS = ['prediction', 'series', 'at', 'value', 'revision', 'source'] as const

/** A part of a truth. */
export type Field = (typeof FIELDS)[number]

/** Fields whose column has another name. */
export type Columns = Readonly<Partial<Record<Field, string>>>

/** Reads `value=y,at=ts`: a truth's field, and the column that it is found in. @throws TRUTH_COLUMNS (a UsageError) */
export function parseColumns(text: string): Columns {
  const columns: Partial<Record<Field, string>> = {}
  for (const pair of text.split(',')) {
    const cut = pair.indexOf('=')
    const name = pair.slice(0, Math.max(0, cut)).trim()
    const column = pair.slice(cut + 1).trim()
    const field = FIELDS.find(field => field === name)
    if (cut === -1 || column === '') throw toUsage(`"${pair}": expected FIELD=COLUMN`)
    if (field === undefined)
      throw toUsage(`"${pair}": expected one of ${FIELDS.join(', ')} before the =, found "${name}"`)
    if (columns[field] !== undefined) throw toUsage(`"${pair}": ${field} stands there twice`)
    columns[field] = column
  }
  return columns
}

function toUsage(what: string): UsageError {
  return new UsageError('TRUTH_COLUMNS', `Cannot use --columns ${what}`, { fix: '--columns value=y,at=ts' })
}

/** Which column of a table a truth's field is. */
export interface Pick {
  readonly field: Field
  readonly column: string
  readonly index: number
}

/**
 * Finds the columns that truths are made of, by their names or by those given; others are left alone.
 *
 * @throws TRUTH_COLUMNS where the table names no value, or nothing that it is about
 */
export function pickColumns(heading: readonly string[], columns: Columns): readonly Pick[] {
  const picked = FIELDS.flatMap(field => {
    const column = columns[field] ?? field
    const index = heading.findIndex(name => name.trim() === column)
    if (index === -1 && columns[field] !== undefined) throw toMissing(`column "${column}"`, heading, column)
    const found = heading[index]
    return found === undefined ? [] : [{ field, column: found, index }]
  })
  const has = (field: Field): boolean => picked.some(pick => pick.field === field)
  if (!has('value')) throw toMissing('a column "value"', heading, 'value')
  if (!has('prediction') && !(has('series') && has('at'))) {
    throw toMissing('a column "prediction", or "series" and "at"', heading, 'prediction')
  }
  return picked
}

function toMissing(what: string, heading: readonly string[], near: string): RegattaError {
  const found = heading.map(name => `"${name}"`).join(', ')
  const nearest = findNearest(near, heading)
  return new RegattaError('TRUTH_COLUMNS', `Cannot find ${what}: the table has ${found || 'no columns'}`, {
    fix: `Say which column is which: --columns ${nearest === undefined ? 'value=y,at=ts' : `${near}=${nearest}`}`,
  })
}

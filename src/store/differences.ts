import { isBefore, type PairPosition } from './pairs.ts'
import { type Sql, statement } from './sql.ts'
import type { DifferencePage, DifferencesCursor } from './store.ts'

/** Differences that are read at once. */
const ROWS_PER_PAGE = 50_000

/** Paired differences of a race in the order of the times that they are for. */
export async function readDifferences(sql: Sql, race: number): Promise<Float64Array> {
  const rows = await sql.all(listAll(race))
  return Float64Array.from(rows, ({ difference }) => difference)
}

/**
 * The differences after those that a cursor has passed; all from the first, and `restarted`, where one before it
 * has changed since, or where it is not known any more whether one has.
 */
export async function readDifferencesAfter(
  sql: Sql,
  race: number,
  cursor: DifferencesCursor | undefined,
): Promise<DifferencePage> {
  const changes = await sql.all(listChanges(race, cursor?.change ?? 0))
  const restarted = cursor === undefined || isDisturbed(cursor, changes)
  const { at, request, row } = restarted ? FIRST : cursor
  const rows = await sql.all(listAfter(race, at, at, request, row, ROWS_PER_PAGE))
  const last = rows.at(-1)
  const change = changes.at(-1)?.change ?? cursor?.change ?? 0
  return {
    differences: Float64Array.from(rows, ({ difference }) => difference),
    restarted,
    isLast: rows.length < ROWS_PER_PAGE,
    cursor: { change, ...toPosition(last ?? (restarted ? FIRST : cursor)) },
  }
}

/** Whether a change since a cursor was made lies before it, or one that is forgotten may. */
function isDisturbed(cursor: DifferencesCursor, changes: readonly (PairPosition & { change: number })[]): boolean {
  const [next] = changes
  if (next === undefined) return false
  return next.change > cursor.change + 1 || changes.some(change => !isBefore(cursor, change))
}

/** Before every pair. */
const FIRST: PairPosition = { at: Number.MIN_SAFE_INTEGER, request: '00000000-0000-0000-0000-000000000000', row: -1 }

function toPosition({ at, request, row }: PairPosition): PairPosition {
  return { at, request, row }
}

const listAll = statement<[number], { readonly difference: number }>(
  'select difference from pair where race = ? order by at, request, row',
)
const listChanges = statement<[number, number], PairPosition & { readonly change: number }>(
  'select change, at, request, row from pair_change where race = ? and change > ? order by change',
)
// The first condition is for the index: a database may not use it for the comparison of rows.
const listAfter = statement<
  [number, number, number, string, number, number],
  PairPosition & { readonly difference: number }
>(
  `select at, request, row, difference from pair
    where race = ? and at >= ? and (at, request, row) > (?, ?, ?) order by at, request, row limit ?`,
)

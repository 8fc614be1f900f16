import type { DifferencePage, DifferencesCursor } from './facts/pairs.ts'
import { isBefore, type PairPosition } from './pairs.ts'
import { type Sql, statement } from './sql.ts'

/** Differences that are read at once. */
const ROWS_PER_PAGE = 50_000

/**
 * The differences after those that the last of some cursors has passed which nothing before it has disturbed; all from
 * the first where none is left, because one has changed or it is not known any more whether one has.
 */
export async function readDifferencesAfter(
  sql: Sql,
  race: number,
  cursors: readonly DifferencesCursor[],
): Promise<DifferencePage> {
  const known = cursors.length === 0 ? 0 : Math.min(...cursors.map(({ change }) => change))
  const changes = await sql.all(listChanges(race, known))
  const from = cursors.findLastIndex(cursor => !isDisturbed(cursor, changes))
  const before = cursors[from] ?? { ...FIRST, change: 0 }
  const { at, request, row } = before
  const rows = await sql.all(listAfter(race, at, at, request, row, ROWS_PER_PAGE))
  const change = changes.at(-1)?.change ?? before.change
  return {
    differences: Float64Array.from(rows, ({ difference }) => difference),
    weights: Float64Array.from(rows, ({ weight }) => weight),
    from: from < 0 ? undefined : from,
    isLast: rows.length < ROWS_PER_PAGE,
    cursor: { change, ...toPosition(rows.at(-1) ?? before) },
  }
}

/** Whether a change since a cursor was made lies before it, or one that is forgotten may. */
function isDisturbed(cursor: DifferencesCursor, changes: readonly (PairPosition & { change: number })[]): boolean {
  const since = changes.filter(({ change }) => change > cursor.change)
  const [next] = since
  if (next === undefined) return false
  return next.change > cursor.change + 1 || since.some(change => !isBefore(cursor, change))
}

/** Before every pair. */
const FIRST: PairPosition = { at: Number.MIN_SAFE_INTEGER, request: '00000000-0000-0000-0000-000000000000', row: -1 }

function toPosition({ at, request, row }: PairPosition): PairPosition {
  return { at, request, row }
}

const listChanges = statement<[number, number], PairPosition & { readonly change: number }>(
  'select change, at, request, row from pair_change where race = ? and change > ? order by change',
)
// The first condition is for the index: a database may not use it for the comparison of rows.
const listAfter = statement<
  [number, number, number, string, number, number],
  PairPosition & { readonly difference: number; readonly weight: number }
>(
  `select at, request, row, difference, weight from pair
    where race = ? and at >= ? and (at, request, row) > (?, ?, ?) order by at, request, row limit ?`,
)

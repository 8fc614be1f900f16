import { merge } from '../judge/index.ts'
import { raise } from './counters.ts'
import { toDayOf, toDayRange, toKeyFloor } from './days.ts'
import { type AggregateKey, type AggregateRow, computeAggregate, readAggregate, writeAggregate } from './ledger.ts'
import { type Sql, statement } from './sql.ts'

/** Requests that one transaction deletes, so that nobody waits long for it. */
const REQUESTS_PER_STEP = 5000
/** The day of what was pruned of days that were not pruned whole. */
const SEALED = -1

/** Rows that pruning would delete now. */
export function countPrunable(sql: Sql, before: number): number {
  const floor = toKeyFloor(before)
  const counts = [
    ...COUNTS.map(query => sql.get(query(floor))),
    sql.get(countObservations(floor, before)),
    sql.get(countConflicts(before)),
    sql.get(countEntities(before)),
  ]
  return counts.reduce((sum, row) => sum + (row?.n ?? 0), 0)
}

/**
 * Closes everything before an instant: from now on records and truths of older requests change nothing. Sums of whole
 * days stay as they are; those of the day that is cut are split.
 */
export function sealBefore(sql: Sql, before: number): void {
  raise(sql, 'pruned-before', before)
  const day = toDayOf(before)
  const range = toDayRange(day)
  const floor = toKeyFloor(before)
  for (const key of sql.all(listKeys(day))) {
    const old = computeAggregate(sql, key, { from: range.from, to: floor })
    if (old.count === 0) continue
    const sealed = { ...key, day: SEALED }
    writeAggregate(sql, sealed, mergeRows(readAggregate(sql, sealed), old))
    writeAggregate(sql, key, computeAggregate(sql, key, { from: floor, to: range.to }))
  }
}

/** Deletes some of the rows before an instant; `done` when none is left. */
export function pruneStep(sql: Sql, before: number): { readonly rows: number; readonly done: boolean } {
  const floor = toKeyFloor(before)
  const bound = sql.get(findBound(floor, REQUESTS_PER_STEP))?.request ?? floor
  const deleted = DELETES.map(query => sql.run(query(bound)).changes)
  const done = bound === floor
  if (done) {
    deleted.push(
      sql.run(deleteObservations(before)).changes,
      sql.run(deleteConflicts(before)).changes,
      sql.run(deleteEntities(before)).changes,
    )
  }
  return { rows: deleted.reduce((sum, n) => sum + n, 0), done }
}

function mergeRows(left: AggregateRow, right: AggregateRow): AggregateRow {
  const { count, mean, m2 } = merge(left, right)
  return { count, mean, m2, peak: m2, events: left.events + right.events }
}

interface Found {
  readonly n: number
}

const TABLES = ['answer', 'prediction', 'truth'] as const
const COUNTS = TABLES.map(table => statement<[string], Found>(`select count(*) as n from ${table} where request < ?`))
const DELETES = TABLES.map(table => statement<[string]>(`delete from ${table} where request < ?`))

/** Observations stay as long as a prediction for them does. */
const isUnused = (floor: '' | 'and p.request >= ?'): string =>
  `not exists (select 1 from prediction p where p.series = observation.series and p.target_at = observation.at ${floor})`
const countObservations = statement<[string, number], Found>(
  `select count(*) as n from observation where ${isUnused('and p.request >= ?')} and received_at < ?`,
)
const deleteObservations = statement<[number]>(`delete from observation where ${isUnused('')} and received_at < ?`)
const countConflicts = statement<[number], Found>('select count(*) as n from conflict where at < ?')
const deleteConflicts = statement<[number]>('delete from conflict where at < ?')

/** Entities are needed until the next epoch has begun and what it replaced is old. */
const IS_OVER = 'exists (select 1 from epoch next where next.epoch > entity.epoch and next.started_at < ?)'
const countEntities = statement<[number], Found>(`select count(*) as n from entity where ${IS_OVER}`)
const deleteEntities = statement<[number]>(`delete from entity where ${IS_OVER}`)

const findBound = statement<[string, number], { readonly request: string }>(
  'select request from answer where request < ? order by request limit 1 offset ?',
)
const listKeys = statement<[number], AggregateKey>(
  'select race, epoch, part, variant, day from aggregate where day = ?',
)

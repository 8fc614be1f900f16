import { merge } from '../judge/index.ts'
import { type Sql, statement } from './sql.ts'
import { raise } from './sums/counters.ts'
import { type CrossKey, computeCross, mergeCross, readCross, writeCross } from './sums/cross-ledger.ts'
import { type KeyRange, toDayOf, toDayRange, toKeyFloor } from './sums/days.ts'
import { mergeEnds } from './sums/ends.ts'
import {
  type AggregateKey,
  type AggregateRow,
  computeAggregate,
  readAggregates,
  writeAggregates,
} from './sums/ledger.ts'

/** Requests that one transaction deletes, so that nobody waits long for it. */
const REQUESTS_PER_STEP = 5000
/** The day of what was pruned of days that were not pruned whole. */
const SEALED = -1

/** Rows that pruning would delete now. */
export async function countPrunable(sql: Sql, before: number): Promise<number> {
  const floor = toKeyFloor(before)
  const queries = [...COUNTS.map(query => query(floor)), countObservations(floor, before), countConflicts(before)]
  let rows = 0
  for (const query of [...queries, countEntities(before)]) rows += (await sql.get(query))?.n ?? 0
  return rows
}

/**
 * Closes everything before an instant: from now on records and truths of older requests change nothing. Sums of whole
 * days stay as they are; those of the day that is cut are split.
 */
export async function sealBefore(sql: Sql, before: number): Promise<void> {
  await raise(sql, 'pruned-before', before)
  const range = toDayRange(toDayOf(before))
  await sealAggregates(sql, toDayOf(before), { ...range, cut: toKeyFloor(before) })
  await sealCross(sql, toDayOf(before), { ...range, cut: toKeyFloor(before) })
}

/** Deletes some of the rows before an instant; `done` when none is left. */
export async function pruneStep(sql: Sql, before: number): Promise<{ readonly rows: number; readonly done: boolean }> {
  const floor = toKeyFloor(before)
  const bound = (await sql.get(findBound(floor, REQUESTS_PER_STEP)))?.request ?? floor
  const done = bound === floor
  const rest = done ? [deleteObservations(before), deleteConflicts(before), deleteEntities(before)] : []
  let rows = 0
  for (const query of [...DELETES.map(query => query(bound)), ...rest]) rows += await sql.run(query)
  return { rows, done }
}

/** A day of requests that is cut in two. */
interface Cut extends KeyRange {
  readonly cut: string
}

async function sealAggregates(sql: Sql, day: number, { from, cut, to }: Cut): Promise<void> {
  for (const key of await sql.all(listKeys(day))) {
    const old = await computeAggregate(sql, key, { from, to: cut })
    if (old.count === 0) continue
    const sealed = { ...key, day: SEALED }
    const known = await readAggregates(sql, [sealed])
    await writeAggregates(sql, [
      [sealed, mergeRows(known(sealed), old)],
      [key, await computeAggregate(sql, key, { from: cut, to })],
    ])
  }
}

async function sealCross(sql: Sql, day: number, { from, cut, to }: Cut): Promise<void> {
  for (const key of await sql.all(listCrossKeys(day))) {
    const old = await computeCross(sql, key, { from, to: cut })
    if (old.count === 0) continue
    const sealed = { ...key, day: SEALED }
    await writeCross(sql, [
      [sealed, mergeCross(await readCross(sql, sealed), old)],
      [key, await computeCross(sql, key, { from: cut, to })],
    ])
  }
}

function mergeRows(left: AggregateRow, right: AggregateRow): AggregateRow {
  const { count, mean, m2 } = merge(left, right)
  const [events, above] = [left.events + right.events, left.above + right.above]
  return { count, mean, m2, peak: m2, events, above, ...mergeEnds(left, right) }
}

interface Found {
  readonly n: number
}

const TABLES = ['answer', 'prediction', 'truth', 'body'] as const
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
const listCrossKeys = statement<[number], CrossKey>(
  "select race, epoch, part, variant, day from cross_sum where day = ? and part <> 'cluster'",
)

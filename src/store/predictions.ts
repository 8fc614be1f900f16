import { createHash } from 'node:crypto'
import type { PredictionRecord } from '../core/wire/records.ts'
import { count, readCounter } from './counters.ts'
import { toKeyFloor } from './days.ts'
import { Ledger } from './ledger.ts'
import { Outcomes } from './outcomes.ts'
import { findRaceOfEpoch } from './races.ts'
import { type Sql, type SqlValue, statement } from './sql.ts'

/** Stores records and joins what truth is here; one transaction's work. */
export function addPredictions(
  sql: Sql,
  records: readonly PredictionRecord[],
): { readonly added: number; readonly joined: number } {
  const ledger = new Ledger(sql)
  const outcomes = new Outcomes(sql, ledger)
  const floor = toKeyFloor(readCounter(sql, 'pruned-before'))
  const races = new Map<number, number | null>()
  const added = records.filter(record => {
    if (record.request < floor) return false
    if (!races.has(record.epoch)) races.set(record.epoch, findRaceOfEpoch(sql, record.epoch))
    return addRecord(sql, ledger, record, races.get(record.epoch) ?? null)
  })
  const joined = joinAdded(outcomes, added)
  ledger.flush()
  return { added: added.length, joined }
}

/** Settles the rows of new records; returns how many of the records have a row whose truth is known. */
function joinAdded(outcomes: Outcomes, added: readonly PredictionRecord[]): number {
  const byRow = new Map<string, PredictionRecord[]>()
  for (const record of added) {
    for (const row of record.rows.keys()) {
      const key = `${record.request}/${row}`
      byRow.set(key, [...(byRow.get(key) ?? []), record])
    }
  }
  const joined = new Set<PredictionRecord>()
  for (const [key, records] of byRow) {
    const [request = '', row] = key.split('/')
    const known = outcomes.settle(request, Number(row))
    for (const record of records) if (known.includes(record.variant)) joined.add(record)
  }
  return joined.size
}

/** Stores one record; says whether it was new. */
function addRecord(sql: Sql, ledger: Ledger, record: PredictionRecord, race: number | null): boolean {
  const { request, variant, epoch, served, pinned } = record
  const { changes } = sql.run(insertAnswer(...toAnswerValues(record, race)))
  if (changes === 0) return false
  for (const [row, { at, prediction, series }] of record.rows.entries()) {
    sql.run(insertPrediction(request, row, variant, series ?? null, at ?? null, JSON.stringify(prediction)))
    greetOrphan(sql, request, row, series, at)
  }
  if (served && isAnswer(record) && sql.get(findOtherAnswer(request, variant)) === undefined) count(sql, 'served', 1)
  if (race !== null) {
    const draw = served && pinned !== true ? toDraw(sql, record) : {}
    ledger.count(race, epoch, variant, { predictions: record.rows.length, ...draw })
  }
  return true
}

/** An orphan is one no more when its first prediction comes. */
function greetOrphan(sql: Sql, request: string, row: number, series: string | undefined, at: number | undefined): void {
  const byId = sql.run(joinTruth(request, row)).changes
  const bySeries = series === undefined || at === undefined ? 0 : sql.run(joinObservation(series, at)).changes
  count(sql, 'truth-orphan', -(byId + bySeries))
  count(sql, 'truth-new', byId + bySeries)
}

/** An entity that keeps coming was drawn only once. */
function toDraw(sql: Sql, { entity, epoch }: PredictionRecord): { readonly drawn?: 1; readonly repeated?: 1 } {
  if (entity === undefined) return { drawn: 1 }
  const digest = createHash('sha256').update(entity).digest('base64url').slice(0, 22)
  return sql.run(insertEntity(epoch, digest)).changes === 1 ? { drawn: 1 } : { repeated: 1 }
}

/** Whether the client got what it asked for. */
function isAnswer({ status }: PredictionRecord): boolean {
  return status >= 200 && status <= 299
}

type AnswerValues = [string, number, number, SqlValue, number, number, number, number, number, number, string, SqlValue]

function toAnswerValues(record: PredictionRecord, race: number | null): AnswerValues {
  const { request, variant, epoch, at, served, propensity, pinned, status, latencyUs, replica, error } = record
  const flags = [Number(served), propensity, Number(pinned === true)] as const
  return [request, variant, epoch, race, at, ...flags, status, latencyUs, replica, error ?? null]
}

const insertAnswer = statement<AnswerValues>(
  'insert into answer values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing',
)
const insertPrediction = statement<[string, number, number, string | null, number | null, string]>(
  'insert into prediction values (?, ?, ?, ?, ?, ?, 0, null)',
)
const insertEntity = statement<[number, string]>('insert into entity values (?, ?) on conflict do nothing')
const findOtherAnswer = statement<[string, number], { readonly variant: number }>(
  'select variant from answer where request = ? and variant <> ? and served = 1 and status between 200 and 299',
)
const joinTruth = statement<[string, number]>(
  'update truth set joined = 1 where request = ? and row = ? and joined = 0',
)
const joinObservation = statement<[string, number]>(
  'update observation set joined = 1 where series = ? and at = ? and joined = 0',
)

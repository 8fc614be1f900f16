import { createHash } from 'node:crypto'
import type { PredictionRecord, RecordRow } from '../core/wire/records.ts'
import { addBodies } from './bodies.ts'
import type { StoredRace } from './facts/race.ts'
import { Outcomes } from './outcomes.ts'
import { isRacer, readRacesOfEpochs } from './races.ts'
import { toSeriesKey } from './series-key.ts'
import type { Subject } from './settled.ts'
import { bulk, bulkInsert, type Sql, statement } from './sql.ts'
import { count, readCounters } from './sums/counters.ts'
import { toHourOf, toInstant, toKeyFloor } from './sums/days.ts'
import { countOrphansJoined } from './truth-rows.ts'

/** A new record, and the races that its variant is in. */
interface Added {
  readonly record: PredictionRecord
  readonly races: readonly StoredRace[]
}

/** Stores records and joins what truth is here; one transaction's work. */
export async function addPredictions(
  sql: Sql,
  records: readonly PredictionRecord[],
  now: number,
): Promise<{ readonly added: number; readonly joined: number }> {
  const [counters, last, races] = await Promise.all([
    readCounters(sql),
    sql.get(findLast()),
    readRacesOfEpochs(sql, new Set(records.map(({ epoch }) => epoch))),
  ])
  const floor = toKeyFloor(counters['pruned-before'] ?? 0)
  const open = records.filter(record => record.request >= floor)
  const known = await readKnown(sql, open, last?.request ?? '')
  if (known.fresh.length === 0) return { added: 0, joined: 0 }
  const added = known.fresh.map(record => ({
    record,
    races: (races.get(record.epoch) ?? []).filter(race => isRacer(race, record.variant)),
  }))
  await sql.bulk(insertAnswers, added.map(toAnswerColumns))
  await sql.bulk(insertPredictions, added.flatMap(toPredictionColumns))
  await addBodies(sql, known.fresh)
  const outcomes = new Outcomes(sql, { now, isTruthNew: false })
  for (const one of added) countRecord(outcomes, one)
  await countDraws(sql, outcomes, added)
  const hasOrphans = (counters['truth-orphan'] ?? 0) > 0
  if (hasOrphans) await greetOrphans(sql, known.fresh)
  const subjects = listSubjects(known.fresh, request => hasOrphans || known.requests.has(request))
  const joined = await outcomes.settleRows(subjects)
  await outcomes.flush()
  await count(sql, { served: countServed(known) })
  return { added: added.length, joined: countJoined(known.fresh, joined) }
}

/** Which records of a batch are new, and what was here of their requests. */
interface Known {
  readonly fresh: readonly PredictionRecord[]
  /** Requests with a record, and those that a client got an answer to. */
  readonly requests: ReadonlySet<string>
  readonly served: ReadonlySet<string>
}

/** Ids go up with time: what comes after the last that is here need not be looked for. */
async function readKnown(sql: Sql, records: readonly PredictionRecord[], last: string): Promise<Known> {
  const requests = [...new Set(records.map(({ request }) => request).filter(request => request <= last))]
  const found = await sql.bulk(
    findAnswers,
    requests.map(request => ({ request })),
  )
  const keys = new Set(found.map(({ request, variant }) => `${request} ${variant}`))
  const fresh = records.filter(({ request, variant }) => {
    const key = `${request} ${variant}`
    return keys.size < keys.add(key).size
  })
  return {
    fresh,
    requests: new Set(found.map(({ request }) => request)),
    served: new Set(found.filter(({ answers }) => answers === 1).map(({ request }) => request)),
  }
}

function countRecord({ tallies }: Outcomes, { record, races }: Added): void {
  const { epoch, latencyUs, request, rows, variant } = record
  for (const { id: race } of races) {
    const counts = tallies.of({ race, epoch, variant })
    counts.add('predictions', rows.length)
    counts.add('answers', 1)
    if (isAnswer(record)) counts.time('latency', latencyUs / 1000)
    else counts.add('errors', 1)
    if (rows.length > 0) counts.ripen('predictions', toHourOf(toInstant(request)), rows.length)
  }
}

/** Counts what chance drew. An entity that keeps coming was drawn only once. */
async function countDraws(sql: Sql, { tallies }: Outcomes, added: readonly Added[]): Promise<void> {
  const drawn = added
    .filter(({ record, races }) => races.length > 0 && record.served && record.pinned !== true)
    .map(one => ({ ...one, sticky: toSticky(one.record) }))
  const all = drawn.flatMap(({ sticky }) => sticky ?? [])
  const seen = new Set((await sql.bulk(findEntities, all)).map(toEntityId))
  const first: Sticky[] = []
  for (const { record, races, sticky } of drawn) {
    const { epoch, variant } = record
    const isRepeated = sticky !== undefined && seen.size === seen.add(toEntityId(sticky)).size
    if (sticky !== undefined && !isRepeated) first.push(sticky)
    for (const { id: race } of races) tallies.of({ race, epoch, variant }).add(isRepeated ? 'repeated' : 'drawn', 1)
  }
  await sql.bulk(insertEntities, first)
}

/** An entity that stays with its variant within an epoch. */
interface Sticky {
  readonly epoch: number
  readonly entity: string
}

function toSticky({ entity, epoch }: PredictionRecord): Sticky | undefined {
  return entity === undefined ? undefined : { epoch, entity: toDigest(entity) }
}

function toEntityId({ epoch, entity }: Sticky): string {
  return `${epoch} ${entity}`
}

/** Orphans are none any more when their first prediction comes. */
async function greetOrphans(sql: Sql, fresh: readonly PredictionRecord[]): Promise<void> {
  const rows = fresh.flatMap(({ request, rows }) => rows.map((row, at) => ({ request, row: at, ...toTarget(row) })))
  const joined = await countOrphansJoined(sql, rows)
  await count(sql, { 'truth-orphan': -joined, 'truth-new': joined })
}

/** The rows of new records whose truth may be here: of a series, or `isLikely`. */
function listSubjects(fresh: readonly PredictionRecord[], isLikely: (request: string) => boolean): readonly Subject[] {
  const subjects = new Map<string, Subject>()
  for (const { request, rows } of fresh) {
    const all = isLikely(request)
    for (const [row, { at, series }] of rows.entries()) {
      if (all || (at !== undefined && series !== undefined)) subjects.set(`${request}/${row}`, { request, row })
    }
  }
  return [...subjects.values()]
}

function countJoined(fresh: readonly PredictionRecord[], joined: readonly Joined[]): number {
  const known = new Set(joined.map(({ request, variant }) => `${request} ${variant}`))
  return fresh.filter(({ request, variant }) => known.has(`${request} ${variant}`)).length
}

interface Joined {
  readonly request: string
  readonly variant: number
}

/** Requests that a client got an answer to for the first time. */
function countServed({ fresh, served }: Known): number {
  const answered = fresh.filter(record => record.served && isAnswer(record) && !served.has(record.request))
  return new Set(answered.map(({ request }) => request)).size
}

/** Whether the client got what it asked for. */
function isAnswer({ status }: PredictionRecord): boolean {
  return status >= 200 && status <= 299
}

function toAnswerColumns({ record }: Added) {
  const { request, variant, epoch, at, served, propensity, pinned, status, latencyUs, replica, error } = record
  return {
    request,
    variant,
    epoch,
    at,
    served: Number(served),
    propensity,
    pinned: Number(pinned === true),
    status,
    latency_us: latencyUs,
    replica,
    error: error ?? null,
  }
}

function toPredictionColumns({ record }: Added) {
  const { request, variant } = record
  return record.rows.map((one, row) => {
    const { series, target_at } = toTarget(one)
    const entity = one.entity ?? record.entity
    return {
      request,
      row,
      variant,
      series,
      target_at,
      value: JSON.stringify(one.prediction),
      state: 0,
      entity: entity === undefined ? null : toDigest(entity),
      covariate: one.covariate ?? null,
    }
  })
}

function toTarget({ at, series }: RecordRow): { readonly series: string | null; readonly target_at: number | null } {
  return { series: series === undefined ? null : toSeriesKey(series), target_at: at ?? null }
}

function toDigest(entity: string): string {
  return createHash('sha256').update(entity).digest('base64url').slice(0, 22)
}

const findLast = statement<[], { readonly request: string }>('select request from answer order by request desc limit 1')
const findAnswers = bulk<
  { request: 'uuid' },
  { readonly request: string; readonly variant: number; readonly answers: number }
>(
  { request: 'uuid' },
  from => `select a.request, a.variant,
      case when a.served = 1 and a.status between 200 and 299 then 1 else 0 end as answers
    from ${from} join answer a on a.request = input.request`,
)
const insertAnswers = bulkInsert('answer', {
  ...({ request: 'uuid', variant: 'integer', epoch: 'integer', at: 'integer' } as const),
  ...({ served: 'integer', propensity: 'real', pinned: 'integer', status: 'integer', latency_us: 'real' } as const),
  ...({ replica: 'text', error: 'text' } as const),
})
const insertPredictions = bulkInsert('prediction', {
  ...({ request: 'uuid', row: 'integer', variant: 'integer', series: 'text', target_at: 'integer' } as const),
  ...({ value: 'text', state: 'integer', entity: 'text', covariate: 'real' } as const),
})
const ENTITY = { epoch: 'integer', entity: 'text' } as const
const findEntities = bulk<typeof ENTITY, { readonly epoch: number; readonly entity: string }>(
  ENTITY,
  from => `select e.epoch, e.entity from ${from} join entity e on e.epoch = input.epoch and e.entity = input.entity`,
)
const insertEntities = bulkInsert('entity', ENTITY)

import type { Truth } from './facts/truth.ts'
import type { Changed, Known } from './fates.ts'
import { type Answered, type Subject, toSubjectId } from './settled.ts'
import { bulk, bulkInsert, bulkUpdate, type Sql } from './sql.ts'

/** A truth by the id of a prediction, or by series and time. */
export type By<kind extends Truth['by']> = Extract<Truth, { readonly by: kind }>

/** A series at a time. */
export interface Target {
  readonly series: string
  readonly at: number
}

/** How a time of a series is named within a transaction: never as a request's row, whatever the series is called. */
export function toTargetId({ series, at }: Target): string {
  return `${series}@${at}`
}

/** What is known of truths by the predictions (`answered`) that they are about, or by their own keys. */
export async function readKnown(
  sql: Sql,
  subjects: ReadonlyMap<string, Subject>,
  answered: ReadonlyMap<string, readonly Answered[]>,
): Promise<ReadonlyMap<string, Known>> {
  const known = new Map<string, Known>()
  const others: Subject[] = []
  for (const [id, subject] of subjects) {
    const one = answered.get(id)?.[0]
    if (one === undefined) others.push(subject)
    else if (one.by_id !== null && one.revision !== null)
      known.set(id, { value: one.by_id, revision: one.revision, joined: 1 })
  }
  for (const found of await sql.bulk(findTruths, others)) known.set(toSubjectId(found), found)
  return known
}

/** What is known of truths of series. */
export async function readKnownSeries(sql: Sql, targets: readonly Target[]): Promise<ReadonlyMap<string, Known>> {
  return new Map((await sql.bulk(findObservations, targets)).map(found => [toTargetId(found), found]))
}

/** Writes truths of rows of requests; `isJoined` says which are about a prediction that is here. */
export async function putTruths(
  sql: Sql,
  changed: readonly Changed<By<'prediction'>>[],
  now: number,
  isJoined: (id: string) => boolean,
): Promise<void> {
  const toRow = ({ id, truth, value }: Changed<By<'prediction'>>) => {
    const { request, row } = truth.id
    return { request, row, ...toColumns(truth, value, now), joined: Number(isJoined(id)) }
  }
  await sql.bulk(insertTruths, changed.filter(isNew).map(toRow))
  await sql.bulk(updateTruths, changed.filter(one => !isNew(one)).map(toRow))
}

/** Writes truths of series. New ones are about no prediction until `joinObservations` says so. */
export async function putObservations(sql: Sql, changed: readonly Changed<By<'series'>>[], now: number): Promise<void> {
  const toRow = ({ known, truth, value }: Changed<By<'series'>>) => {
    const { series, at } = truth
    return { series, at, ...toColumns(truth, value, now), joined: known?.joined ?? 0 }
  }
  await sql.bulk(insertObservations, changed.filter(isNew).map(toRow))
  await sql.bulk(updateObservations, changed.filter(one => !isNew(one)).map(toRow))
}

function isNew({ known }: Changed<Truth>): boolean {
  return known === undefined
}

function toColumns({ revision, source }: Truth, value: string, now: number) {
  return { value, revision, source: source ?? null, received_at: now }
}

/** Notes that predictions have come for times of series. */
export async function joinObservations(sql: Sql, targets: readonly Target[]): Promise<void> {
  await sql.bulk(setObservationsJoined, targets)
}

/** Rows of requests that truths of series are about, each as often as it has a target. */
export async function listBySeries(
  sql: Sql,
  targets: readonly Target[],
  floor: string,
): Promise<readonly (Subject & Target)[]> {
  return await sql.bulk(
    listSubjects,
    targets.map(({ series, at }) => ({ series, at, floor })),
  )
}

/** Notes that predictions have come for what waits for them; returns how many truths waited. */
export async function countOrphansJoined(
  sql: Sql,
  rows: readonly (Subject & { readonly series: string | null; readonly target_at: number | null })[],
): Promise<number> {
  const byId = new Map(rows.map(({ request, row }) => [toSubjectId({ request, row }), { request, row }]))
  const targets = rows.flatMap(({ series, target_at: at }) => (series === null || at === null ? [] : [{ series, at }]))
  const bySeries = new Map(targets.map(target => [toTargetId(target), target]))
  const truths = await sql.bulk(findOrphans, [...byId.values()])
  const observations = await sql.bulk(findSeriesOrphans, [...bySeries.values()])
  await sql.bulk(setTruthsJoined, truths)
  await joinObservations(sql, observations)
  return truths.length + observations.length
}

const SUBJECT = { request: 'uuid', row: 'integer' } as const
const TARGET = { series: 'text', at: 'integer' } as const
const COLUMNS = {
  value: 'text',
  revision: 'integer',
  source: 'text',
  received_at: 'integer',
  joined: 'integer',
} as const
const TRUTH = { ...SUBJECT, ...COLUMNS } as const
const OBSERVATION = { ...TARGET, ...COLUMNS } as const

const IS_SUBJECT = 't.request = input.request and t.row = input.row'
const IS_TARGET = 'o.series = input.series and o.at = input.at'

const findTruths = bulk<typeof SUBJECT, Subject & Known>(
  SUBJECT,
  from => `select t.request, t.row, t.value, t.revision, t.joined from ${from} join truth t on ${IS_SUBJECT}`,
)
const findObservations = bulk<typeof TARGET, Target & Known>(
  TARGET,
  from => `select o.series, o.at, o.value, o.revision, o.joined from ${from} join observation o on ${IS_TARGET}`,
)
const findOrphans = bulk<typeof SUBJECT, Subject>(
  SUBJECT,
  from => `select t.request, t.row from ${from} join truth t on ${IS_SUBJECT} where t.joined = 0`,
)
const findSeriesOrphans = bulk<typeof TARGET, Target>(
  TARGET,
  from => `select o.series, o.at from ${from} join observation o on ${IS_TARGET} where o.joined = 0`,
)
const setTruthsJoined = bulk<typeof SUBJECT>(
  SUBJECT,
  from => `update truth as t set joined = 1 from ${from} where ${IS_SUBJECT}`,
)
const setObservationsJoined = bulk<typeof TARGET>(
  TARGET,
  from => `update observation as o set joined = 1 from ${from} where ${IS_TARGET}`,
)
const insertTruths = bulkInsert('truth', TRUTH)
const updateTruths = bulkUpdate('truth', ['request', 'row'], TRUTH)
const insertObservations = bulkInsert('observation', OBSERVATION)
const updateObservations = bulkUpdate('observation', ['series', 'at'], OBSERVATION)
const BY_SERIES = { ...TARGET, floor: 'uuid' } as const
const listSubjects = bulk<typeof BY_SERIES, Subject & Target>(
  BY_SERIES,
  from => `select distinct p.request, p.row, p.series, p.target_at as at
    from ${from} join prediction p on p.series = input.series and p.target_at = input.at and p.request >= input.floor`,
)

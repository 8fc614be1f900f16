import { type Counter, count, readCounter, readCounters } from './counters.ts'
import { toKeyFloor } from './days.ts'
import { Outcomes } from './outcomes.ts'
import { toSeriesKey } from './series-key.ts'
import type { Answered, Subject } from './settled.ts'
import { bulk, bulkInsert, orReplace, type Sql } from './sql.ts'
import type { Truth, TruthCounts } from './store.ts'

/** What becomes of one truth. */
type Fate = keyof TruthCounts

const FATES = ['new', 'duplicate', 'revised', 'stale', 'conflict', 'orphan'] as const satisfies readonly Fate[]

/** No truths. */
export const NO_TRUTHS: TruthCounts = toCounts(() => 0)

/** Truths of series that are joined at once: each may be about very many predictions. */
const SERIES_PER_STEP = 50

/** What the database knows of what a truth is about; `isNew` where it was not there before this batch. */
interface Known {
  readonly value: string
  readonly revision: number
  readonly joined: number
  readonly isNew: boolean
}

/** What is to be written of a truth. */
interface Stored {
  readonly truth: Truth
  readonly value: string
}

/** Stores truths and joins them to every prediction that they are about; one transaction's work. */
export async function addTruths(sql: Sql, truths: readonly Truth[], now: number): Promise<TruthCounts> {
  const batch = truths.map(toKeyed)
  const outcomes = new Outcomes(sql, { now, isTruthNew: true })
  const { byId, bySeries } = split([...new Map(batch.map(one => [one.id, one])).values()])
  const [prunedBefore, answered, knownSeries] = await Promise.all([
    readCounter(sql, 'pruned-before'),
    outcomes.list(byId.map(({ truth }) => truth.id)),
    readKnownSeries(sql, bySeries),
  ])
  const floor = toKeyFloor(prunedBefore)
  const known = new Map([...knownSeries, ...(await readKnown(sql, byId, answered))])
  const { counts, changed, conflicts } = sort(batch, known, floor)
  await sql.bulk(
    insertConflicts,
    conflicts.map(conflict => ({ ...conflict, at: now })),
  )
  const joined = await join(sql, { outcomes, answered, changed, floor })
  await outcomes.flush()
  await write(sql, [...changed.values()], joined, now)
  const orphans = [...changed].filter(([id, { known }]) => known.isNew && !joined.has(id)).length
  const all = { ...counts, new: counts.new - orphans, orphan: orphans }
  await count(sql, Object.fromEntries(FATES.map(fate => [`truth-${fate}` satisfies Counter, all[fate]])))
  return all
}

/** All truths that were ever taken in, by what became of them. */
export async function readTruthCounts(sql: Sql): Promise<TruthCounts> {
  const counters = await readCounters(sql)
  return toCounts(fate => counters[`truth-${fate}`] ?? 0)
}

/** Counts of two lots of truths together. */
export function sumCounts(left: TruthCounts, right: TruthCounts): TruthCounts {
  return toCounts(fate => left[fate] + right[fate])
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
  await sql.bulk(joinTruths, truths)
  await sql.bulk(joinObservations, observations)
  return truths.length + observations.length
}

function toCounts(of: (fate: Fate) => number): TruthCounts {
  return {
    new: of('new'),
    duplicate: of('duplicate'),
    revised: of('revised'),
    stale: of('stale'),
    conflict: of('conflict'),
    orphan: of('orphan'),
  }
}

/** A truth with the identity of what it is about. */
interface Keyed {
  readonly id: string
  readonly truth: Truth
}

function toKeyed(truth: Truth): Keyed {
  if (truth.by === 'prediction') return { id: toSubjectId(truth.id), truth }
  const series = toSeriesKey(truth.series)
  return { id: toTargetId({ ...truth, series }), truth: { ...truth, series } }
}

function toSubjectId({ request, row }: Subject): string {
  return `${request}/${row}`
}

/** Never that of a request's row, whatever the series is called. */
function toTargetId({ series, at }: { readonly series: string | null; readonly at: number | null }): string {
  return `${series}@${at}`
}

/** What is known of truths by the predictions that they are about, or where there are none by their own keys. */
async function readKnown(
  sql: Sql,
  byId: readonly (Keyed & { readonly truth: By<'prediction'> })[],
  answered: readonly Answered[],
): Promise<ReadonlyMap<string, Known>> {
  const known = new Map<string, Known>()
  const predicted = new Set<string>()
  for (const one of answered) {
    const id = toSubjectId(one)
    predicted.add(id)
    const { by_id: value, revision } = one
    if (value !== null && revision !== null) known.set(id, { value, revision, joined: 1, isNew: false })
  }
  const others = byId.filter(({ id }) => !predicted.has(id)).map(({ truth }) => truth.id)
  for (const { request, row, ...truth } of await sql.bulk(findTruths, others))
    known.set(toSubjectId({ request, row }), { ...truth, isNew: false })
  return known
}

async function readKnownSeries(
  sql: Sql,
  bySeries: readonly { readonly truth: By<'series'> }[],
): Promise<ReadonlyMap<string, Known>> {
  const found = await sql.bulk(
    findObservations,
    bySeries.map(({ truth: { series, at } }) => ({ series, at })),
  )
  return new Map(found.map(({ series, at, ...known }) => [toTargetId({ series, at }), { ...known, isNew: false }]))
}

interface Conflict {
  readonly subject: string
  readonly revision: number
  readonly refused: string
  readonly kept: string
  readonly source: string | null
}

interface Sorted {
  /** An orphan counts as new here. */
  readonly counts: TruthCounts
  /** The last truth of what is new or revised, and what was known of it. */
  readonly changed: ReadonlyMap<string, Stored & { readonly known: Known }>
  readonly conflicts: readonly Conflict[]
}

/** Says what becomes of each truth, in their order. */
function sort(batch: readonly Keyed[], stored: ReadonlyMap<string, Known>, floor: string): Sorted {
  const known = new Map(stored)
  const counts = { ...NO_TRUTHS }
  const changed = new Map<string, Stored & { readonly known: Known }>()
  const conflicts = new Map<string, Conflict>()
  for (const { id, truth } of batch) {
    const value = JSON.stringify(truth.value)
    const before = known.get(id)
    const fate = toFate(truth, value, before, floor)
    counts[fate] += 1
    if (fate === 'conflict') {
      const { revision, source = null } = truth
      const conflict = { subject: toSubjectText(truth), revision, refused: value, kept: before?.value ?? '', source }
      conflicts.set(`${id} ${revision} ${value}`, conflicts.get(`${id} ${revision} ${value}`) ?? conflict)
    }
    if (fate !== 'new' && fate !== 'revised') continue
    const after = { value, revision: truth.revision, joined: before?.joined ?? 0, isNew: before?.isNew ?? true }
    known.set(id, after)
    changed.set(id, { truth, value, known: after })
  }
  return { counts, changed, conflicts: [...conflicts.values()] }
}

/** How a conflict names what it is about. */
function toSubjectText(truth: Truth): string {
  return truth.by === 'prediction' ? toSubjectId(truth.id) : `${truth.series}/${truth.at}`
}

function toFate(truth: Truth, value: string, known: Known | undefined, floor: string): Exclude<Fate, 'orphan'> {
  // What it is about was pruned: it comes too late.
  if (truth.by === 'prediction' && truth.id.request < floor) return 'stale'
  if (known === undefined) return 'new'
  if (truth.revision < known.revision) return 'stale'
  if (truth.revision > known.revision) return 'revised'
  return value === known.value ? 'duplicate' : 'conflict'
}

/** What truths are joined with. */
interface Joining {
  readonly outcomes: Outcomes
  /** The predictions that truths by an id are about. */
  readonly answered: readonly Answered[]
  /** New and revised truths by what they are about. */
  readonly changed: ReadonlyMap<string, Stored>
  readonly floor: string
}

/** Settles every prediction that changed truths are about; returns the truths that have one. */
async function join(sql: Sql, { answered, changed, floor, outcomes }: Joining): Promise<ReadonlySet<string>> {
  const { bySeries } = split([...changed.values()])
  const toTruth = (one: Answered): string | null => {
    const byId = changed.get(toSubjectId(one))?.value ?? one.by_id
    return byId ?? changed.get(toTargetId({ series: one.series, at: one.target_at }))?.value ?? one.by_series
  }
  const joined = new Set<string>()
  const concerned = answered.filter(one => changed.has(toSubjectId(one)))
  for (const one of await outcomes.settle(concerned, toTruth)) joined.add(toSubjectId(one))
  for (let from = 0; from < bySeries.length; from += SERIES_PER_STEP) {
    const keys = bySeries
      .slice(from, from + SERIES_PER_STEP)
      .map(({ truth: { series, at } }) => ({ series, at, floor }))
    const found = await sql.bulk(listBySeries, keys)
    for (const target of found) joined.add(toTargetId(target))
    await outcomes.settleRows([...new Map(found.map(subject => [toSubjectId(subject), subject])).values()], toTruth)
  }
  return joined
}

async function write(
  sql: Sql,
  changed: readonly (Stored & { readonly known: Known })[],
  joined: ReadonlySet<string>,
  now: number,
): Promise<void> {
  const { byId, bySeries } = split(changed)
  const toColumns = ({ truth, value, known }: Stored & { readonly known: Known }) => {
    const { revision, source = null } = truth
    const isJoined = known.joined === 1 || joined.has(toKeyed(truth).id)
    return { value, revision, source, received_at: now, joined: Number(isJoined) }
  }
  await sql.bulk(
    putTruths,
    byId.map(one => ({ ...one.truth.id, ...toColumns(one) })),
  )
  await sql.bulk(
    putObservations,
    bySeries.map(one => ({ series: one.truth.series, at: one.truth.at, ...toColumns(one) })),
  )
}

type By<kind extends Truth['by']> = Extract<Truth, { readonly by: kind }>

/** Parts truths by the id of a prediction from truths by series and time. */
function split<one extends { readonly truth: Truth }>(
  all: readonly one[],
): {
  readonly byId: readonly (one & { readonly truth: By<'prediction'> })[]
  readonly bySeries: readonly (one & { readonly truth: By<'series'> })[]
} {
  return {
    byId: all.filter((one): one is one & { readonly truth: By<'prediction'> } => one.truth.by === 'prediction'),
    bySeries: all.filter((one): one is one & { readonly truth: By<'series'> } => one.truth.by === 'series'),
  }
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

type StoredTruth = Omit<Known, 'isNew'>
interface Target {
  readonly series: string
  readonly at: number
}

const IS_SUBJECT = 't.request = input.request and t.row = input.row'
const IS_TARGET = 'o.series = input.series and o.at = input.at'

const findTruths = bulk<typeof SUBJECT, Subject & StoredTruth>(
  SUBJECT,
  from => `select t.request, t.row, t.value, t.revision, t.joined from ${from} join truth t on ${IS_SUBJECT}`,
)
const findObservations = bulk<typeof TARGET, Target & StoredTruth>(
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
const joinTruths = bulk<typeof SUBJECT>(
  SUBJECT,
  from => `update truth as t set joined = 1 from ${from} where ${IS_SUBJECT}`,
)
const joinObservations = bulk<typeof TARGET>(
  TARGET,
  from => `update observation as o set joined = 1 from ${from} where ${IS_TARGET}`,
)
const putTruths = bulkInsert('truth', TRUTH, orReplace(['request', 'row'], Object.keys(TRUTH)))
const putObservations = bulkInsert('observation', OBSERVATION, orReplace(['series', 'at'], Object.keys(OBSERVATION)))
const BY_SERIES = { ...TARGET, floor: 'uuid' } as const
const listBySeries = bulk<typeof BY_SERIES, Subject & Target>(
  BY_SERIES,
  from => `select distinct p.request, p.row, p.series, p.target_at as at
    from ${from} join prediction p on p.series = input.series and p.target_at = input.at and p.request >= input.floor`,
)
const insertConflicts = bulkInsert(
  'conflict',
  {
    ...({ subject: 'text', revision: 'integer', refused: 'text', kept: 'text', source: 'text' } as const),
    at: 'integer',
  },
  'on conflict do nothing',
)

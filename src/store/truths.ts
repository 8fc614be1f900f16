import type { Truth, TruthCounts } from './facts/truth.ts'
import { type Changed, type Conflict, decide, FATES, NO_TRUTHS, sumCounts, toReports } from './fates.ts'
import { Outcomes } from './outcomes.ts'
import { toSeriesKey } from './series-key.ts'
import { type Answered, type Subject, toSubjectId } from './settled.ts'
import { bulkInsert, type Sql } from './sql.ts'
import { type Counter, count, readCounter, readCounters } from './sums/counters.ts'
import { toKeyFloor } from './sums/days.ts'
import {
  type By,
  joinObservations,
  listBySeries,
  putObservations,
  putTruths,
  readKnown,
  readKnownSeries,
  type Target,
  toTargetId,
} from './truth-rows.ts'

/** Truths of series that are joined at once: each may be about very many predictions. */
const SERIES_PER_STEP = 50

/** Stores truths and joins them to every prediction that they are about; one transaction's work. */
export async function addTruths(sql: Sql, truths: readonly Truth[], now: number): Promise<TruthCounts> {
  const byId = toReports(truths.filter(isById), ({ id }) => toSubjectId(id))
  const bySeries = toReports(truths.filter(isBySeries).map(toKeyed), toTargetId)
  const outcomes = new Outcomes(sql, { now, isTruthNew: true })
  const subjects = new Map(byId.map(({ id, first }) => [id, first.id]))
  const [prunedBefore, answered, knownSeries] = await Promise.all([
    readCounter(sql, 'pruned-before'),
    outcomes.list([...subjects.values()]),
    readKnownSeries(
      sql,
      bySeries.map(({ first: { series, at } }) => ({ series, at })),
    ),
  ])
  const floor = toKeyFloor(prunedBefore)
  const ofRows = decide(byId, await readKnown(sql, subjects, answered), floor)
  const ofSeries = decide(bySeries, knownSeries, floor)
  await addConflicts(sql, [...ofRows.conflicts, ...ofSeries.conflicts], now)
  await putTruths(sql, ofRows.changed, now, id => answered.has(id))
  await putObservations(sql, ofSeries.changed, now)
  await outcomes.settle(ofRows.changed.flatMap(({ id, value }) => toJudged(answered.get(id), value)))
  const joined = await joinSeries(sql, outcomes, ofSeries.changed, floor)
  await outcomes.flush()
  const isOrphan = ({ id, known }: Changed<Truth>): boolean =>
    known === undefined && !answered.has(id) && !joined.has(id)
  const orphan = [...ofRows.changed, ...ofSeries.changed].filter(isOrphan).length
  const counts = sumCounts(sumCounts(ofRows.counts, ofSeries.counts), { ...NO_TRUTHS, new: -orphan, orphan })
  await count(sql, Object.fromEntries(FATES.map(fate => [`truth-${fate}` satisfies Counter, counts[fate]])))
  return counts
}

/** All truths that were ever taken in, by what became of them. */
export async function readTruthCounts(sql: Sql): Promise<TruthCounts> {
  const counters = await readCounters(sql)
  const counts = { ...NO_TRUTHS }
  for (const fate of FATES) counts[fate] = counters[`truth-${fate}`] ?? 0
  return counts
}

function isById(truth: Truth): truth is By<'prediction'> {
  return truth.by === 'prediction'
}

function isBySeries(truth: Truth): truth is By<'series'> {
  return truth.by === 'series'
}

function toKeyed(truth: By<'series'>): By<'series'> {
  return { ...truth, series: toSeriesKey(truth.series) }
}

function toJudged(row: readonly Answered[] | undefined, truth: string) {
  return row === undefined ? [] : [row.map(answered => ({ answered, truth }))]
}

/** Settles every prediction that truths of series are about; returns the names of the times that have one. */
async function joinSeries(
  sql: Sql,
  outcomes: Outcomes,
  changed: readonly Changed<By<'series'>>[],
  floor: string,
): Promise<ReadonlySet<string>> {
  const joined = new Set<string>()
  for (let from = 0; from < changed.length; from += SERIES_PER_STEP) {
    const step = changed.slice(from, from + SERIES_PER_STEP).map(({ truth }) => truth)
    const found = await listBySeries(sql, step, floor)
    const targets = new Map<string, Target>(found.map(({ series, at }) => [toTargetId({ series, at }), { series, at }]))
    await joinObservations(sql, [...targets.values()])
    for (const id of targets.keys()) joined.add(id)
    const rows = new Map<string, Subject>(
      found.map(({ request, row }) => [toSubjectId({ request, row }), { request, row }]),
    )
    await outcomes.settleRows([...rows.values()])
  }
  return joined
}

async function addConflicts(sql: Sql, conflicts: readonly Conflict[], now: number): Promise<void> {
  await sql.bulk(
    insertConflicts,
    conflicts.map(conflict => ({ ...conflict, at: now })),
  )
}

const insertConflicts = bulkInsert(
  'conflict',
  {
    ...({ subject: 'text', revision: 'integer', refused: 'text', kept: 'text', source: 'text' } as const),
    at: 'integer',
  },
  'on conflict do nothing',
)

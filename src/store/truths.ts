import { count, readCounter } from './counters.ts'
import { toKeyFloor } from './days.ts'
import { Ledger } from './ledger.ts'
import { Outcomes } from './outcomes.ts'
import { type Sql, statement } from './sql.ts'
import type { Truth, TruthCounts } from './store.ts'

/** What becomes of one truth. */
type Fate = keyof TruthCounts

const FATES = ['new', 'duplicate', 'revised', 'stale', 'conflict', 'orphan'] as const satisfies readonly Fate[]

/** No truths. */
export const NO_TRUTHS: TruthCounts = toCounts(() => 0)

/** One row of a request: what a truth is about. */
interface Subject {
  readonly request: string
  readonly row: number
}

/** Stores truths and joins them to every prediction that they are about; one transaction's work. */
export function addTruths(sql: Sql, truths: readonly Truth[], now: number): TruthCounts {
  const ledger = new Ledger(sql)
  const outcomes = new Outcomes(sql, ledger)
  const floor = toKeyFloor(readCounter(sql, 'pruned-before'))
  const counts = { ...NO_TRUTHS }
  for (const truth of truths) {
    const fate = addTruth(sql, truth, floor, now)
    counts[fate] += 1
    if (fate !== 'new' && fate !== 'revised') continue
    for (const { request, row } of listSubjects(sql, truth, floor)) outcomes.settle(request, row)
  }
  ledger.flush()
  for (const fate of FATES) count(sql, `truth-${fate}`, counts[fate])
  return counts
}

/** All truths that were ever taken in, by what became of them. */
export function readTruthCounts(sql: Sql): TruthCounts {
  return toCounts(fate => readCounter(sql, `truth-${fate}`))
}

/** Counts of two lots of truths together. */
export function sumCounts(left: TruthCounts, right: TruthCounts): TruthCounts {
  return toCounts(fate => left[fate] + right[fate])
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

function addTruth(sql: Sql, truth: Truth, floor: string, now: number): Fate {
  // What it is about was pruned: it comes too late.
  if (truth.by === 'prediction' && truth.id.request < floor) return 'stale'
  const value = JSON.stringify(truth.value)
  const known =
    truth.by === 'prediction' ? sql.get(findTruth(...toKey(truth))) : sql.get(findObservation(...toKey(truth)))
  if (known === undefined) {
    const joined = listSubjects(sql, truth, floor).length > 0
    put(sql, truth, value, now, joined)
    return joined ? 'new' : 'orphan'
  }
  if (truth.revision < known.revision) return 'stale'
  if (truth.revision > known.revision) {
    put(sql, truth, value, now, known.joined === 1)
    return 'revised'
  }
  if (value === known.value) return 'duplicate'
  const subject = toKey(truth).join('/')
  sql.run(insertConflict(subject, truth.revision, value, known.value, truth.source ?? null, now))
  return 'conflict'
}

function put(sql: Sql, truth: Truth, value: string, now: number, joined: boolean): void {
  const columns = [value, truth.revision, truth.source ?? null, now, Number(joined)] as const
  if (truth.by === 'prediction') sql.run(putTruth(...toKey(truth), ...columns))
  else sql.run(putObservation(...toKey(truth), ...columns))
}

function toKey(truth: Truth): [string, number] {
  return truth.by === 'prediction' ? [truth.id.request, truth.id.row] : [truth.series, truth.at]
}

/** The rows that a truth is about and that are here. */
function listSubjects(sql: Sql, truth: Truth, floor: string): readonly Subject[] {
  return truth.by === 'prediction'
    ? sql.all(listById(truth.id.request, truth.id.row))
    : sql.all(listBySeries(truth.series, truth.at, floor))
}

interface Known {
  readonly value: string
  readonly revision: number
  readonly joined: number
}

const findTruth = statement<[string, number], Known>(
  'select value, revision, joined from truth where request = ? and row = ?',
)
const findObservation = statement<[string, number], Known>(
  'select value, revision, joined from observation where series = ? and at = ?',
)
const putTruth = statement<[string, number, string, number, string | null, number, number]>(
  'insert or replace into truth values (?, ?, ?, ?, ?, ?, ?)',
)
const putObservation = statement<[string, number, string, number, string | null, number, number]>(
  'insert or replace into observation values (?, ?, ?, ?, ?, ?, ?)',
)
const listById = statement<[string, number], Subject>(
  'select distinct request, row from prediction where request = ? and row = ?',
)
const listBySeries = statement<[string, number, string], Subject>(
  'select distinct request, row from prediction where series = ? and target_at = ? and request >= ?',
)
const insertConflict = statement<[string, number, string, string, string | null, number]>(
  'insert into conflict values (?, ?, ?, ?, ?, ?) on conflict do nothing',
)

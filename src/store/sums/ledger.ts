import { emptyMoments, fold, type Moments, remove } from '../../judge/index.ts'
import { type AggregatePart, STATE } from '../schema/schema.ts'
import { bulk, bulkDelete, bulkInsert, orReplace, type Sql, type Statement, statement } from '../sql.ts'
import { type Change, Changes } from './changes.ts'
import { type KeyRange, toDayRange } from './days.ts'
import { type Ends, narrow, noEnds, widen } from './ends.ts'

/** Which moments a number belongs to; `variant` is 0 for pairs. */
export interface AggregateKey {
  readonly race: number
  readonly epoch: number
  readonly part: AggregatePart
  readonly variant: number
  readonly day: number
}

/** The moments of one key, as the database has them; its ends are known where `HAS_ENDS` says so. */
export interface AggregateRow extends Moments, Ends {
  readonly peak: number
  readonly events: number
  readonly above: number
}

/** Of which numbers the ends are kept: of those that are judged. */
const HAS_ENDS = { pair: true, drawn: true, other: false, young: false } as const satisfies Record<
  AggregatePart,
  boolean
>

/** Where `m2` falls below this share of its peak, the digits that removing has cost are brought back from the data. */
const SOUND_SHARE = 1e-4

/** Numbers that are put into the moments of one key, and taken out. */
export type AggregateChange = Change<AggregateKey, number>

/** Gathers the changes of one transaction to the moments. */
export class Ledger {
  readonly #changes = new Changes<AggregateKey, number>(toId)

  /** The change of a key. */
  of(key: AggregateKey): AggregateChange {
    return this.#changes.of(key)
  }

  /** Writes what was gathered. The rows of single predictions must be written before. */
  async flush(sql: Sql): Promise<void> {
    const changes = this.#changes.take()
    const known = await readAggregates(
      sql,
      changes.map(({ key }) => key),
    )
    const rows: (readonly [AggregateKey, AggregateRow])[] = []
    for (const { key, added, removed } of changes) {
      const { putIn, takeOut } = HAS_ENDS[key.part] ? WITH_ENDS : WITHOUT
      const row = removed.reduce(takeOut, added.reduce(putIn, known(key)))
      const sound = removed.length === 0 || isSound(key, row)
      rows.push([key, sound ? row : await computeAggregate(sql, key, toDayRange(key.day))])
    }
    await writeAggregates(sql, rows)
  }
}

const emptyRow: AggregateRow = { ...emptyMoments, ...noEnds, peak: 0, events: 0, above: 0 }

function putIn(row: AggregateRow, x: number): AggregateRow {
  const { count, mean, m2 } = fold(row, x)
  const { above, events, high, highs, low, lows, peak } = row
  return {
    ...{ count, mean, m2, low, lows, high, highs },
    peak: Math.max(peak, m2),
    events: events + (x === 0 ? 0 : 1),
    above: above + (x > 0 ? 1 : 0),
  }
}

function takeOut(row: AggregateRow, x: number): AggregateRow {
  const { count, mean, m2 } = remove(row, x)
  const { above, events, high, highs, low, lows, peak } = row
  return {
    ...{ count, mean, m2, low, lows, high, highs },
    peak: count === 0 ? 0 : peak,
    events: events - (x === 0 ? 0 : 1),
    above: above - (x > 0 ? 1 : 0),
  }
}

const WITHOUT = { putIn, takeOut }
const WITH_ENDS: typeof WITHOUT = {
  putIn: (row, x) => ({ ...putIn(row, x), ...widen(row, x) }),
  takeOut: (row, x) => ({ ...takeOut(row, x), ...narrow(row, x) }),
}

/** Whether nothing was lost by taking out. Of a number that is not one, nothing can be said either. */
function isSound({ part }: AggregateKey, { count, highs, lows, m2, peak }: AggregateRow): boolean {
  const areEndsKnown = !HAS_ENDS[part] || count === 0 || (lows > 0 && highs > 0)
  return m2 >= SOUND_SHARE * peak && areEndsKnown
}

/** Reads the moments of keys; those of no data where a key has none. */
export async function readAggregates(
  sql: Sql,
  keys: readonly AggregateKey[],
): Promise<(key: AggregateKey) => AggregateRow> {
  const found = await sql.bulk(findAggregates, keys)
  const rows = new Map(
    found.map(({ race, epoch, part, variant, day, ...row }) => [toId({ race, epoch, part, variant, day }), row]),
  )
  return key => rows.get(toId(key)) ?? emptyRow
}

/** Writes the moments of keys; those of no data are left out. */
export async function writeAggregates(
  sql: Sql,
  rows: readonly (readonly [AggregateKey, AggregateRow])[],
): Promise<void> {
  const [some, none] = [rows.filter(([, row]) => row.count > 0), rows.filter(([, row]) => row.count === 0)]
  await sql.bulk(
    putAggregates,
    some.map(([key, row]) => ({ ...key, ...row })),
  )
  await sql.bulk(
    dropAggregates,
    none.map(([key]) => key),
  )
}

/** Computes the moments of a key from the single predictions of a range of requests. */
export async function computeAggregate(sql: Sql, key: AggregateKey, { from, to }: KeyRange): Promise<AggregateRow> {
  const { race, epoch, part, variant } = key
  const queries = {
    pair: () => listPairs(from, to, race, epoch),
    drawn: () => listLosses(from, to, epoch, variant, 1),
    other: () => listLosses(from, to, epoch, variant, 0),
    young: () => listYoung(from, to, epoch, variant),
  } as const satisfies Record<AggregatePart, () => Statement<{ readonly x: number }>>
  const rows = await sql.all(queries[part]())
  const { putIn } = HAS_ENDS[part] ? WITH_ENDS : WITHOUT
  const row = rows.reduce((sum, { x }) => putIn(sum, x), emptyRow)
  return { ...row, peak: row.m2 }
}

function toId({ race, epoch, part, variant, day }: AggregateKey): string {
  return `${race} ${epoch} ${part} ${variant} ${day}`
}

const KEY = { race: 'integer', epoch: 'integer', part: 'text', variant: 'integer', day: 'integer' } as const
const ROW = {
  ...KEY,
  count: 'integer',
  mean: 'real',
  m2: 'real',
  peak: 'real',
  events: 'integer',
  above: 'integer',
  ...({ low: 'real', lows: 'integer', high: 'real', highs: 'integer' } as const),
} as const
const NAMES = Object.keys(KEY)

const findAggregates = bulk<typeof KEY, AggregateKey & AggregateRow>(
  KEY,
  from => `select g.* from ${from} join aggregate g on ${NAMES.map(name => `g.${name} = input.${name}`).join(' and ')}`,
)
const putAggregates = bulkInsert('aggregate', ROW, orReplace(NAMES, Object.keys(ROW)))
const dropAggregates = bulkDelete('aggregate', KEY)
const listLosses = statement<[string, string, number, number, number], { readonly x: number }>(
  `select p.loss as x from prediction p join answer a on a.request = p.request and a.variant = p.variant
    where p.request >= ? and p.request < ? and p.state = ${STATE.counted}
      and a.epoch = ? and a.variant = ?
      and case when a.served = 1 and a.pinned = 0 then 1 else 0 end = ?`,
)
const listYoung = statement<[string, string, number, number], { readonly x: number }>(
  `select p.loss as x from prediction p join answer a on a.request = p.request and a.variant = p.variant
    where p.request >= ? and p.request < ? and p.state = ${STATE.young} and a.epoch = ? and a.variant = ?`,
)
const listPairs = statement<[string, string, number, number], { readonly x: number }>(
  `select pa.loss - pb.loss as x from race
      join prediction pa on pa.variant = race.a and pa.state = ${STATE.counted}
      join prediction pb on pb.request = pa.request and pb.row = pa.row and pb.variant = race.b
        and pb.state = ${STATE.counted}
      join answer a on a.request = pa.request and a.variant = pa.variant
      join answer b on b.request = pb.request and b.variant = pb.variant and b.epoch = a.epoch
    where pa.request >= ? and pa.request < ? and race.id = ? and a.epoch = ?`,
)

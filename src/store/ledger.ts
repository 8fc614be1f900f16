import { emptyMoments, fold, type Moments, remove } from '../judge/index.ts'
import { type KeyRange, toDay, toDayRange } from './days.ts'
import { type AggregatePart, STATE } from './schema.ts'
import { type Sql, statement } from './sql.ts'

/** Which moments a number belongs to; `variant` is 0 for pairs. */
export interface AggregateKey {
  readonly race: number
  readonly epoch: number
  readonly part: AggregatePart
  readonly variant: number
  readonly day: number
}

/** The moments of one key, as the database has them. */
export interface AggregateRow extends Moments {
  readonly peak: number
  readonly events: number
}

/** What is counted of a variant in an epoch. */
export interface Tally {
  readonly predictions: number
  readonly drawn: number
  readonly repeated: number
  readonly refused: number
}

/** Where `m2` falls below this share of its peak, the digits that removing has cost are brought back from the data. */
const SOUND_SHARE = 1e-4

interface Entry {
  readonly key: AggregateKey
  row: AggregateRow
  unsound: boolean
}

/** Gathers the changes of one transaction to the sums, so that each of their rows is read and written once. */
export class Ledger {
  readonly #sql: Sql
  readonly #entries = new Map<string, Entry>()
  readonly #tallies = new Map<string, { readonly at: readonly [number, number, number]; tally: Tally }>()

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** Puts in a number of a request's day. */
  add(key: Omit<AggregateKey, 'day'>, request: string, x: number): void {
    const entry = this.#entry({ ...key, day: toDay(request) })
    const moments = fold(entry.row, x)
    entry.row = {
      ...moments,
      peak: Math.max(entry.row.peak, moments.m2),
      events: entry.row.events + (x === 0 ? 0 : 1),
    }
  }

  /** Takes out a number that was put in before. */
  remove(key: Omit<AggregateKey, 'day'>, request: string, x: number): void {
    const entry = this.#entry({ ...key, day: toDay(request) })
    const moments = remove(entry.row, x)
    const peak = moments.count === 0 ? 0 : entry.row.peak
    entry.row = { ...moments, peak, events: entry.row.events - (x === 0 ? 0 : 1) }
    if (!(moments.m2 >= SOUND_SHARE * peak)) entry.unsound = true
  }

  /** Counts for a variant in an epoch of a race. */
  count(race: number, epoch: number, variant: number, by: Partial<Tally>): void {
    const id = `${race} ${epoch} ${variant}`
    const { tally } = this.#tallies.get(id) ?? { tally: NO_TALLY }
    this.#tallies.set(id, {
      at: [race, epoch, variant],
      tally: {
        predictions: tally.predictions + (by.predictions ?? 0),
        drawn: tally.drawn + (by.drawn ?? 0),
        repeated: tally.repeated + (by.repeated ?? 0),
        refused: tally.refused + (by.refused ?? 0),
      },
    })
  }

  /** Writes what was gathered. The rows of single predictions must be written before. */
  flush(): void {
    for (const { key, row, unsound } of this.#entries.values()) {
      writeAggregate(this.#sql, key, unsound ? computeAggregate(this.#sql, key, toDayRange(key.day)) : row)
    }
    for (const { at, tally } of this.#tallies.values()) {
      this.#sql.run(addTally(...at, tally.predictions, tally.drawn, tally.repeated, tally.refused))
    }
    this.#entries.clear()
    this.#tallies.clear()
  }

  #entry(key: AggregateKey): Entry {
    const id = `${key.race} ${key.epoch} ${key.part} ${key.variant} ${key.day}`
    const known = this.#entries.get(id)
    if (known !== undefined) return known
    const made = { key, row: readAggregate(this.#sql, key), unsound: false }
    this.#entries.set(id, made)
    return made
  }
}

const NO_TALLY: Tally = { predictions: 0, drawn: 0, repeated: 0, refused: 0 }
const emptyRow: AggregateRow = { ...emptyMoments, peak: 0, events: 0 }

/** The moments of a key; those of no data where it has none. */
export function readAggregate(sql: Sql, { race, epoch, part, variant, day }: AggregateKey): AggregateRow {
  return sql.get(findAggregate(race, epoch, part, variant, day)) ?? emptyRow
}

/** Writes the moments of a key; those of no data are left out. */
export function writeAggregate(sql: Sql, key: AggregateKey, row: AggregateRow): void {
  const { race, epoch, part, variant, day } = key
  if (row.count === 0) sql.run(dropAggregate(race, epoch, part, variant, day))
  else sql.run(putAggregate(race, epoch, part, variant, day, row.count, row.mean, row.m2, row.peak, row.events))
}

/** Computes the moments of a key from the single predictions of a range of requests. */
export function computeAggregate(sql: Sql, key: AggregateKey, { from, to }: KeyRange): AggregateRow {
  const { race, epoch, part, variant } = key
  const rows =
    part === 'pair'
      ? sql.all(listPairs(from, to, race, epoch))
      : sql.all(listLosses(from, to, race, epoch, variant, part === 'drawn' ? 1 : 0))
  const moments = rows.reduce<Moments>((sum, { x }) => fold(sum, x), emptyMoments)
  return { ...moments, peak: moments.m2, events: rows.filter(({ x }) => x !== 0).length }
}

const findAggregate = statement<[number, number, AggregatePart, number, number], AggregateRow>(
  `select count, mean, m2, peak, events from aggregate
    where race = ? and epoch = ? and part = ? and variant = ? and day = ?`,
)
const dropAggregate = statement<[number, number, AggregatePart, number, number]>(
  'delete from aggregate where race = ? and epoch = ? and part = ? and variant = ? and day = ?',
)
const putAggregate = statement<[number, number, AggregatePart, number, number, number, number, number, number, number]>(
  'insert or replace into aggregate values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
)
const addTally = statement<[number, number, number, number, number, number, number]>(
  `insert into tally (race, epoch, variant, predictions, drawn, repeated, refused) values (?, ?, ?, ?, ?, ?, ?)
    on conflict do update set predictions = predictions + excluded.predictions, drawn = drawn + excluded.drawn,
      repeated = repeated + excluded.repeated, refused = refused + excluded.refused`,
)
const listLosses = statement<[string, string, number, number, number, number], { readonly x: number }>(
  `select p.loss as x from prediction p join answer a on a.request = p.request and a.variant = p.variant
    where p.request >= ? and p.request < ? and p.state = ${STATE.counted}
      and a.race = ? and a.epoch = ? and a.variant = ? and (a.served = 1 and a.pinned = 0) = ?`,
)
const listPairs = statement<[string, string, number, number], { readonly x: number }>(
  `select pa.loss - pb.loss as x from race
      join prediction pa on pa.variant = race.a and pa.state = ${STATE.counted}
      join prediction pb on pb.request = pa.request and pb.row = pa.row and pb.variant = race.b
        and pb.state = ${STATE.counted}
      join answer a on a.request = pa.request and a.variant = pa.variant and a.race = race.id
      join answer b on b.request = pb.request and b.variant = pb.variant and b.race = race.id
    where pa.request >= ? and pa.request < ? and race.id = ? and a.epoch = ?`,
)

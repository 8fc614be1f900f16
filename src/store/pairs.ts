import { bulkDelete, bulkInsert, bulkWrite, orReplace, type Sql } from './sql.ts'

/** Where a pair stands in the order of the times that it is for. */
export interface PairPosition {
  readonly at: number
  readonly request: string
  readonly row: number
}

/** A pair's loss A − loss B, null where there is none any more, and its weight. */
interface PairChange extends PairPosition {
  readonly race: number
  readonly difference: number | null
  readonly weight: number
}

/** Transactions of a race whose first changed pair is remembered. */
const MAX_CHANGES = 256

/** Gathers the changes of one transaction to the pairs. */
export class Pairs {
  readonly #changes: PairChange[] = []
  /** The first pair that was changed, by race. */
  readonly #first = new Map<number, PairPosition>()

  /** Puts a difference in the place of what it was. */
  put(change: PairChange): void {
    this.#changes.push(change)
    const first = this.#first.get(change.race)
    if (first === undefined || isBefore(change, first)) this.#first.set(change.race, change)
  }

  /** Writes what was gathered since the last time. */
  async write(sql: Sql): Promise<void> {
    const changes = this.#changes.splice(0)
    await sql.bulk(
      putPairs,
      changes.filter(({ difference }) => difference !== null),
    )
    await sql.bulk(
      dropPairs,
      changes.filter(({ difference }) => difference === null),
    )
  }

  /** Notes from where on the order has changed. */
  async flush(sql: Sql): Promise<void> {
    const firsts = [...this.#first].map(([race, { at, request, row }]) => ({ race, at, request, row }))
    await sql.bulk(insertChanges, firsts)
    await sql.bulk(
      dropChanges,
      firsts.map(({ race }) => ({ race })),
    )
    this.#first.clear()
  }
}

/** Whether one pair stands before another. */
export function isBefore(one: PairPosition, other: PairPosition): boolean {
  if (one.at !== other.at) return one.at < other.at
  if (one.request !== other.request) return one.request < other.request
  return one.row < other.row
}

const KEY = { race: 'integer', at: 'integer', request: 'uuid', row: 'integer' } as const
const COLUMNS = { ...KEY, difference: 'real', weight: 'real' } as const
const putPairs = bulkInsert('pair', COLUMNS, orReplace(Object.keys(KEY), Object.keys(COLUMNS)))
const dropPairs = bulkDelete('pair', KEY)
const insertChanges = bulkWrite(
  KEY,
  from => `insert into pair_change (race, change, at, request, row)
    select race, coalesce((select max(c.change) from pair_change c where c.race = input.race), 0) + 1, at, request, row
    from ${from}`,
)
const dropChanges = bulkWrite(
  { race: 'integer' },
  from => `delete from pair_change where race in (select race from ${from})
    and change <= (select max(c.change) - ${MAX_CHANGES} from pair_change c where c.race = pair_change.race)`,
)

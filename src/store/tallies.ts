import { toHour } from './days.ts'
import { toBucket } from './durations.ts'
import { bulkInsert, orAdd, type Sql } from './sql.ts'

/** What is counted of a variant in an epoch. */
export interface Tally {
  /** Predicted rows. */
  readonly predictions: number
  /** Requests that chance gave to it; of a sticky entity the first alone, the others are `repeated`. */
  readonly drawn: number
  readonly repeated: number
  /** Outcomes without a loss. */
  readonly refused: number
  /** Records, and those of them whose HTTP status is not 2xx. */
  readonly answers: number
  readonly errors: number
  /** Losses that are at the cap. */
  readonly capped: number
}

/** Whose counts they are. */
export interface Counted {
  readonly race: number
  readonly epoch: number
  readonly variant: number
}

/** Gathers what one transaction counts, so that each row is written once. */
export class Tallies {
  readonly #tallies = new Sums<typeof TALLY_KEY, keyof Tally>()
  readonly #histograms = new Sums<typeof HISTOGRAM_KEY, 'count'>()
  readonly #maturity = new Sums<typeof MATURITY_KEY, 'predictions' | 'labelled'>()

  /** Counts for a variant in an epoch of a race. */
  count({ race, epoch, variant }: Counted, by: Partial<Tally>): void {
    this.#tallies.add(`${race} ${epoch} ${variant}`, { race, epoch, variant }, NO_TALLY, by)
  }

  /** Notes a duration, ms: of an answer, or of a truth that was waited for. */
  time({ race, epoch, variant }: Counted, name: 'latency' | 'lateness', ms: number): void {
    const bucket = toBucket(ms)
    this.#histograms.add(
      `${race} ${epoch} ${name} ${variant} ${bucket}`,
      { race, epoch, name, variant, bucket },
      NONE,
      ONE,
    )
  }

  /** Counts predictions of a request, or that the truth of one has come. */
  ripen({ race, epoch, variant }: Counted, request: string, by: { predictions?: number; labelled?: number }): void {
    const hour = toHour(request)
    this.#maturity.add(`${race} ${epoch} ${variant} ${hour}`, { race, epoch, variant, hour }, UNRIPE, by)
  }

  /** Writes what was gathered. */
  async flush(sql: Sql): Promise<void> {
    await sql.bulk(addTallies, this.#tallies.take())
    await sql.bulk(addHistograms, this.#histograms.take())
    await sql.bulk(addMaturity, this.#maturity.take())
  }
}

const NO_TALLY: Tally = { predictions: 0, drawn: 0, repeated: 0, refused: 0, answers: 0, errors: 0, capped: 0 }

const NONE = { count: 0 }
const ONE = { count: 1 }
const UNRIPE = { predictions: 0, labelled: 0 }

type Key = Readonly<Record<string, 'integer' | 'text'>>
type KeyRow<key extends Key> = { readonly [name in keyof key]: key[name] extends 'text' ? string : number }

/** Numbers by key, that add up. */
class Sums<key extends Key, name extends string> {
  readonly #rows = new Map<string, KeyRow<key> & Record<name, number>>()

  /** Adds to the numbers of a key, which are `none` at first. `id` tells keys apart. */
  add(
    id: string,
    key: KeyRow<key>,
    none: Readonly<Record<name, number>>,
    by: Readonly<Partial<Record<name, number>>>,
  ): void {
    const row = this.#rows.get(id) ?? { ...key, ...none }
    this.#rows.set(id, row)
    // Rows of this object's own: nobody else has them yet.
    const sums: Record<name, number> = row
    for (const name in by) sums[name] += by[name] ?? 0
  }

  take(): readonly (KeyRow<key> & Readonly<Record<name, number>>)[] {
    const rows = [...this.#rows.values()]
    this.#rows.clear()
    return rows
  }
}

const TALLY_KEY = { race: 'integer', epoch: 'integer', variant: 'integer' } as const
const TALLY = {
  ...TALLY_KEY,
  ...({ predictions: 'integer', drawn: 'integer', repeated: 'integer' } as const),
  ...({ refused: 'integer', answers: 'integer', errors: 'integer' } as const),
  ...({ capped: 'integer' } as const),
}
const addTallies = bulkInsert('tally', TALLY, orAdd('tally', Object.keys(TALLY_KEY), Object.keys(TALLY)))

const HISTOGRAM_KEY = {
  ...({ race: 'integer', epoch: 'integer', name: 'text' } as const),
  ...({ variant: 'integer', bucket: 'integer' } as const),
}
const HISTOGRAM = { ...HISTOGRAM_KEY, count: 'integer' } as const
const addHistograms = bulkInsert(
  'histogram',
  HISTOGRAM,
  orAdd('histogram', Object.keys(HISTOGRAM_KEY), Object.keys(HISTOGRAM)),
)

const MATURITY_KEY = { race: 'integer', epoch: 'integer', variant: 'integer', hour: 'integer' } as const
const MATURITY = { ...MATURITY_KEY, predictions: 'integer', labelled: 'integer' } as const
const addMaturity = bulkInsert(
  'maturity',
  MATURITY,
  orAdd('maturity', Object.keys(MATURITY_KEY), Object.keys(MATURITY)),
)

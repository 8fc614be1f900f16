import { bulkInsert, orAdd, type Sql } from '../sql.ts'
import { toBucket } from './durations.ts'

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
  readonly #counts = new Map<string, Counts>()

  /** What is counted of a variant in an epoch of a race. */
  of({ race, epoch, variant }: Counted): Counts {
    const id = `${race} ${epoch} ${variant}`
    const known = this.#counts.get(id)
    if (known !== undefined) return known
    const made = new Counts({ race, epoch, variant })
    this.#counts.set(id, made)
    return made
  }

  /** Writes what was gathered. */
  async flush(sql: Sql): Promise<void> {
    const all = [...this.#counts.values()]
    this.#counts.clear()
    await sql.bulk(
      addTallies,
      all.flatMap(counts => counts.toTallies()),
    )
    await sql.bulk(
      addHistograms,
      all.flatMap(counts => counts.toHistograms()),
    )
    await sql.bulk(
      addMaturity,
      all.flatMap(counts => counts.toMaturity()),
    )
  }
}

/** What one transaction counts of a variant in an epoch of a race. */
export class Counts {
  readonly #of: Counted
  readonly #tally = { predictions: 0, drawn: 0, repeated: 0, refused: 0, answers: 0, errors: 0, capped: 0 }
  /** Durations by bucket. */
  readonly #times = { latency: new Map<number, number>(), lateness: new Map<number, number>() }
  /** Predictions by hour, and those of them whose truth has come. */
  readonly #hours = { predictions: new Map<number, number>(), labelled: new Map<number, number>() }

  constructor(of: Counted) {
    this.#of = of
  }

  /** Adds to a count. */
  add(name: keyof Tally, by: number): void {
    this.#tally[name] += by
  }

  /** Notes a duration, ms: of an answer, or of a truth that was waited for. */
  time(name: 'latency' | 'lateness', ms: number): void {
    addTo(this.#times[name], toBucket(ms), 1)
  }

  /** Counts predictions of a request of an hour, or that the truth of one has come. */
  ripen(name: 'predictions' | 'labelled', hour: number, by: number): void {
    addTo(this.#hours[name], hour, by)
  }

  toTallies() {
    return Object.values(this.#tally).some(count => count !== 0) ? [{ ...this.#of, ...this.#tally }] : []
  }

  toHistograms() {
    return (['latency', 'lateness'] as const).flatMap(name =>
      [...this.#times[name]].map(([bucket, count]) => ({ ...this.#of, name, bucket, count })),
    )
  }

  toMaturity() {
    const { predictions, labelled } = this.#hours
    const hours = [...new Set([...predictions.keys(), ...labelled.keys()])]
    return hours.map(hour => ({
      ...{ ...this.#of, hour },
      predictions: predictions.get(hour) ?? 0,
      labelled: labelled.get(hour) ?? 0,
    }))
  }
}

function addTo(counts: Map<number, number>, key: number, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
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

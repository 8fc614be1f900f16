import { toCapped, toLoss, toSize } from '../judge/index.ts'
import type { StoredRace } from './facts/race.ts'
import { readRacesOfEpochs } from './races.ts'
import { STATE } from './schema/schema.ts'
import {
  type Answered,
  compareRows,
  groupRows,
  isChanged,
  type Judged,
  type Outcome,
  parseValue,
  type Settled,
  type Subject,
  toCounted,
  WAITING,
  type When,
} from './settled.ts'
import { bulk, bulkUpdate, type Sql } from './sql.ts'
import { Books } from './sums/books.ts'
import { Caps } from './sums/caps.ts'
import { toInstant } from './sums/days.ts'
import type { Tallies } from './sums/tallies.ts'

/** Rows that are settled at once: one truth of a series may be about very many. */
const SUBJECTS_PER_STEP = 2000

/** Joins predictions to their truths within one transaction, and keeps the sums in step. */
export class Outcomes {
  readonly #sql: Sql
  readonly #when: When
  readonly #caps = new Caps()
  readonly #books: Books
  readonly #races = new Map<number, readonly StoredRace[]>()

  constructor(sql: Sql, when: When) {
    this.#sql = sql
    this.#when = when
    this.#books = new Books(when, this.#caps)
  }

  get tallies(): Tallies {
    return this.#books.tallies
  }

  /** Every variant's predictions of rows, each named once, with the truths that are stored; by row. */
  async list(subjects: readonly Subject[]): Promise<ReadonlyMap<string, readonly Answered[]>> {
    return groupRows(await this.#sql.bulk(listAnswered, subjects))
  }

  /** Settles rows of any number by the truths that are stored. Returns the predictions that have one. */
  async settleRows(subjects: readonly Subject[]): Promise<readonly Answered[]> {
    const known: Answered[] = []
    for (let from = 0; from < subjects.length; from += SUBJECTS_PER_STEP) {
      const rows = [...(await this.list(subjects.slice(from, from + SUBJECTS_PER_STEP))).values()]
      const judged = rows.map(row => row.map(answered => ({ answered, truth: toStoredTruth(answered) })))
      await this.settle(judged)
      for (const { answered, truth } of judged.flat()) if (truth !== null) known.push(answered)
    }
    return known
  }

  /**
   * Brings the outcomes of predictions, which are all those of their rows, in line with the truths that they are
   * judged by, and the pairs.
   */
  async settle(rows: readonly (readonly Judged[])[]): Promise<void> {
    await this.#readRaces(rows)
    const racesOf = (epoch: number) => this.#racesOf(epoch)
    const changes: SettledColumns[] = []
    for (const row of this.#toSettledAll(rows)) {
      this.#books.book(row, racesOf)
      for (const one of row) if (isChanged(one) && racesOf(one.answered.epoch).length > 0) changes.push(toColumns(one))
    }
    await this.#sql.bulk(setOutcome, changes)
    await this.#books.writePairs(this.#sql)
  }

  /** Writes the sums. */
  async flush(): Promise<void> {
    await this.#books.flush(this.#sql)
    await this.#caps.flush(this.#sql)
  }

  /** Rows whose losses are capped go in the order of requests: the first set the cap. */
  #toSettledAll(rows: readonly (readonly Judged[])[]): readonly (readonly Settled[])[] {
    const settle = (row: readonly Judged[]): readonly Settled[] => row.map(one => this.#toSettled(one))
    if (!rows.some(row => row.some(one => this.#capOf(one) !== undefined))) return rows.map(settle)
    return rows.toSorted(compareRows).map(row => this.#capRow(settle(row)))
  }

  /** A row whose label came before the cap was set does not count, whatever becomes of it. */
  #capRow(row: readonly Settled[]): readonly Settled[] {
    const open = row.some(one => one.answered.state === STATE.calibrating || this.#capOf(one) === 'open')
    return row.map(one => {
      const { answered, after } = one
      const race = this.#racesOf(answered.epoch)[0]
      const cap = this.#capOf(one)
      if (race === undefined || cap === undefined) return one
      if (open && answered.variant === race.a) this.#caps.calibrate(race.id, answered, toCounted(after))
      if (toCounted(after) === null) return one
      if (open) return { ...one, after: { state: STATE.calibrating, loss: null, weight: null } }
      return typeof cap === 'number' && after.loss !== null
        ? { ...one, after: { ...after, loss: toCapped(after.loss, cap) } }
        : one
    })
  }

  #capOf({ answered }: Judged): ReturnType<Caps['of']> {
    const race = this.#racesOf(answered.epoch)[0]
    return race === undefined ? undefined : this.#caps.of(race.id)
  }

  #toSettled({ answered, truth }: Judged): Settled {
    const { epoch, request, value } = answered
    // Races side by side have one loss.
    const spec = this.#racesOf(epoch)[0]?.spec
    if (spec === undefined || truth === null) return { answered, truth, after: WAITING }
    const happened = parseValue(truth)
    const loss = toLoss(spec.loss, parseValue(value), happened)
    // A truth that comes fast tells of its kind alone: it counts when those that take longer may have come, too.
    const isYoung = spec.maturityMs > 0 && this.#when.now - toInstant(request) < spec.maturityMs
    if (isYoung)
      return { answered, truth, after: loss === undefined ? WAITING : { state: STATE.young, loss, weight: null } }
    if (loss === undefined) return { answered, truth, after: { state: STATE.refused, loss: null, weight: null } }
    return { answered, truth, after: { state: STATE.counted, loss, weight: toSize(happened) ?? null } }
  }

  async #readRaces(rows: readonly (readonly Judged[])[]): Promise<void> {
    const epochs = new Set<number>()
    for (const row of rows) for (const { answered } of row) epochs.add(answered.epoch)
    for (const epoch of this.#races.keys()) epochs.delete(epoch)
    const found = await readRacesOfEpochs(this.#sql, epochs)
    for (const epoch of epochs) this.#races.set(epoch, found.get(epoch) ?? [])
    await this.#caps.read(this.#sql, [...found.values()].flat())
  }

  #racesOf(epoch: number): readonly StoredRace[] {
    return this.#races.get(epoch) ?? []
  }
}

/** The truth that the database has for a prediction: the one by its id before the one by series and time. */
function toStoredTruth({ by_id: byId, by_series: bySeries }: Answered): string | null {
  return byId ?? bySeries
}

interface SettledColumns extends Subject, Outcome {
  readonly variant: number
}

function toColumns({ answered, after }: Settled): SettledColumns {
  const { request, row, variant } = answered
  return { request, row, variant, state: after.state, loss: after.loss, weight: after.weight }
}

const SUBJECT = { request: 'uuid', row: 'integer' } as const
const listAnswered = bulk<typeof SUBJECT, Answered>(
  SUBJECT,
  from => `select p.request, p.row, p.variant, p.value, p.state, p.loss, p.weight, p.covariate, p.entity, p.series,
      p.target_at, a.at, a.epoch, case when a.served = 1 and a.pinned = 0 then 1 else 0 end as drawn,
      t.value as by_id, t.revision, o.value as by_series
    from ${from} join prediction p on p.request = input.request and p.row = input.row
      join answer a on a.request = p.request and a.variant = p.variant
      left join truth t on t.request = p.request and t.row = p.row
      left join observation o on o.series = p.series and o.at = p.target_at`,
)
const OUTCOME = { ...SUBJECT, variant: 'integer', state: 'integer', loss: 'real', weight: 'real' } as const
const setOutcome = bulkUpdate('prediction', ['request', 'row', 'variant'], OUTCOME)

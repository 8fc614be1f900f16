import type { PredictedValue } from '../core/wire/records.ts'
import { toLoss } from '../judge/index.ts'
import type { AggregateKey, Ledger } from './ledger.ts'
import { findRace } from './races.ts'
import { STATE } from './schema.ts'
import { type Sql, statement } from './sql.ts'
import type { StoredRace } from './store.ts'

/** One variant's prediction of one row, with what is known of its truth. */
interface Answered {
  readonly variant: number
  readonly value: string
  readonly state: number
  readonly loss: number | null
  readonly target_at: number | null
  readonly at: number
  readonly epoch: number
  readonly race: number | null
  /** 1: chance drew the variant, and the client got its answer. */
  readonly drawn: number
  readonly truth: string | null
}

interface Outcome {
  readonly state: number
  readonly loss: number | null
}

/** A prediction before and after it was settled. */
interface Settled {
  readonly answered: Answered
  readonly after: Outcome
}

const WAITING: Outcome = { state: STATE.waiting, loss: null }

/** Joins predictions to their truths within one transaction, and keeps the sums in step. */
export class Outcomes {
  readonly #sql: Sql
  readonly #ledger: Ledger
  readonly #races = new Map<number, StoredRace | undefined>()

  constructor(sql: Sql, ledger: Ledger) {
    this.#sql = sql
    this.#ledger = ledger
  }

  /**
   * Brings the outcomes of one row of a request in line with the predictions and truths that are here now: all its
   * variants, and the pair. A truth by the prediction's id goes before one by series and time. Returns the variants
   * whose truth is known.
   */
  settle(request: string, row: number): readonly number[] {
    const settled = this.#sql
      .all(listAnswered(request, row))
      .map(answered => ({ answered, after: this.#toOutcome(answered) }))
    for (const one of settled) this.#book(request, row, one)
    for (const race of new Set(settled.map(({ answered }) => answered.race))) {
      if (race !== null) this.#pair(request, row, this.#race(race), settled)
    }
    return settled.filter(({ answered }) => answered.truth !== null).map(({ answered }) => answered.variant)
  }

  #toOutcome({ race, truth, value }: Answered): Outcome {
    const spec = race === null ? undefined : this.#race(race)?.spec
    if (spec === undefined || truth === null) return WAITING
    const loss = toLoss(spec.loss, parseValue(value), parseValue(truth))
    return loss === undefined ? { state: STATE.refused, loss: null } : { state: STATE.counted, loss }
  }

  #book(request: string, row: number, { answered, after }: Settled): void {
    const { epoch, loss, race, state, variant } = answered
    if (race === null || (state === after.state && loss === after.loss)) return
    this.#sql.run(setOutcome(after.state, after.loss, request, row, variant))
    const key = { race, epoch, part: answered.drawn === 1 ? 'drawn' : 'other', variant } as const
    this.#move(key, request, loss, after.loss)
    const refused = Number(after.state === STATE.refused) - Number(state === STATE.refused)
    if (refused !== 0) this.#ledger.count(race, epoch, variant, { refused })
  }

  #pair(request: string, row: number, race: StoredRace | undefined, settled: readonly Settled[]): void {
    const find = (variant: number | undefined): Settled | undefined =>
      settled.find(({ answered }) => answered.variant === variant && answered.race === race?.id)
    const a = find(race?.a)
    const b = find(race?.b)
    if (race === undefined || a === undefined || b === undefined) return
    const before = toDifference(a.answered.loss, b.answered.loss)
    const after = toDifference(a.after.loss, b.after.loss)
    if (before === after) return
    const at = a.answered.target_at ?? a.answered.at
    if (after === null) this.#sql.run(dropPair(race.id, at, request, row))
    else this.#sql.run(putPair(race.id, at, request, row, after))
    this.#move({ race: race.id, epoch: a.answered.epoch, part: 'pair', variant: 0 }, request, before, after)
  }

  #move(key: Omit<AggregateKey, 'day'>, request: string, before: number | null, after: number | null): void {
    if (before !== null) this.#ledger.remove(key, request, before)
    if (after !== null) this.#ledger.add(key, request, after)
  }

  #race(id: number): StoredRace | undefined {
    if (!this.#races.has(id)) this.#races.set(id, findRace(this.#sql, id))
    return this.#races.get(id)
  }
}

function toDifference(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b
}

/** Reads a value that this room wrote. */
export function parseValue(text: string): PredictedValue {
  return JSON.parse(text) as PredictedValue
}

const listAnswered = statement<[string, number], Answered>(
  `select p.variant, p.value, p.state, p.loss, p.target_at, a.at, a.epoch, a.race,
      a.served = 1 and a.pinned = 0 as drawn, coalesce(t.value, o.value) as truth
    from prediction p join answer a on a.request = p.request and a.variant = p.variant
      left join truth t on t.request = p.request and t.row = p.row
      left join observation o on o.series = p.series and o.at = p.target_at
    where p.request = ? and p.row = ?`,
)
const setOutcome = statement<[number, number | null, string, number, number]>(
  'update prediction set state = ?, loss = ? where request = ? and row = ? and variant = ?',
)
const putPair = statement<[number, number, string, number, number]>(
  'insert or replace into pair values (?, ?, ?, ?, ?)',
)
const dropPair = statement<[number, number, string, number]>(
  'delete from pair where race = ? and at = ? and request = ? and row = ?',
)

import type { PredictedValue } from '../core/wire/records.ts'
import { toLoss } from '../judge/index.ts'
import { Clusters } from './clusters.ts'
import { CrossLedger } from './cross-ledger.ts'
import { toInstant } from './days.ts'
import { Ledger } from './ledger.ts'
import { Pairs } from './pairs.ts'
import { isRacer, readRacesOfEpochs } from './races.ts'
import { type AggregatePart, type CrossPart, STATE } from './schema.ts'
import { bulk, bulkUpdate, type Sql } from './sql.ts'
import type { StoredRace } from './store.ts'
import { Tallies } from './tallies.ts'

/** One row of a request: what a truth is about. */
export interface Subject {
  readonly request: string
  readonly row: number
}

/** One variant's prediction of one row, with what the database knows of its truth. */
export interface Answered extends Subject {
  readonly variant: number
  readonly value: string
  readonly state: number
  readonly loss: number | null
  readonly weight: number | null
  readonly covariate: number | null
  readonly entity: string | null
  readonly series: string | null
  readonly target_at: number | null
  readonly at: number
  readonly epoch: number
  /** 1: chance drew the variant, and the client got its answer. */
  readonly drawn: number
  /** Values of the truth by its id, with its revision, and of the one by series and time. */
  readonly by_id: string | null
  readonly revision: number | null
  readonly by_series: string | null
}

interface Outcome {
  readonly state: number
  readonly loss: number | null
  readonly weight: number | null
}

/** A prediction before and after it was settled. */
interface Settled {
  readonly answered: Answered
  readonly truth: string | null
  readonly after: Outcome
}

const WAITING: Outcome = { state: STATE.waiting, loss: null, weight: null }
/** Rows that are settled at once: one truth of a series may be about very many. */
const SUBJECTS_PER_STEP = 2000

/** When it is settled. */
export interface When {
  /** Epoch ms. */
  readonly now: number
  /** The truths have just come; they were here before their predictions otherwise. */
  readonly isTruthNew: boolean
}

/** Joins predictions to their truths within one transaction, and keeps the sums in step. */
export class Outcomes {
  readonly tallies = new Tallies()
  readonly #sql: Sql
  readonly #when: When
  readonly #ledger = new Ledger()
  readonly #cross = new CrossLedger()
  readonly #clusters = new Clusters()
  readonly #pairs = new Pairs()
  readonly #races = new Map<number, readonly StoredRace[]>()

  constructor(sql: Sql, when: When) {
    this.#sql = sql
    this.#when = when
  }

  /** Every variant's predictions of rows, each named once, with the truths that are stored. */
  async list(subjects: readonly Subject[]): Promise<readonly Answered[]> {
    return await this.#sql.bulk(listAnswered, subjects)
  }

  /** The same as `settle`, for rows of any number. */
  async settleRows(subjects: readonly Subject[], toTruth = toStoredTruth): Promise<readonly Answered[]> {
    const known: Answered[] = []
    for (let from = 0; from < subjects.length; from += SUBJECTS_PER_STEP) {
      const answered = await this.list(subjects.slice(from, from + SUBJECTS_PER_STEP))
      for (const one of await this.settle(answered, toTruth)) known.push(one)
    }
    return known
  }

  /**
   * Brings the outcomes of predictions, which are all those of their rows, in line with the truths that are here now,
   * and the pairs. A truth by the prediction's id goes before one by series and time. `toTruth` tells of truths that
   * are not stored yet. Returns the predictions whose truth is known.
   */
  async settle(answered: readonly Answered[], toTruth = toStoredTruth): Promise<readonly Answered[]> {
    await this.#readRaces(answered)
    const settled = answered.map(one => this.#toSettled(one, toTruth(one)))
    const changed = settled.filter(one => isChanged(one) && this.#racesOf(one.answered.epoch).length > 0)
    for (const one of changed) this.#book(one)
    for (const row of groupRows(settled)) this.#pair(row)
    await this.#sql.bulk(setOutcome, changed.map(toColumns))
    await this.#pairs.write(this.#sql)
    return settled.filter(({ truth }) => truth !== null).map(one => one.answered)
  }

  /** Writes the sums. */
  async flush(): Promise<void> {
    await this.#ledger.flush(this.#sql)
    await this.#clusters.flush(this.#sql, this.#cross)
    await this.#cross.flush(this.#sql)
    await this.tallies.flush(this.#sql)
    await this.#pairs.flush(this.#sql)
  }

  #toSettled(answered: Answered, truth: string | null): Settled {
    const { epoch, request, value } = answered
    // Races side by side have one loss.
    const spec = this.#racesOf(epoch)[0]?.spec
    if (spec === undefined || truth === null) return { answered, truth, after: WAITING }
    // A truth that comes fast tells of its kind alone: it counts when those that take longer may have come, too.
    const isYoung = spec.maturityMs > 0 && this.#when.now - toInstant(request) < spec.maturityMs
    if (isYoung) return { answered, truth, after: WAITING }
    const happened = parseValue(truth)
    const loss = toLoss(spec.loss, parseValue(value), happened)
    if (loss === undefined) return { answered, truth, after: { state: STATE.refused, loss: null, weight: null } }
    return { answered, truth, after: { state: STATE.counted, loss, weight: toWeight(happened) } }
  }

  #book(settled: Settled): void {
    const { epoch, variant } = settled.answered
    for (const race of this.#racesOf(epoch)) if (isRacer(race, variant)) this.#bookIn(race.id, settled)
  }

  #bookIn(race: number, { answered, after }: Settled): void {
    const { epoch, request, state, variant } = answered
    const counted = { race, epoch, variant }
    const isDrawn = answered.drawn === 1
    this.#move({ ...counted, part: isDrawn ? 'drawn' : 'other' }, request, answered.loss, after.loss)
    if (isDrawn) this.#bookDrawn(answered, counted, after)
    const refused = Number(after.state === STATE.refused) - Number(state === STATE.refused)
    if (refused !== 0) this.tallies.count(counted, { refused })
    if (state !== STATE.waiting) return
    this.tallies.ripen(counted, request, { labelled: 1 })
    if (!this.#when.isTruthNew) return
    this.tallies.time(counted, 'lateness', this.#when.now - Math.max(answered.at, answered.target_at ?? answered.at))
  }

  #bookDrawn(
    { covariate, entity, loss, request, weight }: Answered,
    counted: { readonly race: number; readonly epoch: number; readonly variant: number },
    after: Outcome,
  ): void {
    this.#moveCross({ ...counted, part: 'ratio' }, request, [weight, loss], [after.weight, after.loss])
    this.#moveCross({ ...counted, part: 'covariate' }, request, [covariate, loss], [covariate, after.loss])
    if (entity === null) return
    if (loss !== null) this.#clusters.remove({ ...counted, entity }, loss)
    if (after.loss !== null) this.#clusters.add({ ...counted, entity }, after.loss)
  }

  /** Brings the pairs of one row in line. */
  #pair(settled: readonly Settled[]): void {
    for (const epoch of new Set(settled.map(({ answered }) => answered.epoch))) {
      const find = (variant: number): Settled | undefined =>
        settled.find(({ answered }) => answered.variant === variant && answered.epoch === epoch)
      for (const race of this.#racesOf(epoch)) {
        const [a, b] = [find(race.a), find(race.b)]
        if (a !== undefined && b !== undefined) this.#pairUp(race.id, a, b)
      }
    }
  }

  #pairUp(race: number, a: Settled, b: Settled): void {
    const before = toDifference(a.answered.loss, b.answered.loss)
    const after = toDifference(a.after.loss, b.after.loss)
    const weights = [before === null ? null : a.answered.weight, after === null ? null : a.after.weight] as const
    if (before === after && weights[0] === weights[1]) return
    const { epoch, request, row } = a.answered
    const at = a.answered.target_at ?? a.answered.at
    if (before !== after) this.#pairs.put({ race, at, request, row, difference: after })
    this.#move({ race, epoch, part: 'pair', variant: 0 }, request, before, after)
    this.#moveCross({ race, epoch, part: 'ratio-pair', variant: 0 }, request, [weights[0], before], [weights[1], after])
  }

  #move(key: SumKey<AggregatePart>, request: string, before: number | null, after: number | null): void {
    if (before === after) return
    if (before !== null) this.#ledger.remove(key, request, before)
    if (after !== null) this.#ledger.add(key, request, after)
  }

  #moveCross(key: SumKey<CrossPart>, request: string, [x, y]: MaybeXY, [newX, newY]: MaybeXY): void {
    if (x === newX && y === newY) return
    if (x !== null && y !== null) this.#cross.remove(key, request, { x, y })
    if (newX !== null && newY !== null) this.#cross.add(key, request, { x: newX, y: newY })
  }

  async #readRaces(answered: readonly Answered[]): Promise<void> {
    const epochs = new Set(answered.map(({ epoch }) => epoch).filter(epoch => !this.#races.has(epoch)))
    const found = await readRacesOfEpochs(this.#sql, epochs)
    for (const epoch of epochs) this.#races.set(epoch, found.get(epoch) ?? [])
  }

  #racesOf(epoch: number): readonly StoredRace[] {
    return this.#races.get(epoch) ?? []
  }
}

interface SumKey<part> {
  readonly race: number
  readonly epoch: number
  readonly part: part
  readonly variant: number
}
type MaybeXY = readonly [number | null, number | null]

/** The truth that the database has for a prediction: the one by its id before the one by series and time. */
function toStoredTruth({ by_id: byId, by_series: bySeries }: Answered): string | null {
  return byId ?? bySeries
}

function isChanged({ answered, after }: Settled): boolean {
  return answered.state !== after.state || answered.loss !== after.loss || answered.weight !== after.weight
}

function toColumns({ answered, after }: Settled) {
  const { request, row, variant } = answered
  return { request, row, variant, state: after.state, loss: after.loss, weight: after.weight }
}

/** What is settled, row by row. */
function groupRows(settled: readonly Settled[]): Iterable<readonly Settled[]> {
  const rows = new Map<string, Settled[]>()
  for (const one of settled) {
    const id = `${one.answered.request}/${one.answered.row}`
    const row = rows.get(id)
    if (row === undefined) rows.set(id, [one])
    else row.push(one)
  }
  return rows.values()
}

function toDifference(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b
}

/** The size of a truth: the absolute value of a number, of a list the mean of theirs; null of another kind. */
function toWeight(truth: PredictedValue): number | null {
  const list = typeof truth === 'number' ? [truth] : typeof truth === 'object' ? truth : []
  if (list.length === 0) return null
  const weight = list.reduce((sum, y) => sum + Math.abs(y), 0) / list.length
  // A larger one could not be squared and summed.
  return weight <= 1e140 ? weight : null
}

/** Reads a value that this room wrote. */
export function parseValue(text: string): PredictedValue {
  return JSON.parse(text) as PredictedValue
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

import type { PredictedValue } from '../core/wire/records.ts'
import { type LossTerms, toLoss } from '../judge/index.ts'
import { Caps } from './caps.ts'
import { type ClusterKey, Clusters } from './clusters.ts'
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
  readonly #caps = new Caps()
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
    const settled = this.#toSettledAll(answered, toTruth)
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
    await this.#caps.flush(this.#sql)
  }

  /** Rows whose losses are capped go in the order of requests: the first set the cap. */
  #toSettledAll(answered: readonly Answered[], toTruth: (one: Answered) => string | null): readonly Settled[] {
    const settled = answered.map(one => this.#toSettled(one, toTruth(one)))
    if (!settled.some(one => this.#capOf(one) !== undefined)) return settled
    return [...groupRows(settled.sort(compareRequests))].flatMap(row => this.#capRow(row))
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

  #capOf({ answered }: Settled): ReturnType<Caps['of']> {
    const race = this.#racesOf(answered.epoch)[0]
    return race === undefined ? undefined : this.#caps.of(race.id)
  }

  #toSettled(answered: Answered, truth: string | null): Settled {
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
    return { answered, truth, after: { state: STATE.counted, loss, weight: toWeight(happened) } }
  }

  #book(settled: Settled): void {
    const { epoch, variant } = settled.answered
    for (const race of this.#racesOf(epoch)) if (isRacer(race, variant)) this.#bookIn(race, settled)
  }

  #bookIn(race: StoredRace, { answered, after }: Settled): void {
    const { epoch, request, state, variant } = answered
    const counted = { race: race.id, epoch, variant }
    const isDrawn = answered.drawn === 1
    const [was, is] = [toCounted(answered), toCounted(after)]
    this.#move({ ...counted, part: isDrawn ? 'drawn' : 'other' }, request, was, is)
    this.#move({ ...counted, part: 'young' }, request, toYoung(answered), toYoung(after))
    if (isDrawn) this.#bookDrawn(answered, race, after)
    const refused = Number(after.state === STATE.refused) - Number(state === STATE.refused)
    if (refused !== 0) this.tallies.count(counted, { refused })
    const cap = this.#caps.of(race.id)
    const capped = Number(isAtCap(is, cap)) - Number(isAtCap(was, cap))
    if (capped !== 0) this.tallies.count(counted, { capped })
    if (state !== STATE.waiting) return
    this.tallies.ripen(counted, request, { labelled: 1 })
    if (!this.#when.isTruthNew) return
    this.tallies.time(counted, 'lateness', this.#when.now - answered.at)
  }

  #bookDrawn(answered: Answered, race: StoredRace, after: Outcome): void {
    const { covariate, entity, epoch, request, variant, weight } = answered
    const [loss, next] = [toCounted(answered), toCounted(after)]
    const counted = { race: race.id, epoch, variant }
    this.#moveCross({ ...counted, part: 'ratio' }, request, [weight, loss], [after.weight, next])
    this.#moveCross({ ...counted, part: 'covariate' }, request, [covariate, loss], [covariate, next])
    if (entity === null || race.design !== 'split') return
    this.#moveCluster({ ...counted, entity }, toTerms(race, loss, weight), toTerms(race, next, after.weight))
  }

  #moveCluster(key: ClusterKey, before: LossTerms | undefined, after: LossTerms | undefined): void {
    if (before !== undefined) this.#clusters.remove(key, before)
    if (after !== undefined) this.#clusters.add(key, after)
  }

  /** Brings the pairs of one row in line. */
  #pair(settled: readonly Settled[]): void {
    for (const epoch of new Set(settled.map(({ answered }) => answered.epoch))) {
      const find = (variant: number): Settled | undefined =>
        settled.find(({ answered }) => answered.variant === variant && answered.epoch === epoch)
      for (const race of this.#racesOf(epoch)) {
        const [a, b] = [find(race.a), find(race.b)]
        if (a !== undefined && b !== undefined) this.#pairUp(race, a, b)
      }
    }
  }

  #pairUp(race: StoredRace, a: Settled, b: Settled): void {
    const before = toPair(a.answered, b.answered)
    const after = toPair(a.after, b.after)
    if (before?.loss === after?.loss && before?.weight === after?.weight) return
    const { entity, epoch, request, row } = a.answered
    const at = a.answered.target_at ?? a.answered.at
    const [was, is] = [toTerms(race, before?.loss, before?.weight), toTerms(race, after?.loss, after?.weight)]
    const key = { race: race.id, epoch, variant: 0 }
    this.#pairs.put({ race: race.id, at, request, row, difference: is?.loss ?? null, weight: is?.weight ?? 1 })
    this.#move({ ...key, part: 'pair' }, request, was?.loss ?? null, is?.loss ?? null)
    this.#moveCross({ ...key, part: 'ratio-pair' }, request, toXY(before), toXY(after))
    if (entity !== null && hasUnits(race)) this.#moveCluster({ ...key, epoch: 0, entity }, was, is)
  }

  #move(key: SumKey<AggregatePart>, request: string, before: number | null, after: number | null): void {
    if (before === after) return
    if (before !== null) this.#ledger.remove(key, request, before)
    if (after !== null) this.#ledger.add(key, request, after)
  }

  #moveCross(key: SumKey<CrossPart>, request: string, [x, y]: MaybeXY, [newX, newY]: MaybeXY): void {
    if (x === newX && y === newY) return
    if (x !== null && y !== null) this.#cross.remove(key, request, { x, y, labels: 1 })
    if (newX !== null && newY !== null) this.#cross.add(key, request, { x: newX, y: newY, labels: 1 })
  }

  async #readRaces(answered: readonly Answered[]): Promise<void> {
    const epochs = new Set(answered.map(({ epoch }) => epoch).filter(epoch => !this.#races.has(epoch)))
    const found = await readRacesOfEpochs(this.#sql, epochs)
    for (const epoch of epochs) this.#races.set(epoch, found.get(epoch) ?? [])
    await this.#caps.read(this.#sql, [...found.values()].flat())
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

interface Pair {
  readonly loss: number
  readonly weight: number | null
}

/** Loss A − loss B with the size of the truth that both are of. */
function toPair(a: Outcome, b: Outcome): Pair | undefined {
  const [lossA, lossB] = [toCounted(a), toCounted(b)]
  return lossA === null || lossB === null ? undefined : { loss: lossA - lossB, weight: a.weight }
}

/** The loss of a prediction that is judged. */
function toCounted({ loss, state }: Outcome): number | null {
  return state === STATE.counted ? loss : null
}

function toYoung({ loss, state }: Outcome): number | null {
  return state === STATE.young ? loss : null
}

function toXY(pair: Pair | undefined): MaybeXY {
  return [pair?.weight ?? null, pair?.loss ?? null]
}

/** A loss as a unit's sum takes it: its weight is 1 but for a loss per size of the truth. */
function toTerms(
  { spec }: StoredRace,
  loss: number | null | undefined,
  weight: number | null | undefined,
): LossTerms | undefined {
  if (loss === null || loss === undefined) return undefined
  return { loss, weight: spec.loss.kind === 'wmape' ? (weight ?? 0) : 1 }
}

/** Whether pairs are judged by entities where they have some: those of a series, and exact bounds, go by their order. */
function hasUnits({ design, spec }: StoredRace): boolean {
  return design === 'paired' && spec.task !== 'forecast' && !spec.strict
}

function toCapped(loss: number, cap: number): number {
  return Math.min(cap, Math.max(-cap, loss))
}

function isAtCap(loss: number | null, cap: ReturnType<Caps['of']>): boolean {
  return loss !== null && typeof cap === 'number' && Math.abs(loss) >= cap
}

function compareRequests({ answered: a }: Settled, { answered: b }: Settled): number {
  return a.request < b.request ? -1 : a.request > b.request ? 1 : a.row - b.row
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

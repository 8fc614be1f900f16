import { isAtCap, type LossTerms } from '../../judge/index.ts'
import type { StoredRace } from '../facts/race.ts'
import { Pairs } from '../pairs.ts'
import { isRacer } from '../races.ts'
import { type AggregatePart, type CrossPart, STATE } from '../schema/schema.ts'
import { type Answered, isChanged, type Outcome, type Settled, toCounted, toYoung, type When } from '../settled.ts'
import type { Sql } from '../sql.ts'
import type { Caps } from './caps.ts'
import { type ClusterKey, Clusters } from './clusters.ts'
import { type CrossChange, CrossLedger } from './cross-ledger.ts'
import { toDayOf, toHourOf, toInstant } from './days.ts'
import { type AggregateChange, Ledger } from './ledger.ts'
import { type Counted, Tallies } from './tallies.ts'

/** The races that the predictions of an epoch are judged in. */
type RacesOf = (epoch: number) => readonly StoredRace[]

/** What changes of the sums of a variant, or of pairs, of one day. */
interface Account {
  readonly moments: Readonly<Record<AggregatePart, AggregateChange>>
  readonly cross: Readonly<Record<Exclude<CrossPart, 'cluster'>, CrossChange>>
}

/** Keeps the sums of races in step with what becomes of their predictions, within one transaction. */
export class Books {
  readonly tallies = new Tallies()
  readonly #when: When
  readonly #caps: Caps
  readonly #ledger = new Ledger()
  readonly #cross = new CrossLedger()
  readonly #clusters = new Clusters()
  readonly #pairs = new Pairs()
  readonly #accounts = new Map<string, Account>()

  constructor(when: When, caps: Caps) {
    this.#when = when
    this.#caps = caps
  }

  /** Moves what changed of the predictions of one row in the sums of their variants, and of their pairs. */
  book(row: readonly Settled[], racesOf: RacesOf): void {
    const at = toInstant(row[0]?.answered.request ?? '')
    for (const one of row) {
      const { epoch, variant } = one.answered
      for (const race of racesOf(epoch)) {
        if (isRacer(race, variant) && isChanged(one)) this.#bookIn(race, one, at)
        if (variant !== race.a) continue
        const other = row.find(({ answered }) => answered.variant === race.b && answered.epoch === epoch)
        if (other !== undefined) this.#pairUp(race, one, other, at)
      }
    }
  }

  /** Writes the pairs, so that a later step of this transaction finds them. */
  async writePairs(sql: Sql): Promise<void> {
    await this.#pairs.write(sql)
  }

  /** Writes the sums. */
  async flush(sql: Sql): Promise<void> {
    this.#accounts.clear()
    await this.#ledger.flush(sql)
    await this.#clusters.flush(sql, this.#cross)
    await this.#cross.flush(sql)
    await this.tallies.flush(sql)
    await this.#pairs.flush(sql)
  }

  #bookIn(race: StoredRace, { answered, after }: Settled, at: number): void {
    const { epoch, state, variant } = answered
    const counted = { race: race.id, epoch, variant }
    const { cross, moments } = this.#account(counted, toDayOf(at))
    const isDrawn = answered.drawn === 1
    const [was, is] = [toCounted(answered), toCounted(after)]
    move(isDrawn ? moments.drawn : moments.other, was, is)
    move(moments.young, toYoung(answered), toYoung(after))
    if (isDrawn) this.#bookDrawn(cross, race, answered, after)
    const counts = this.tallies.of(counted)
    counts.add('refused', Number(after.state === STATE.refused) - Number(state === STATE.refused))
    const cap = this.#caps.of(race.id)
    counts.add('capped', toCappedCount(is, cap) - toCappedCount(was, cap))
    if (state !== STATE.waiting) return
    counts.ripen('labelled', toHourOf(at), 1)
    if (this.#when.isTruthNew) counts.time('lateness', this.#when.now - answered.at)
  }

  #bookDrawn(cross: Account['cross'], race: StoredRace, answered: Answered, after: Outcome): void {
    const { covariate, entity, epoch, variant, weight } = answered
    const [loss, next] = [toCounted(answered), toCounted(after)]
    moveCross(cross.ratio, [weight, loss], [after.weight, next])
    moveCross(cross.covariate, [covariate, loss], [covariate, next])
    if (entity === null || race.design !== 'split') return
    const key = { race: race.id, epoch, variant, entity }
    this.#moveCluster(key, toTerms(race, loss, weight), toTerms(race, next, after.weight))
  }

  #moveCluster(key: ClusterKey, before: LossTerms | undefined, after: LossTerms | undefined): void {
    const { added, removed } = this.#clusters.of(key)
    if (before !== undefined) removed.push(before)
    if (after !== undefined) added.push(after)
  }

  #pairUp(race: StoredRace, a: Settled, b: Settled, requestedAt: number): void {
    const before = toPair(a.answered, b.answered)
    const after = toPair(a.after, b.after)
    if (before?.loss === after?.loss && before?.weight === after?.weight) return
    const { entity, epoch, request, row } = a.answered
    const at = a.answered.target_at ?? a.answered.at
    const [was, is] = [toTerms(race, before?.loss, before?.weight), toTerms(race, after?.loss, after?.weight)]
    this.#pairs.put({ race: race.id, at, request, row, difference: is?.loss ?? null, weight: is?.weight ?? 1 })
    const { cross, moments } = this.#account({ race: race.id, epoch, variant: 0 }, toDayOf(requestedAt))
    move(moments.pair, was?.loss ?? null, is?.loss ?? null)
    moveCross(cross['ratio-pair'], toXY(before), toXY(after))
    if (entity !== null && hasUnits(race)) this.#moveCluster({ race: race.id, epoch: 0, variant: 0, entity }, was, is)
  }

  #account({ race, epoch, variant }: Counted, day: number): Account {
    const id = `${race} ${epoch} ${variant} ${day}`
    const known = this.#accounts.get(id)
    if (known !== undefined) return known
    const sum = (part: AggregatePart) => this.#ledger.of({ race, epoch, part, variant, day })
    const cross = (part: CrossPart) => this.#cross.of({ race, epoch, part, variant, day })
    const made: Account = {
      moments: { pair: sum('pair'), drawn: sum('drawn'), other: sum('other'), young: sum('young') },
      cross: { ratio: cross('ratio'), covariate: cross('covariate'), 'ratio-pair': cross('ratio-pair') },
    }
    this.#accounts.set(id, made)
    return made
  }
}

/** Puts a number in the place of another. */
function move({ added, removed }: AggregateChange, before: number | null, after: number | null): void {
  if (before === after) return
  if (before !== null) removed.push(before)
  if (after !== null) added.push(after)
}

function moveCross({ added, removed }: CrossChange, [x, y]: MaybeXY, [newX, newY]: MaybeXY): void {
  if (x === newX && y === newY) return
  if (x !== null && y !== null) removed.push({ x, y, labels: 1 })
  if (newX !== null && newY !== null) added.push({ x: newX, y: newY, labels: 1 })
}

type MaybeXY = readonly [number | null, number | null]

interface Pair {
  readonly loss: number
  readonly weight: number | null
}

/** Loss A − loss B with the size of the truth that both are of. */
function toPair(a: Outcome, b: Outcome): Pair | undefined {
  const [lossA, lossB] = [toCounted(a), toCounted(b)]
  return lossA === null || lossB === null ? undefined : { loss: lossA - lossB, weight: a.weight }
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

function toCappedCount(loss: number | null, cap: ReturnType<Caps['of']>): 0 | 1 {
  return loss !== null && typeof cap === 'number' && isAtCap(loss, cap) ? 1 : 0
}

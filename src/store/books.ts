import { isAtCap, type LossTerms } from '../judge/index.ts'
import type { Caps } from './caps.ts'
import { type ClusterKey, Clusters } from './clusters.ts'
import { CrossLedger } from './cross-ledger.ts'
import { Ledger } from './ledger.ts'
import { Pairs } from './pairs.ts'
import { isRacer } from './races.ts'
import { type AggregatePart, type CrossPart, STATE } from './schema.ts'
import { type Answered, type Outcome, type Settled, toCounted, toYoung, type When } from './settled.ts'
import type { Sql } from './sql.ts'
import type { StoredRace } from './store.ts'
import { Tallies } from './tallies.ts'

/** The races that the predictions of an epoch are judged in. */
type RacesOf = (epoch: number) => readonly StoredRace[]

/** Keeps the sums of races in step with what becomes of their predictions, within one transaction. */
export class Books {
  readonly tallies = new Tallies()
  readonly #when: When
  readonly #caps: Caps
  readonly #ledger = new Ledger()
  readonly #cross = new CrossLedger()
  readonly #clusters = new Clusters()
  readonly #pairs = new Pairs()

  constructor(when: When, caps: Caps) {
    this.#when = when
    this.#caps = caps
  }

  /** Moves what changed of a prediction in the sums of its variant. */
  book(settled: Settled, racesOf: RacesOf): void {
    const { epoch, variant } = settled.answered
    for (const race of racesOf(epoch)) if (isRacer(race, variant)) this.#bookIn(race, settled)
  }

  /** Brings the pairs of one row in line. */
  pair(settled: readonly Settled[], racesOf: RacesOf): void {
    for (const epoch of new Set(settled.map(({ answered }) => answered.epoch))) {
      const find = (variant: number): Settled | undefined =>
        settled.find(({ answered }) => answered.variant === variant && answered.epoch === epoch)
      for (const race of racesOf(epoch)) {
        const [a, b] = [find(race.a), find(race.b)]
        if (a !== undefined && b !== undefined) this.#pairUp(race, a, b)
      }
    }
  }

  /** Writes the pairs, so that a later step of this transaction finds them. */
  async writePairs(sql: Sql): Promise<void> {
    await this.#pairs.write(sql)
  }

  /** Writes the sums. */
  async flush(sql: Sql): Promise<void> {
    await this.#ledger.flush(sql)
    await this.#clusters.flush(sql, this.#cross)
    await this.#cross.flush(sql)
    await this.tallies.flush(sql)
    await this.#pairs.flush(sql)
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
    const capped = toCappedCount(is, cap) - toCappedCount(was, cap)
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
}

interface SumKey<part> {
  readonly race: number
  readonly epoch: number
  readonly part: part
  readonly variant: number
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

import { UsageError } from '../../core/errors.ts'
import { addToCap, applyCap, type CapState, emptyCap, toCapProgress } from '../sums/cap.ts'
import type { LossTerms } from '../sums/loss.ts'
import type { Evidence } from '../verdict/evidence.ts'
import { type RaceSettings, toReach } from '../verdict/rule.ts'
import { makePairTally, type PairTally } from './pair-tallies.ts'

/** One request that both variants answered. */
export interface Pair {
  readonly a: LossTerms
  readonly b: LossTerms
  readonly at: number | undefined
  readonly entity: string | undefined
}

/** The sums of a race in which both variants answer. */
export class PairSums {
  readonly #settings: RaceSettings
  readonly #tally: PairTally
  #cap: CapState | undefined
  #wins = 0
  #losses = 0
  #total = { a: 0, b: 0, weight: 0 }
  #count = 0

  constructor(settings: RaceSettings) {
    this.#settings = settings
    this.#cap = settings.cap === undefined ? undefined : emptyCap(settings.cap)
    this.#tally = makePairTally(settings, () => this.#toReach())
  }

  /** Pairs that count, those on which B's loss is the smaller one, and those on which it is the larger one. */
  get counts(): { readonly pairs: number; readonly wins: number; readonly losses: number } {
    return { pairs: this.#count, wins: this.#wins, losses: this.#losses }
  }

  /** Mean losses of A and B; undefined before the first pair. */
  get means(): { readonly a: number; readonly b: number } | undefined {
    const { a, b, weight } = this.#total
    return weight > 0 ? { a: a / weight, b: b / weight } : undefined
  }

  /** Adds a pair; says whether it counts. @throws OUTCOME_RANGE */
  add({ a, b, entity }: Pair): boolean {
    if (this.#cap !== undefined && this.#cap.cap === undefined) {
      this.#cap = addToCap(this.#cap, a.loss)
      return false
    }
    const [lossA, lossB] = [this.#toJudged(a.loss), this.#toJudged(b.loss)]
    const loss = lossA - lossB
    if (loss > 0) this.#wins += 1
    if (loss < 0) this.#losses += 1
    this.#count += 1
    const { weight } = a
    this.#total = { a: this.#total.a + lossA, b: this.#total.b + lossB, weight: this.#total.weight + weight }
    this.#tally.add({ loss, weight }, entity)
    return true
  }

  toEvidence(): Evidence {
    const evidence = this.#tally.toEvidence(this.#wins + this.#losses)
    return this.#cap === undefined ? evidence : { ...evidence, cap: toCapProgress(this.#cap) }
  }

  #toJudged(loss: number): number {
    if (this.#settings.strict) this.#checkRange(loss)
    if (this.#cap === undefined) return loss
    const applied = applyCap(this.#cap, loss)
    this.#cap = applied.state
    return applied.loss
  }

  /** Exact bounds hold for losses within the range that they are told. */
  #checkRange(loss: number): void {
    const { kind } = this.#settings.loss
    const high = this.#cap === undefined ? this.#toReach() : Number.POSITIVE_INFINITY
    if (kind === 'value' || (loss >= 0 && loss <= high)) return
    throw new UsageError('OUTCOME_RANGE', `Cannot judge a ${kind} loss of ${loss} strictly: expected 0 to ${high}`, {
      fix: 'Check race.loss, or leave out race.strict',
    })
  }

  #toReach(): number {
    return toReach(this.#settings, this.#cap?.cap) ?? Number.POSITIVE_INFINITY
  }
}

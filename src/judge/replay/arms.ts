import type { RateEpoch } from '../guardrails/rates.ts'
import { addToCap, applyCap, type CapState, emptyCap, toCapProgress } from '../sums/cap.ts'
import type { LossTerms } from '../sums/loss.ts'
import type { Evidence } from '../verdict/evidence.ts'
import type { RaceSettings } from '../verdict/rule.ts'
import { toArmsDominance } from './arm.ts'
import { ArmEpoch, type Roles } from './arm-epoch.ts'
import type { OutcomeRow } from './row.ts'

/** The sums of a race in which each variant answers its share of the requests. */
export class ArmSums {
  readonly #isBySize: boolean
  readonly #epochs = new Map<string, ArmEpoch>()
  #cap: CapState | undefined
  #counts = { a: 0, b: 0 }
  #totals = { a: { loss: 0, weight: 0 }, b: { loss: 0, weight: 0 } }

  constructor(settings: RaceSettings) {
    this.#isBySize = settings.loss.kind === 'wmape'
    this.#cap = settings.cap === undefined ? undefined : emptyCap(settings.cap)
  }

  /** Labels that count, by arm. */
  get counts(): { readonly a: number; readonly b: number } {
    return this.#counts
  }

  /** Mean losses by arm; undefined before an arm's first label. */
  get means(): { readonly a: number | undefined; readonly b: number | undefined } {
    const toMean = ({ loss, weight }: LossTerms): number | undefined => (weight > 0 ? loss / weight : undefined)
    return { a: toMean(this.#totals.a), b: toMean(this.#totals.b) }
  }

  /** Adds an answer of an arm; says whether it is a label that counts. @throws OUTCOME_EPOCH */
  add(row: OutcomeRow, arm: 'a' | 'b', roles: Roles): boolean {
    const epoch = this.#open(row)
    const drawn = row.draw?.drawn ?? true
    if (drawn) epoch.see(row, arm, roles)
    if (row.terms === undefined || !this.#isJudged(row.terms, arm) || !drawn) return false
    const terms = { ...row.terms, loss: this.#toJudged(row.terms.loss) }
    epoch.add(row, terms, arm)
    this.#counts = { ...this.#counts, [arm]: this.#counts[arm] + 1 }
    const total = this.#totals[arm]
    this.#totals = { ...this.#totals, [arm]: { loss: total.loss + terms.loss, weight: total.weight + terms.weight } }
    return true
  }

  /** Events by epoch, for those whose weights are known. */
  toRateEpochs(): readonly RateEpoch[] {
    return [...this.#epochs.values()].flatMap(epoch => {
      const { eventsA, eventsB, weightB } = epoch.toCounts('labels')
      return weightB === undefined || weightB <= 0 || weightB >= 1 ? [] : [{ eventsA, eventsB, weightB }]
    })
  }

  /** By entities where every label has one; per size of the truth for `wmape`; less what a covariate foretells. */
  toEvidence(): Evidence {
    const epochs = [...this.#epochs.values()]
    const arms = epochs.flatMap(({ a, b }) => [a, b])
    const cap = this.#cap === undefined ? {} : { cap: toCapProgress(this.#cap) }
    const ofEntities = arms.reduce((sum, arm) => sum + arm.labelsOfEntities, 0)
    if (ofEntities > 0 && ofEntities === this.#counts.a + this.#counts.b) {
      const dominance = toArmsDominance(arms, 'entities')
      return { kind: 'split-ratio', of: 'entities', epochs: epochs.map(epoch => epoch.toEntities()), dominance, ...cap }
    }
    if (this.#isBySize) {
      const dominance = toArmsDominance(arms, 'sizes')
      return { kind: 'split-ratio', of: 'labels', epochs: epochs.map(epoch => epoch.toSizes()), dominance, ...cap }
    }
    const dominance = toArmsDominance(arms, 'labels')
    if (epochs.some(epoch => epoch.isCovered))
      return { kind: 'adjusted', epochs: epochs.map(epoch => epoch.toAdjusted()), dominance, ...cap }
    return { kind: 'split', epochs: epochs.map(epoch => epoch.toSplit()), dominance, ...cap }
  }

  #open(row: OutcomeRow): ArmEpoch {
    const key = row.epoch ?? JSON.stringify(row.weights ?? null)
    const known = this.#epochs.get(key)
    if (known !== undefined) return known
    const epoch = new ArmEpoch()
    this.#epochs.set(key, epoch)
    return epoch
  }

  /** While the cap is not set, the labels of neither arm count, so that both leave out the same time. */
  #isJudged({ loss }: LossTerms, arm: 'a' | 'b'): boolean {
    if (this.#cap === undefined || this.#cap.cap !== undefined) return true
    if (arm === 'a') this.#cap = addToCap(this.#cap, loss)
    return false
  }

  #toJudged(loss: number): number {
    if (this.#cap === undefined) return loss
    const applied = applyCap(this.#cap, loss)
    this.#cap = applied.state
    return applied.loss
  }
}

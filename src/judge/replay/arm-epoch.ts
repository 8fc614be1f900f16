import { UsageError } from '../../core/errors.ts'
import type { EpochCounts, SplitEpoch } from '../sequence/estimate.ts'
import { toPlainJoint } from '../sums/joint.ts'
import type { LossTerms } from '../sums/loss.ts'
import type { JointEpoch } from '../verdict/evidence.ts'
import { Arm, type ArmUnit } from './arm.ts'
import type { OutcomeRow } from './row.ts'

/** The arms' names; B is not known before its first row. */
export interface Roles {
  readonly a: string
  readonly b: string | undefined
}

/** An epoch's counts and sums of both arms. */
export class ArmEpoch {
  readonly a = new Arm()
  readonly b = new Arm()
  #weightB: number | undefined
  #weights: string | undefined
  #seen = false
  /** An entity went to both arms: none stays with its variant. */
  #isRedrawn = false

  /** Counts an answer, labelled or not. @throws OUTCOME_EPOCH where an epoch has two sets of weights */
  see(row: OutcomeRow, arm: 'a' | 'b', roles: Roles): void {
    const weights = JSON.stringify(row.weights)
    if (this.#seen && weights !== this.#weights) {
      throw new UsageError('OUTCOME_EPOCH', `Cannot take weights ${weights} into an epoch of ${this.#weights}`, {
        fix: 'Give every row of an epoch the same weights, and other weights an epoch of their own',
      })
    }
    ;[this.#seen, this.#weights] = [true, weights]
    this[arm].see(row)
    this.#isRedrawn ||= row.entity !== undefined && this.a.has(row.entity) && this.b.has(row.entity)
    this.#weightB = toWeightB(row.weights, roles) ?? this.#toDrawnWeightB() ?? this.#weightB
  }

  /** Adds a label of an arm. */
  add(row: OutcomeRow, terms: LossTerms, arm: 'a' | 'b'): void {
    this[arm].add(row, terms)
  }

  /** What was drawn, and how many units have an event. */
  toCounts(unit: ArmUnit): EpochCounts {
    const { a, b } = this
    const [servedA, servedB] = this.#isRedrawn ? [a.requests, b.requests] : [a.draws, b.draws]
    return {
      weightB: this.#weightB,
      ...{ eventsA: a.toEvents(unit), eventsB: b.toEvents(unit), servedA, servedB },
      repeated: a.requests + b.requests - servedA - servedB,
    }
  }

  toSplit(): SplitEpoch {
    return { ...this.toCounts('labels'), a: this.a.moments, b: this.b.moments }
  }

  /** By the size of the truth. */
  toSizes(): JointEpoch {
    return { ...this.toCounts('sizes'), a: this.a.toTerms('sizes'), b: this.b.toTerms('sizes') }
  }

  /** By entities: each is one unit, so that none is repeated. */
  toEntities(): JointEpoch {
    const { a, b } = this
    const counts = this.toCounts('entities')
    const [ofA, ofB] = [a.toTerms('entities'), b.toTerms('entities')]
    const isRepeated = a.labelsOfEntities > ofA.count || b.labelsOfEntities > ofB.count
    return { ...counts, repeated: 0, redrawn: isRepeated && counts.repeated === 0, a: ofA, b: ofB }
  }

  /** Whether every label has a covariate. */
  get isCovered(): boolean {
    const { a, b } = this
    const [ofA, ofB] = [a.covariates.count, b.covariates.count]
    return ofA + ofB > 0 && ofA === a.moments.count && ofB === b.moments.count
  }

  /** Where some labels have no covariate, it is one that foretells nothing. */
  toAdjusted(): JointEpoch {
    const { a, b } = this
    const counts = this.toCounts('labels')
    if (this.isCovered) return { ...counts, a: a.covariates, b: b.covariates }
    return { ...counts, a: toPlainJoint(a.moments), b: toPlainJoint(b.moments) }
  }

  /** B's share of what went to either, by the probabilities with which chance chose them. */
  #toDrawnWeightB(): number | undefined {
    const [a, b] = [this.a.propensity, this.b.propensity]
    return a === undefined || b === undefined || a + b === 0 ? undefined : b / (a + b)
  }
}

function toWeightB(weights: OutcomeRow['weights'], { a, b }: Roles): number | undefined {
  const [weightA, weightB] = [weights?.[a] ?? 0, b === undefined ? 0 : (weights?.[b] ?? 0)]
  return b === undefined || weights === undefined || weightA + weightB === 0 ? undefined : weightB / (weightA + weightB)
}

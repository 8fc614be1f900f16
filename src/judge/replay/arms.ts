import { UsageError } from '../../core/errors.ts'
import { addToCap, applyCap, type CapState, emptyCap, toCapProgress } from '../cap.ts'
import { emptyExtremes, foldExtremes, toDominance, toFarthest, toRatioM2, toResidualSquare } from '../dominance.ts'
import type { EpochCounts } from '../estimate.ts'
import type { Evidence, JointEpoch } from '../evidence.ts'
import { emptyJoint, foldJoint, type JointMoments, toPlainJoint } from '../joint.ts'
import type { LossTerms } from '../loss.ts'
import { emptyMoments, fold, type Moments } from '../moments.ts'
import type { RateEpoch } from '../rates.ts'
import type { RaceSettings } from '../rule.ts'
import type { OutcomeRow } from './row.ts'
import { EntityTotals } from './totals.ts'

/** What the labels of a split have beside their loss. */
export type ArmKind = 'plain' | 'ratio' | 'entities' | 'covariate'

/** The arms' names; B is not known before its first row. */
export interface Roles {
  readonly a: string
  readonly b: string | undefined
}

/** The sums of a race in which each variant answers its share of the requests. */
export class ArmSums {
  readonly #kind: ArmKind
  readonly #epochs = new Map<string, Epoch>()
  #cap: CapState | undefined
  #counts = { a: 0, b: 0 }
  #totals = { a: { loss: 0, weight: 0 }, b: { loss: 0, weight: 0 } }

  constructor(settings: RaceSettings, kind: ArmKind) {
    this.#kind = kind
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
      const { eventsA, eventsB, weightB } = epoch.toCounts()
      return weightB === undefined || weightB <= 0 || weightB >= 1 ? [] : [{ eventsA, eventsB, weightB }]
    })
  }

  toEvidence(): Evidence {
    const epochs = [...this.#epochs.values()]
    const peak = epochs.reduce((most, epoch) => Math.max(most, epoch.toFarthest()), 0)
    const dominance = toDominance(
      peak,
      epochs.reduce((sum, epoch) => sum + epoch.toM2(), 0),
    )
    const shared = { dominance, ...(this.#cap === undefined ? {} : { cap: toCapProgress(this.#cap) }) }
    if (this.#kind === 'plain' || (this.#kind === 'covariate' && !epochs.some(epoch => epoch.isCovered))) {
      return { kind: 'split', epochs: epochs.map(epoch => epoch.toSplit()), ...shared }
    }
    const joint = epochs.map(epoch => epoch.toJoint())
    if (this.#kind === 'covariate') return { kind: 'adjusted', epochs: joint, ...shared }
    return { kind: 'split-ratio', of: this.#kind === 'entities' ? 'entities' : 'labels', epochs: joint, ...shared }
  }

  #open(row: OutcomeRow): Epoch {
    const key = row.epoch ?? JSON.stringify(row.weights ?? null)
    const known = this.#epochs.get(key)
    if (known !== undefined) return known
    const epoch = new Epoch(this.#kind)
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

/** An epoch's counts and sums of both arms. */
class Epoch {
  readonly #kind: ArmKind
  readonly #arms: { readonly a: Arm; readonly b: Arm }
  #weightB: number | undefined
  #weights: string | undefined
  #seen = false

  constructor(kind: ArmKind) {
    this.#kind = kind
    this.#arms = { a: new Arm(kind), b: new Arm(kind) }
  }

  /** Counts an answer, labelled or not. @throws OUTCOME_EPOCH where an epoch has two sets of weights */
  see(row: OutcomeRow, arm: 'a' | 'b', roles: Roles): void {
    const weights = JSON.stringify(row.weights)
    if (this.#seen && weights !== this.#weights) {
      throw new UsageError('OUTCOME_EPOCH', `Cannot take weights ${weights} into an epoch of ${this.#weights}`, {
        fix: 'Give every row of an epoch the same weights, and other weights an epoch of their own',
      })
    }
    ;[this.#seen, this.#weights] = [true, weights]
    this.#arms[arm].see(row)
    this.#weightB = toWeightB(row.weights, roles) ?? this.#toDrawnWeightB() ?? this.#weightB
  }

  add(row: OutcomeRow, terms: LossTerms, arm: 'a' | 'b'): void {
    this.#arms[arm].add(row, terms)
  }

  /** B's share of what went to either, by the probabilities with which chance chose them. */
  #toDrawnWeightB(): number | undefined {
    const [a, b] = [this.#arms.a.propensity, this.#arms.b.propensity]
    return a === undefined || b === undefined || a + b === 0 ? undefined : b / (a + b)
  }

  toCounts(): EpochCounts {
    const { a, b } = this.#arms
    return {
      weightB: this.#weightB,
      ...{ eventsA: a.events, eventsB: b.events, servedA: a.served, servedB: b.served },
      repeated: 0,
    }
  }

  toSplit() {
    return { ...this.toCounts(), a: this.#arms.a.moments, b: this.#arms.b.moments }
  }

  /** Whether every label has a covariate. */
  get isCovered(): boolean {
    const { a, b } = this.#arms
    return a.covered + b.covered > 0 && a.covered === a.moments.count && b.covered === b.moments.count
  }

  /** Where some labels have no covariate, it is one that foretells nothing. */
  toJoint(): JointEpoch {
    const { a, b } = this.#arms
    const isPlain = this.#kind === 'covariate' && !this.isCovered
    const [ofA, ofB] = isPlain ? [toPlainJoint(a.moments), toPlainJoint(b.moments)] : [a.joint, b.joint]
    return { ...this.toCounts(), a: ofA, b: ofB }
  }

  toFarthest(): number {
    return Math.max(this.#arms.a.toFarthest(), this.#arms.b.toFarthest())
  }

  toM2(): number {
    return this.#arms.a.toM2() + this.#arms.b.toM2()
  }
}

function toWeightB(weights: OutcomeRow['weights'], { a, b }: Roles): number | undefined {
  const [weightA, weightB] = [weights?.[a] ?? 0, b === undefined ? 0 : (weights?.[b] ?? 0)]
  return b === undefined || weights === undefined || weightA + weightB === 0 ? undefined : weightB / (weightA + weightB)
}

/** One arm's sums within an epoch. */
class Arm {
  readonly #kind: ArmKind
  readonly #totals = new EntityTotals()
  readonly #entities = new Set<string>()
  #extremes = emptyExtremes
  #far = 0
  #served = 0
  #events = 0
  #request: string | undefined
  #propensity: number | undefined
  moments: Moments = emptyMoments
  /** Labels with a covariate. */
  covered = 0
  #joint: JointMoments = emptyJoint

  constructor(kind: ArmKind) {
    this.#kind = kind
  }

  /** Requests that chance gave to the arm, or entities. */
  get served(): number {
    return this.#kind === 'entities' ? this.#entities.size : this.#served
  }

  /** Probability with which chance last chose the arm, where the rows tell. */
  get propensity(): number | undefined {
    return this.#propensity
  }

  /** Labels, or entities, with a loss other than zero. */
  get events(): number {
    return this.#events
  }

  get joint(): JointMoments {
    return this.#kind === 'entities' ? this.#totals.moments : this.#joint
  }

  /** Counts an answer; rows of one request, which follow each other in an export, are one. */
  see({ draw, entity = '' }: OutcomeRow): void {
    if (draw === undefined || draw.request !== this.#request) this.#served += 1
    this.#request = draw?.request
    this.#propensity = draw?.propensity
    if (this.#kind === 'entities') this.#entities.add(entity)
  }

  add({ covariate, entity = '' }: OutcomeRow, terms: LossTerms): void {
    const { loss, weight } = terms
    this.moments = fold(this.moments, loss)
    this.#extremes = foldExtremes(this.#extremes, loss)
    if (this.#kind === 'entities') {
      const total = this.#totals.add(entity, terms)
      this.#events += Number(total.loss !== 0) - Number(total.loss - loss !== 0)
      this.#reach(total)
      return
    }
    this.#events += Number(loss !== 0)
    this.covered += Number(covariate !== undefined)
    this.#joint = foldJoint(this.#joint, loss, this.#kind === 'covariate' ? (covariate ?? 0) : weight)
    if (this.#kind === 'ratio') this.#reach(terms)
  }

  toFarthest(): number {
    return this.#isRatio() ? this.#far : toFarthest(this.#extremes, this.moments.mean)
  }

  toM2(): number {
    return this.#isRatio() ? toRatioM2(this.joint) : this.moments.m2
  }

  #reach(unit: LossTerms): void {
    this.#far = Math.max(this.#far, toResidualSquare(unit, this.joint))
  }

  #isRatio(): boolean {
    return this.#kind === 'ratio' || this.#kind === 'entities'
  }
}

import {
  emptyExtremes,
  foldExtremes,
  toDominance,
  toFarthest,
  toRatioM2,
  toResidualSquare,
} from '../gates/dominance.ts'
import { emptyJoint, foldJoint, type JointMoments } from '../sums/joint.ts'
import type { LossTerms } from '../sums/loss.ts'
import { emptyMoments, fold, type Moments } from '../sums/moments.ts'
import type { OutcomeRow } from './row.ts'
import { EntityTotals } from './totals.ts'

/** What the labels of an arm are counted as: single losses, shares of the truths' size, or entities with all of theirs. */
export type ArmUnit = 'labels' | 'sizes' | 'entities'

/** One arm's sums within an epoch. */
export class Arm {
  readonly #totals = new EntityTotals()
  readonly #entities = new Set<string>()
  #moments: Moments = emptyMoments
  #sizes: JointMoments = emptyJoint
  #covariates: JointMoments = emptyJoint
  #extremes = emptyExtremes
  #far = { sizes: 0, entities: 0 }
  #events = { labels: 0, entities: 0 }
  #labelsOfEntities = 0
  #requests = 0
  /** Those of them that tell no entity. */
  #single = 0
  #request: string | undefined
  #propensity: number | undefined

  /** Moments of single losses. */
  get moments(): Moments {
    return this.#moments
  }

  /** The same with what was known of the row before; of those that had something. */
  get covariates(): JointMoments {
    return this.#covariates
  }

  /** Requests that chance gave to the arm. */
  get requests(): number {
    return this.#requests
  }

  /** The same, but of an entity that stays with its variant the first alone. */
  get draws(): number {
    return this.#entities.size + this.#single
  }

  /** Labels with an entity. */
  get labelsOfEntities(): number {
    return this.#labelsOfEntities
  }

  /** Probability with which chance last chose the arm, where the rows tell. */
  get propensity(): number | undefined {
    return this.#propensity
  }

  /** Whether an answer to an entity was counted. */
  has(entity: string): boolean {
    return this.#entities.has(entity)
  }

  /** Units with a loss other than zero. */
  toEvents(unit: ArmUnit): number {
    return unit === 'entities' ? this.#events.entities : this.#events.labels
  }

  /** Losses of units, with their weights. */
  toTerms(unit: Exclude<ArmUnit, 'labels'>): JointMoments {
    return unit === 'entities' ? this.#totals.moments : this.#sizes
  }

  /** Counts an answer; rows of one request, which follow each other in an export, are one. */
  see({ draw, entity }: OutcomeRow): void {
    const isKnown = draw !== undefined && draw.request === this.#request
    this.#request = draw?.request
    this.#propensity = draw?.propensity
    if (isKnown) return
    this.#requests += 1
    if (entity === undefined) this.#single += 1
    else this.#entities.add(entity)
  }

  /** Adds a label. */
  add({ covariate, entity }: OutcomeRow, terms: LossTerms): void {
    const { loss, weight } = terms
    this.#moments = fold(this.#moments, loss)
    this.#extremes = foldExtremes(this.#extremes, loss)
    this.#events.labels += Number(loss !== 0)
    this.#sizes = foldJoint(this.#sizes, loss, weight)
    this.#far.sizes = Math.max(this.#far.sizes, toResidualSquare(terms, this.#sizes))
    if (covariate !== undefined) this.#covariates = foldJoint(this.#covariates, loss, covariate)
    if (entity !== undefined) this.#addTo(entity, terms)
  }

  /** The largest square of what the arm's mean, or ratio, leaves of a unit. */
  toFarthest(unit: ArmUnit): number {
    return unit === 'labels' ? toFarthest(this.#extremes, this.#moments.mean) : this.#far[unit]
  }

  /** The sum of all those squares. */
  toM2(unit: ArmUnit): number {
    return unit === 'labels' ? this.#moments.m2 : toRatioM2(this.toTerms(unit))
  }

  #addTo(entity: string, terms: LossTerms): void {
    const total = this.#totals.add(entity, terms)
    this.#labelsOfEntities += 1
    this.#events.entities += Number(total.loss !== 0) - Number(total.loss - terms.loss !== 0)
    this.#far.entities = Math.max(this.#far.entities, toResidualSquare(total, this.#totals.moments))
  }
}

/** How much one unit has of the spread of some arms together. */
export function toArmsDominance(arms: readonly Arm[], unit: ArmUnit): number {
  const far = arms.reduce((most, arm) => Math.max(most, arm.toFarthest(unit)), 0)
  return toDominance(
    far,
    arms.reduce((sum, arm) => sum + arm.toM2(unit), 0),
  )
}

import { UsageError } from '../../core/errors.ts'
import { emptyJoint, foldJoint, type JointMoments, removeJoint } from '../joint.ts'
import type { LossTerms } from '../loss.ts'

/** Entities whose totals are kept: a bound on memory. */
export const MAX_ENTITIES = 1_000_000

/** Sums of losses and weights by entity, and their joint moments over entities. */
export class EntityTotals {
  readonly #totals = new Map<string, LossTerms>()
  #moments: JointMoments = emptyJoint

  get moments(): JointMoments {
    return this.#moments
  }

  /** Adds a label to its entity's totals, which it returns. @throws OUTCOME_ENTITIES */
  add(entity: string, { loss, weight }: LossTerms): LossTerms {
    const before = this.#totals.get(entity)
    if (before === undefined && this.#totals.size >= MAX_ENTITIES) {
      throw new UsageError('OUTCOME_ENTITIES', `Cannot keep the totals of more than ${MAX_ENTITIES} entities`, {
        fix: 'Replay a part of the entities, such as those whose hash ends in 0',
      })
    }
    const after = { loss: (before?.loss ?? 0) + loss, weight: (before?.weight ?? 0) + weight }
    this.#totals.set(entity, after)
    const rest = before === undefined ? this.#moments : removeJoint(this.#moments, before.loss, before.weight)
    this.#moments = foldJoint(rest, after.loss, after.weight)
    return after
  }
}

/** Finds how much of a spread the farthest of many numbers makes up, without keeping them. */
export class Extremes {
  #low = Number.POSITIVE_INFINITY
  #high = Number.NEGATIVE_INFINITY

  add(x: number): void {
    this.#low = Math.min(this.#low, x)
    this.#high = Math.max(this.#high, x)
  }

  /** The largest square of a distance from the mean: that of the smallest number or of the largest. */
  toFarthest(mean: number): number {
    return this.#low > this.#high ? 0 : Math.max((this.#low - mean) ** 2, (this.#high - mean) ** 2)
  }
}

/** The largest square of what a ratio does not explain, of each unit when it was last seen. */
export class ResidualPeak {
  #square = 0

  add({ loss, weight }: LossTerms, { meanX, meanY }: JointMoments): void {
    const residual = meanY === 0 ? 0 : loss - (meanX / meanY) * weight
    this.#square = Math.max(this.#square, residual * residual)
  }

  get square(): number {
    return this.#square
  }
}

/** A share of a sum of squares, 0–1. */
export function toDominance(square: number, m2: number): number {
  return m2 > 0 ? Math.min(1, square / m2) : 0
}

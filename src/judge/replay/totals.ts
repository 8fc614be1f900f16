import { UsageError } from '../../core/errors.ts'
import { emptyJoint, foldJoint, type JointMoments, removeJoint } from '../sums/joint.ts'
import type { LossTerms } from '../sums/loss.ts'

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

import { emptyExtremes, foldExtremes, toDominance, toFarthest, toRatioM2, toResidualSquare } from '../dominance.ts'
import type { Evidence, PairedRatioEvidence } from '../evidence.ts'
import { emptyJoint, foldJoint, type JointMoments } from '../joint.ts'
import type { LossTerms } from '../loss.ts'
import { emptyMoments, fold, type Moments } from '../moments.ts'
import { addToOrdered, type Ordered, toOrderedEvidence } from '../ordered.ts'
import { EntityTotals } from './totals.ts'

/** A design's sums of paired differences (x: loss A − loss B, with the weight they share). */
export interface PairTally {
  readonly add: (difference: LossTerms, entity: string) => void
  readonly toEvidence: (discordant: number) => Evidence
}

/** Of pairs that do not depend on each other. */
export function makePairedTally(): PairTally {
  let moments: Moments = emptyMoments
  let extremes = emptyExtremes
  return {
    add({ loss }) {
      moments = fold(moments, loss)
      extremes = foldExtremes(extremes, loss)
    },
    toEvidence(discordant) {
      return {
        kind: 'paired',
        moments,
        discordant,
        dominance: toDominance(toFarthest(extremes, moments.mean), moments.m2),
      }
    },
  }
}

/** Of pairs whose mean is a ratio of sums. */
export function makeRatioTally(): PairTally {
  let terms = emptyJoint
  let far = 0
  return {
    add(difference) {
      terms = foldJoint(terms, difference.loss, difference.weight)
      far = Math.max(far, toResidualSquare(difference, terms))
    },
    toEvidence: discordant => toRatioEvidence('labels', terms, far, discordant),
  }
}

/** Of pairs that belong to entities, each of which may have several. */
export function makeEntityTally(): PairTally {
  const totals = new EntityTotals()
  let far = 0
  return {
    add(difference, entity) {
      const total = totals.add(entity, difference)
      far = Math.max(far, toResidualSquare(total, totals.moments))
    },
    toEvidence: discordant => toRatioEvidence('entities', totals.moments, far, discordant),
  }
}

function toRatioEvidence(
  of: PairedRatioEvidence['of'],
  terms: JointMoments,
  far: number,
  discordant: number,
): PairedRatioEvidence {
  return { kind: 'paired-ratio', of, terms, discordant, dominance: toDominance(far, toRatioM2(terms)) }
}

/** Of pairs whose order matters; `toReach` tells that of bounded differences, which is known when the first is added. */
export function makeOrderedTally(empty: Ordered, toReach: () => number): PairTally {
  let ordered = empty
  return {
    add: difference => {
      ordered = addToOrdered(ordered, difference)
    },
    toEvidence: () => toOrderedEvidence(ordered, toReach()),
  }
}

import { emptyExtremes, foldExtremes, toDominance, toFarthest, toRatioM2, toResidualSquare } from '../dominance.ts'
import type { Evidence, PairedRatioEvidence } from '../evidence.ts'
import { emptyJoint, foldJoint, type JointMoments } from '../joint.ts'
import type { LossTerms } from '../loss.ts'
import { emptyMoments, fold, type Moments } from '../moments.ts'
import { addToOrdered, type Ordered, toEmptyOrdered, toOrderedEvidence } from '../ordered.ts'
import type { RaceSettings } from '../rule.ts'
import { EntityTotals } from './totals.ts'

/** A design's sums of paired differences (x: loss A − loss B, with the weight they share). */
export interface PairTally {
  readonly add: (difference: LossTerms, entity?: string) => void
  readonly toEvidence: (discordant: number) => Evidence
}

/** What is known of a race's pairs beside their losses. */
export interface PairKind {
  readonly hasEntities: boolean
  /** How far a bounded difference can be from 0, which is known when the first is added. */
  readonly toReach: () => number
}

/** The sums of a race whose pairs are judged by their order, by entities, per size of the truth, or singly. */
export function makePairTally(
  settings: Pick<RaceSettings, 'loss' | 'season' | 'strict' | 'task'>,
  { hasEntities, toReach }: PairKind,
): PairTally {
  const ordered = toEmptyOrdered(settings)
  if (ordered !== undefined) return makeOrderedTally(ordered, toReach)
  if (hasEntities) return makeEntityTally()
  return settings.loss.kind === 'wmape' ? makeRatioTally() : makePairedTally()
}

/** Of pairs that do not depend on each other. */
function makePairedTally(): PairTally {
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
function makeRatioTally(): PairTally {
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
function makeEntityTally(): PairTally {
  const totals = new EntityTotals()
  let far = 0
  return {
    add(difference, entity = '') {
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

/** Of pairs whose order matters. */
function makeOrderedTally(empty: Ordered, toReach: () => number): PairTally {
  let ordered = empty
  return {
    add: difference => {
      ordered = addToOrdered(ordered, difference)
    },
    toEvidence: () => toOrderedEvidence(ordered, toReach()),
  }
}

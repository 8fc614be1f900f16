import {
  emptyExtremes,
  foldExtremes,
  toDominance,
  toFarthest,
  toRatioM2,
  toResidualSquare,
} from '../gates/dominance.ts'
import { addToOrdered, type Ordered, toEmptyOrdered, toOrderedEvidence } from '../sequence/ordered.ts'
import { emptyJoint, foldJoint, type JointMoments } from '../sums/joint.ts'
import type { LossTerms } from '../sums/loss.ts'
import { emptyMoments, fold, type Moments } from '../sums/moments.ts'
import type { Evidence, PairedEvidence, PairedRatioEvidence } from '../verdict/evidence.ts'
import type { RaceSettings } from '../verdict/rule.ts'
import { EntityTotals } from './totals.ts'

/** A design's sums of paired differences (x: loss A − loss B, with the weight they share). */
export interface PairTally {
  readonly add: (difference: LossTerms, entity?: string) => void
  readonly toEvidence: (discordant: number) => Evidence
}

/**
 * The sums of a race whose pairs are judged by their order, by entities, per size of the truth, or singly. `toReach`
 * tells how far a bounded difference can be from 0, which is known when the first is added.
 */
export function makePairTally(
  settings: Pick<RaceSettings, 'loss' | 'season' | 'strict' | 'task'>,
  toReach: () => number,
): PairTally {
  const ordered = toEmptyOrdered(settings)
  if (ordered !== undefined) return makeOrderedTally(ordered, toReach)
  return makeUnitTally(settings.loss.kind === 'wmape' ? makeRatioTally() : makePairedTally())
}

/** Of pairs that do not depend on each other: of entities, where each tells one; otherwise of single ones. */
function makeUnitTally(single: SingleTally): PairTally {
  const totals = new EntityTotals()
  const count = { pairs: 0, ofEntities: 0 }
  let far = 0
  return {
    add(difference, entity) {
      single.add(difference)
      count.pairs += 1
      if (entity === undefined) return
      count.ofEntities += 1
      const total = totals.add(entity, difference)
      far = Math.max(far, toResidualSquare(total, totals.moments))
    },
    toEvidence(discordant) {
      const { pairs, ofEntities } = count
      if (ofEntities === 0) return single.toEvidence(discordant)
      if (ofEntities === pairs) return toRatioEvidence('entities', totals.moments, far, discordant)
      const repeats = { repeated: ofEntities - totals.moments.count, of: pairs }
      return { ...single.toEvidence(discordant), repeats }
    },
  }
}

/** Sums of pairs, each of which is a unit. */
interface SingleTally {
  readonly add: (difference: LossTerms) => void
  readonly toEvidence: (discordant: number) => PairedEvidence | PairedRatioEvidence
}

function makePairedTally(): SingleTally {
  let moments: Moments = emptyMoments
  let extremes = emptyExtremes
  return {
    add({ loss }) {
      moments = fold(moments, loss)
      extremes = foldExtremes(extremes, loss)
    },
    toEvidence(discordant) {
      const dominance = toDominance(toFarthest(extremes, moments.mean), moments.m2)
      return { kind: 'paired', moments, discordant, dominance }
    },
  }
}

/** Of pairs whose mean is a ratio of sums. */
function makeRatioTally(): SingleTally {
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

import { addToBlocks, emptyBlocks } from '../blocking.ts'
import { emptyBounded, foldBounded } from '../bounded.ts'
import type { Evidence } from '../evidence.ts'
import { emptyJoint, foldJoint, toResidualM2 } from '../joint.ts'
import type { LossTerms } from '../loss.ts'
import { emptyMoments, fold, type Moments } from '../moments.ts'
import { addToWeightedBlocks, emptyWeightedBlocks } from '../weighted-blocks.ts'
import { EntityTotals, Extremes, ResidualPeak, toDominance } from './totals.ts'

/** A design's sums of paired differences (x: loss A − loss B, with the weight they share). */
export interface PairTally {
  readonly add: (difference: LossTerms, entity: string) => void
  readonly toEvidence: (discordant: number) => Evidence
}

/** Of pairs that do not depend on each other. */
export function makePairedTally(): PairTally {
  const spread = makeSpread()
  return {
    add: ({ loss }) => spread.add(loss),
    toEvidence: discordant => ({
      kind: 'paired',
      moments: spread.moments(),
      discordant,
      dominance: spread.dominance(),
    }),
  }
}

/** Of pairs whose mean is a ratio of sums. */
export function makeRatioTally(): PairTally {
  const peak = new ResidualPeak()
  let terms = emptyJoint
  return {
    add(difference) {
      terms = foldJoint(terms, difference.loss, difference.weight)
      peak.add(difference, terms)
    },
    toEvidence: discordant => ({
      kind: 'paired-ratio',
      of: 'labels',
      terms,
      discordant,
      dominance: toShare(peak, terms),
    }),
  }
}

/** Of pairs that belong to entities, each of which may have several. */
export function makeEntityTally(): PairTally {
  const peak = new ResidualPeak()
  const totals = new EntityTotals()
  return {
    add: (difference, entity) => peak.add(totals.add(entity, difference), totals.moments),
    toEvidence(discordant) {
      const { moments: terms } = totals
      return { kind: 'paired-ratio', of: 'entities', terms, discordant, dominance: toShare(peak, terms) }
    },
  }
}

/** Of pairs of a series, in the order of time. */
export function makeSeriesTally(season: number): PairTally {
  const spread = makeSpread()
  let blocks = emptyBlocks(season)
  return {
    add({ loss }) {
      spread.add(loss)
      blocks = addToBlocks(blocks, loss)
    },
    toEvidence: () => ({ kind: 'dependent', blocks, dominance: spread.dominance() }),
  }
}

/** Of pairs of a series whose mean is a ratio of sums. */
export function makeWeightedSeriesTally(season: number): PairTally {
  const peak = new ResidualPeak()
  let terms = emptyJoint
  let blocks = emptyWeightedBlocks(season)
  return {
    add(difference) {
      terms = foldJoint(terms, difference.loss, difference.weight)
      peak.add(difference, terms)
      blocks = addToWeightedBlocks(blocks, difference.loss, difference.weight)
    },
    toEvidence: () => ({ kind: 'dependent', blocks, dominance: toShare(peak, terms) }),
  }
}

/** Of pairs whose differences cannot exceed a reach, which is known when the first is added. */
export function makeBoundedTally(toReach: () => number): PairTally {
  let state = emptyBounded
  return {
    add: ({ loss }) => {
      state = foldBounded(state, loss)
    },
    toEvidence: () => ({ kind: 'bounded', state, reach: toReach() }),
  }
}

function makeSpread() {
  const extremes = new Extremes()
  let moments: Moments = emptyMoments
  return {
    add(x: number): void {
      moments = fold(moments, x)
      extremes.add(x)
    },
    moments: () => moments,
    dominance: () => toDominance(extremes.toFarthest(moments.mean), moments.m2),
  }
}

function toShare(peak: ResidualPeak, terms: Parameters<typeof toResidualM2>[0]): number {
  return terms.meanY === 0 ? 0 : toDominance(peak.square, toResidualM2(terms, terms.meanX / terms.meanY))
}

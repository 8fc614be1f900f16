import {
  type Extremes,
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
import type { Evidence } from '../verdict/evidence.ts'
import type { RaceSettings } from '../verdict/rule.ts'
import { addToBlocks, type Blocks, emptyBlocks } from './blocking.ts'
import { type BoundedState, emptyBounded, foldBounded } from './bounded.ts'
import { addToWeightedBlocks, emptyWeightedBlocks, type WeightedBlocks } from './weighted-blocks.ts'

/**
 * What is kept of pairs whose order matters: of a series, of one whose mean is a ratio of sums, and of losses with exact
 * bounds. Never changed in place, so that a state of before can be gone back to.
 */
export type Ordered =
  | {
      readonly kind: 'series'
      readonly blocks: Blocks
      readonly moments: Moments
      readonly extremes: Extremes
    }
  | {
      readonly kind: 'weighted'
      readonly blocks: WeightedBlocks
      readonly terms: JointMoments
      /** Largest square of what the ratio left of a difference when it came. */
      readonly far: number
    }
  | { readonly kind: 'bounded'; readonly state: BoundedState }

/** The state before the first pair; undefined where the order of pairs does not matter. */
export function toEmptyOrdered({
  loss,
  season,
  strict,
  task,
}: Pick<RaceSettings, 'loss' | 'season' | 'strict' | 'task'>): Ordered | undefined {
  if (strict) return { kind: 'bounded', state: emptyBounded }
  if (task !== 'forecast') return undefined
  if (loss.kind === 'wmape') return { kind: 'weighted', blocks: emptyWeightedBlocks(season), terms: emptyJoint, far: 0 }
  return { kind: 'series', blocks: emptyBlocks(season), moments: emptyMoments, extremes: emptyExtremes }
}

/** Adds the next pair: x is loss A − loss B, with the weight that both share. */
export function addToOrdered(ordered: Ordered, { loss, weight }: LossTerms): Ordered {
  switch (ordered.kind) {
    case 'series':
      return {
        kind: 'series',
        blocks: addToBlocks(ordered.blocks, loss),
        moments: fold(ordered.moments, loss),
        extremes: foldExtremes(ordered.extremes, loss),
      }
    case 'weighted': {
      const terms = foldJoint(ordered.terms, loss, weight)
      const far = Math.max(ordered.far, toResidualSquare({ loss, weight }, terms))
      return { kind: 'weighted', blocks: addToWeightedBlocks(ordered.blocks, loss, weight), terms, far }
    }
    case 'bounded':
      return { kind: 'bounded', state: foldBounded(ordered.state, loss) }
    default:
      return ordered satisfies never
  }
}

/** What the pairs say; `reach` is that of bounded differences. */
export function toOrderedEvidence(ordered: Ordered, reach: number): Evidence {
  switch (ordered.kind) {
    case 'series': {
      const { blocks, extremes, moments } = ordered
      return { kind: 'dependent', blocks, dominance: toDominance(toFarthest(extremes, moments.mean), moments.m2) }
    }
    case 'weighted': {
      const { blocks, far, terms } = ordered
      return { kind: 'dependent', blocks, dominance: toDominance(far, toRatioM2(terms)) }
    }
    case 'bounded':
      return { kind: 'bounded', state: ordered.state, reach }
    default:
      return ordered satisfies never
  }
}

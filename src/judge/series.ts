import { toBlocks } from './blocking.ts'
import type { DependentEvidence } from './evidence.ts'
import { emptyMoments, fold } from './moments.ts'

/** The evidence of a whole series of differences (loss A − loss B) in the order of the times that they are for. */
export function toDependentEvidence(differences: Float64Array, season = 1): DependentEvidence {
  return { kind: 'dependent', blocks: toBlocks(differences, season), dominance: toDominance(differences) }
}

/** The share of the spread that the number farthest from the mean makes up, 0–1. */
function toDominance(series: Float64Array): number {
  const { mean, m2 } = series.reduce(fold, emptyMoments)
  return m2 === 0 ? 0 : series.reduce((most, x) => Math.max(most, (x - mean) ** 2), 0) / m2
}

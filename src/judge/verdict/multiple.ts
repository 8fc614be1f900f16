import type { SequenceRule } from '../sequence/multiplier.ts'

/**
 * The rule of each comparison where several share one chance of being wrong (union bound), so that all of them
 * together are wrong with chance alpha at most: K challengers against a champion are K comparisons. A challenger may
 * be dropped as soon as its bounds say that it is worse, as in races by Hoeffding's bound.
 *
 * Source: Maron, Moore 1993, "Hoeffding races: accelerating model selection search for classification and function
 * approximation", NIPS 6; Bonferroni 1936: alpha of one = alpha / comparisons.
 */
export function toSharedRule<rule extends SequenceRule>(rule: rule, comparisons: number): rule {
  return { ...rule, alpha: rule.alpha / Math.max(1, comparisons) }
}

/** Comparisons among a champion and its K challengers where the best of all is looked for: K (K + 1) / 2. */
export function toPairCount(challengers: number): number {
  return (challengers * (challengers + 1)) / 2
}

/**
 * Which of many secondary metrics may be called changed, so that of those called so a share of alpha at most is
 * wrong on average, however the metrics depend on each other (the e-BH procedure). Takes and gives the metrics in
 * one order; `logE` is the natural logarithm of an e-value.
 *
 * Source: Wang, Ramdas 2022, "False discovery rate control with e-values", J. R. Statist. Soc. B 84(3):
 * the k largest with k = max{k : k e(k) / m ≥ 1 / alpha}.
 */
export function toDiscoveries(logE: readonly number[], alpha: number): readonly boolean[] {
  const sorted = [...logE].sort((a, b) => b - a)
  const isEnough = (value: number, rank: number): boolean => value >= Math.log(logE.length / (alpha * rank))
  const last = sorted.findLastIndex((value, at) => isEnough(value, at + 1))
  const least = sorted[last] ?? Number.POSITIVE_INFINITY
  return logE.map(value => value >= least)
}

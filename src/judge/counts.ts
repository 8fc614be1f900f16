/**
 * Natural logarithm of the gamma function for x > 0, to about 1e-14 relative.
 *
 * Source: Stirling's series (NIST DLMF 5.11.1), after raising the argument to at least 15 by the recurrence.
 */
export function lnGamma(x: number): number {
  let shifted = x
  let product = 1
  while (shifted < 15) {
    product *= shifted
    shifted += 1
  }
  const inverse = 1 / (shifted * shifted)
  const series =
    (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse * (1 / 1188))))) / shifted
  return (shifted - 0.5) * Math.log(shifted) - shifted + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product)
}

/**
 * Natural logarithm of the evidence that counts were not drawn with the given weights; it may be looked at all the
 * time: an alarm at ln(1 / alpha) is false with chance alpha at most. `weights` are above 0 and sum to 1.
 *
 * Source: Lindon, Malek 2022, "Anytime-valid inference for multinomial count data", NeurIPS (arXiv:2011.03567).
 * @param concentration Dirichlet prior's mass around the weights. @default 100
 */
export function toRatioEvidence(counts: readonly number[], weights: readonly number[], concentration = 100): number {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const terms = weights.map((weight, i) => {
    const count = counts[i] ?? 0
    const prior = concentration * weight
    return lnGamma(prior + count) - lnGamma(prior) - count * Math.log(weight)
  })
  return terms.reduce((sum, term) => sum + term, 0) - lnGamma(concentration + total) + lnGamma(concentration)
}

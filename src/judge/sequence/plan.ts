import type { Estimate } from './estimate.ts'
import { type SequenceRule, toMultiplier } from './multiplier.ts'

/** Chances of having decided by then: even odds, and four in five. */
export type Power = 'half' | 'fourFifths'

/** Their normal quantiles. */
const POWER_Z = { half: 0, fourFifths: 0.8416212335729143 } as const satisfies Record<Power, number>

/** More labels than this are called never. */
const NEVER = 1e12

/**
 * The smallest number of labels after which a true difference `delta` with standard deviation `sd` (of one label)
 * is found with the given chance, or undefined where that takes more than 10¹² or `delta` is 0.
 *
 * The sequence excludes 0 from |delta| √n / sd ≥ b(n) + z on; b as in `toMultiplier`.
 *
 * Source: as `toMultiplier`.
 */
export function toLabelsNeeded(
  delta: number,
  sd: number,
  rule: SequenceRule,
  power: Power = 'half',
): number | undefined {
  return findFirst(n => (Math.abs(delta) * Math.sqrt(n)) / sd >= toMultiplier(n, rule) + POWER_Z[power])
}

/**
 * The labels after which a difference of `delta` lies within ±margin for sure; undefined where it never will.
 *
 * Source: as `toMultiplier`.
 */
export function toLabelsForEquivalence(
  delta: number,
  sd: number,
  margin: number,
  rule: SequenceRule,
): number | undefined {
  return findFirst(n => (toMultiplier(n, rule) * sd) / Math.sqrt(n) <= margin - Math.abs(delta))
}

/** The labels that a race takes to find a gain. */
export interface Plan {
  /** The improvement that is looked for. */
  readonly gain: number
  readonly half: number
  readonly fourFifths: number
}

/**
 * The plan of a race for a gain that is worth a promotion; undefined where no number of labels shows it.
 *
 * Source: as `toLabelsNeeded`.
 */
export function toPlan(gain: number, sd: number, rule: SequenceRule): Plan | undefined {
  const [half, fourFifths] = [toLabelsNeeded(gain, sd, rule), toLabelsNeeded(gain, sd, rule, 'fourFifths')]
  return half === undefined || fourFifths === undefined ? undefined : { gain, half, fourFifths }
}

/**
 * A plan in words. The median race stopped after 0.74 to 0.86 of `half`, and nine in ten by 1.02 to 1.09 of
 * `fourFifths`, in simulations of losses without heavy tails.
 */
export function toPlanText({ half, fourFifths }: Plan): string {
  return `about ${Math.round(0.8 * half)} labels, very likely within ${fourFifths}`
}

/**
 * The labels that a race takes if the true improvement is about what it is so far: between the plans of an estimate
 * 1.28 standard errors larger and smaller (the middle 80 %). `high` is undefined where the smaller one is none.
 * Early on this says little: after 500 labels it was off by a factor of 0.7 to 17 in simulations.
 *
 * Source: as `toLabelsNeeded`.
 */
export function toPlanRange({ estimate, se, n }: Estimate, rule: SequenceRule): PlanRange | undefined {
  const sd = se * Math.sqrt(n)
  const low = toLabelsNeeded(Math.abs(estimate) + MIDDLE * se, sd, rule)
  const least = Math.max(0, Math.abs(estimate) - MIDDLE * se)
  return n < 2 || low === undefined ? undefined : { low, high: toLabelsNeeded(least, sd, rule) }
}

/** The labels of a race whose improvement is known roughly. */
export interface PlanRange {
  readonly low: number
  readonly high: number | undefined
}

/** Normal quantile of 90 %. */
const MIDDLE = 1.2815515655446004

/**
 * The first of 1, 2, 3, … that is enough, where all after it are too: the signal grows faster than the multiplier
 * wherever they meet, so that they meet once and bisection is exact.
 */
function findFirst(isEnough: (n: number) => boolean): number | undefined {
  let high = 1
  while (!isEnough(high)) {
    high *= 2
    if (high > NEVER) return undefined
  }
  let low = Math.floor(high / 2)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (isEnough(middle)) high = middle
    else low = middle
  }
  return high
}

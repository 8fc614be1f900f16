import { toRatioEvidence } from '../../src/judge/gates/counts.ts'
import { EntityTotals } from '../../src/judge/replay/totals.ts'
import { toEpochsEstimate, toPairedEstimate, toSplitEstimate } from '../../src/judge/sequence/estimate.ts'
import { toMultiplier } from '../../src/judge/sequence/multiplier.ts'
import { emptyMoments, fold, type Moments } from '../../src/judge/sums/moments.ts'
import { toRatioDifference } from '../../src/judge/sums/ratio.ts'
import { toSharedRule } from '../../src/judge/verdict/multiple.ts'
import { ENOUGH, REACH, Z } from './paired.ts'
import type { Random } from './random.ts'
import { LABELS, RULE, type Scenario, toColumn, toLimit } from './scenario.ts'

/*
 * Mistakes that look like winners, and what guards against each. The reference does not say how large its drifts,
 * entities and delays were: where data had to be guessed, the guarded rate must only stay within alpha.
 */

/** The rows of traps. */
export const TRAPS: readonly Scenario[] = [
  {
    table: 'traps',
    name: 'ramp 5, 50, 95 % with a drift: pooled / by epoch',
    columns: [toColumn('naive', 1), toLimit('guarded', 0.061), toLimit('and arm ≥ 100', 0.009)],
    run: runRamp,
  },
  {
    table: 'traps',
    name: 'sticky entities: by request / by entity',
    columns: [toColumn('naive', undefined), toLimit('guarded', 0.0075)],
    run: runSticky,
  },
  {
    table: 'traps',
    name: 'shares of sticky requests / of their entities',
    columns: [toColumn('naive', undefined), toLimit('guarded', 0.006)],
    run: runStickyShares,
  },
  {
    table: 'traps',
    name: 'delay depends on the variant: labels at once / mature ones',
    columns: [toColumn('naive', undefined), toLimit('guarded', 0.015)],
    run: runDelay,
  },
  {
    table: 'traps',
    name: 'shares of 50 and 50 %: χ² at every request / multinomial',
    columns: [toColumn('naive', 0.489), toColumn('guarded', 0.0405)],
    run: random => runShares(random, 0.5),
  },
  {
    table: 'traps',
    name: 'the same of 48 and 52 %: found, not false',
    columns: [toColumn('naive', undefined), toColumn('guarded', 0.85)],
    run: random => runShares(random, 0.52),
  },
  {
    table: 'traps',
    name: 'ten metrics: alpha / a tenth of it each',
    columns: [toColumn('naive', undefined), toLimit('guarded', 0.0175)],
    run: runTen,
  },
]

/** How many standard errors each of ten sequences reaches that share alpha. */
const SHARED_REACH = Float64Array.from({ length: LABELS + 1 }, (_, n) =>
  n === 0 ? Infinity : toMultiplier(n, toSharedRule(RULE, 10)),
)

function isBeyond({
  estimate,
  se,
  n,
}: {
  readonly estimate: number
  readonly se: number
  readonly n: number
}): boolean {
  return se > 0 && Math.abs(estimate) > (REACH[n] ?? Number.POSITIVE_INFINITY) * se
}

interface Sums {
  a: Moments
  b: Moments
}

const add = (sums: Sums, isB: boolean, loss: number): void => {
  if (isB) sums.b = fold(sums.b, loss)
  else sums.a = fold(sums.a, loss)
}
const smaller = ({ a, b }: Sums): number => Math.min(a.count, b.count)
const empty = (): Sums => ({ a: emptyMoments, b: emptyMoments })

/** Each third of the race has other weights, and losses fall by one standard deviation from each to the next. */
function runRamp(random: Random): readonly boolean[] {
  const found = [false, false, false]
  const pooled = empty()
  const epochs = [empty(), empty(), empty()]
  for (let n = 1; n <= LABELS; n++) {
    const stage = Math.min(2, Math.floor((3 * (n - 1)) / LABELS))
    const isB = random.uniform() < ([0.05, 0.5, 0.95][stage] ?? 0)
    const loss = random.normal() - stage
    add(pooled, isB, loss)
    add(epochs[stage] ?? pooled, isB, loss)
    if (n < 100 || smaller(pooled) < 2) continue
    found[0] ||= isBeyond(toSplitEstimate(pooled.a, pooled.b))
    const estimate = toEpochsEstimate(epochs, toSplitEstimate)
    found[1] ||= isBeyond(estimate)
    found[2] ||= isBeyond(estimate) && smaller(pooled) >= 100
  }
  return found
}

const ENTITIES = 1000

/** Entities differ by as much as their labels do, and keep the variant that they got first. */
function runSticky(random: Random): readonly boolean[] {
  const found = [false, false]
  const level = Float64Array.from({ length: ENTITIES }, random.normal)
  const isOfB = Array.from({ length: ENTITIES }, () => random.uniform() < 0.5)
  const requests = empty()
  const [a, b] = [new EntityTotals(), new EntityTotals()]
  for (let n = 1; n <= LABELS; n++) {
    const entity = Math.floor(random.uniform() * ENTITIES)
    const isB = isOfB[entity] === true
    const loss = (level[entity] ?? 0) + random.normal()
    add(requests, isB, loss)
    ;(isB ? b : a).add(String(entity), { loss, weight: 1 })
    const arms = { a: a.moments, b: b.moments }
    if (smaller(requests) >= 100) found[0] ||= isBeyond(toSplitEstimate(requests.a, requests.b))
    if (Math.min(arms.a.count, arms.b.count) >= 100) found[1] ||= isBeyond(toRatioDifference(arms.a, arms.b))
  }
  return found
}

function runStickyShares(random: Random): readonly boolean[] {
  const found = [false, false]
  const isOfB = Array.from({ length: ENTITIES }, () => random.uniform() < 0.5)
  const seen = new Set<number>()
  const [requests, entities] = [
    [0, 0],
    [0, 0],
  ]
  for (let n = 1; n <= LABELS; n++) {
    const entity = Math.floor(random.uniform() * ENTITIES)
    const arm = Number(isOfB[entity])
    requests[arm] = (requests[arm] ?? 0) + 1
    const isNew = !seen.has(entity)
    if (isNew) entities[arm] = (entities[arm] ?? 0) + 1
    seen.add(entity)
    found[0] ||= toRatioEvidence(requests, [0.5, 0.5]) >= ENOUGH
    found[1] ||= isNew && toRatioEvidence(entities, [0.5, 0.5]) >= ENOUGH
  }
  return found
}

const WINDOW = 500

/** A bad outcome takes longer to be known, and longer still of B: what is known first flatters B. */
function runDelay(random: Random): readonly boolean[] {
  const found = [false, false]
  const [early, mature] = [empty(), empty()]
  const due: { readonly isB: boolean; readonly loss: number }[][] = Array.from(
    { length: LABELS + WINDOW + 1 },
    () => [],
  )
  const cohort: { readonly isB: boolean; readonly loss: number }[] = []
  for (let n = 1; n <= LABELS; n++) {
    const isB = random.uniform() < 0.5
    const loss = Number(random.uniform() < 0.3)
    const delay = Math.floor(random.uniform() * (loss === 0 ? 100 : isB ? WINDOW : 100))
    due[n + delay]?.push({ isB, loss })
    cohort.push({ isB, loss })
    for (const label of due[n] ?? []) add(early, label.isB, label.loss)
    const ripe = cohort[n - WINDOW - 1]
    if (ripe !== undefined) add(mature, ripe.isB, ripe.loss)
    if (smaller(early) >= 100) found[0] ||= isBeyond(toSplitEstimate(early.a, early.b))
    if (smaller(mature) >= 100) found[1] ||= isBeyond(toSplitEstimate(mature.a, mature.b))
  }
  return found
}

function runShares(random: Random, share: number): readonly boolean[] {
  const found = [false, false]
  let b = 0
  for (let n = 1; n <= LABELS; n++) {
    b += Number(random.uniform() < share)
    if (n >= 100) found[0] ||= Math.abs(2 * b - n) / Math.sqrt(n) > Z
    if (!found[1]) found[1] = toRatioEvidence([n - b, b], [0.5, 0.5]) >= ENOUGH
  }
  return found
}

function runTen(random: Random): readonly boolean[] {
  const found = [false, false]
  const metrics: Moments[] = Array(10).fill(emptyMoments)
  for (let n = 1; n <= LABELS; n++)
    for (let i = 0; i < metrics.length; i++) {
      const moments = fold(metrics[i] ?? emptyMoments, random.normal())
      metrics[i] = moments
      if (n < 100) continue
      const { estimate, se } = toPairedEstimate(moments)
      found[0] ||= Math.abs(estimate) > (REACH[n] ?? 0) * se
      found[1] ||= Math.abs(estimate) > (SHARED_REACH[n] ?? 0) * se
    }
  return found
}

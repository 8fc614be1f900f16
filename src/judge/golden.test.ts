import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toRatioEvidence } from './gates/counts.ts'
import { toRateRatio, toWinRate } from './guardrails/rates.ts'
import { type BlockedEstimate, toBlockedEstimate, toBlocks } from './sequence/blocking.ts'
import { emptyBounded, foldBounded, toBoundary, toBoundedEvidence, toBoundedSequence } from './sequence/bounded.ts'
import { type Estimate, toEpochsEstimate, toPairedEstimate, toSplitEstimate } from './sequence/estimate.ts'
import { type SequenceRule, toLogE, toMultiplier, toOneSidedMultiplier, toP, toRho2 } from './sequence/multiplier.ts'
import { toLabelsNeeded } from './sequence/plan.ts'
import { emptyJoint, foldJoint, type JointMoments } from './sums/joint.ts'
import { type LossSpec, toLoss, toLossTerms } from './sums/loss.ts'
import { emptyMoments, fold, type Moments, remove, variance } from './sums/moments.ts'
import { toAdjustedEstimate, toRatioDifference } from './sums/ratio.ts'
import golden from './testing/golden.json' with { type: 'json' }
import { assertAgrees } from './testing/near.ts'
import { makeDoublingBatchMeans } from './testing/rejected.ts'
import { toDiscoveries } from './verdict/multiple.ts'
import { decide } from './verdict/verdict.ts'

/*
 * Reference figures of other people's programs, by exact fractions and by brute force; each section says its source.
 */

const toMoments = (xs: readonly number[]): Moments => xs.reduce(fold, emptyMoments)
const toJoint = (xs: readonly number[], ys: readonly number[]): JointMoments =>
  xs.reduce((moments, x, i) => foldJoint(moments, x, ys[i] ?? Number.NaN), emptyJoint)

function assertBounds(found: Estimate, rule: SequenceRule, wanted: { lower: number; upper: number }): void {
  const reach = toMultiplier(found.n, rule) * found.se
  assertAgrees(found.estimate - reach, wanted.lower)
  assertAgrees(found.estimate + reach, wanted.upper)
}

function assertEstimate(found: Estimate, rule: SequenceRule, wanted: WantedEstimate): void {
  assertAgrees(found.estimate, wanted.est)
  assertAgrees(found.se, wanted.se)
  assertBounds(found, rule, wanted)
}

interface WantedEstimate {
  readonly est: number
  readonly se: number
  readonly lower: number
  readonly upper: number
}

/** How each section is checked: a section without a line here does not compile, and fails below. */
const checks: { readonly [section in keyof typeof golden]: (wanted: (typeof golden)[section]) => void } = {
  meta({ rho2, tolerance_rel }) {
    assert.equal(tolerance_rel, 1e-9)
    assert.equal(rho2, '(-2 ln a + ln(1 - 2 ln a)) / tOpt')
  },
  multiplier({ rows }) {
    for (const { n, rho2, two, oneExact, oneClosed, ...rule } of rows) {
      assertAgrees(toRho2(rule), rho2)
      assertAgrees(toMultiplier(n, rule), two)
      assertAgrees(toOneSidedMultiplier(n, rule), oneClosed)
      assert.ok(toOneSidedMultiplier(n, rule) >= oneExact)
    }
  },
  paired({ cases }) {
    for (const { d, at, ...rule } of cases)
      for (const wanted of at) {
        const found = toPairedEstimate(toMoments(d.slice(0, wanted.n)))
        const logE = toLogE(found.estimate / found.se, found.n, rule)
        assertAgrees(found.se * Math.sqrt(wanted.n), wanted.sd)
        assertAgrees(logE, wanted.logE)
        assertAgrees(toP(logE), wanted.p)
        assertEstimate(found, rule, { ...wanted, est: wanted.mean, se: wanted.sd / Math.sqrt(wanted.n) })
      }
  },
  split({ cases, aggregates }) {
    for (const { a, b, ...wanted } of cases) {
      const found = toSplitEstimate(toMoments(a), toMoments(b))
      assert.equal(found.n, wanted.N)
      assertEstimate(found, wanted, wanted)
      assertAgrees(toP(toLogE(found.estimate / found.se, found.n, wanted)), wanted.p)
    }
    const toArm = ({ n, mean, var: spread }: typeof aggregates.a): Moments => ({ count: n, mean, m2: spread * (n - 1) })
    const found = toSplitEstimate(toArm(aggregates.a), toArm(aggregates.b))
    assertAgrees(found.estimate, aggregates.est)
    assertBounds(found, aggregates, aggregates)
    assertAgrees(toP(toLogE(found.estimate / found.se, found.n, aggregates)), aggregates.p)
  },
  splitEpochs({ epochs, ...wanted }) {
    const arms = epochs.map(({ a, b }) => ({ a: toMoments(a), b: toMoments(b) }))
    const found = toEpochsEstimate(arms, toSplitEstimate)
    assert.equal(found.n, wanted.N)
    assertEstimate(found, wanted, wanted)
  },
  cuped({ ya, xa, yb, xb, ...wanted }) {
    const found = toAdjustedEstimate(toJoint(ya, xa), toJoint(yb, xb))
    assertAgrees(found.theta, wanted.theta)
    assertEstimate(found, wanted, wanted)
  },
  clusteredRatio({ a, b, ...wanted }) {
    const found = toRatioDifference(toJoint(a.sum, a.count), toJoint(b.sum, b.count))
    assert.equal(found.n, wanted.N)
    assertEstimate(found, wanted, wanted)
  },
  empiricalBernstein({ cs, rows, tolerance_rel: tolerance }) {
    for (const { alphaSide, bound, c: scale, v, vOpt } of rows)
      assertAgrees(toBoundary(v, { scale, vOpt, alphaOpt: alphaSide }, alphaSide), bound, tolerance)
    const rule = { alpha: cs.alpha, tOpt: cs.vOpt, reach: cs.hi }
    for (const wanted of cs.at) {
      const state = cs.d.slice(0, wanted.n).reduce(foldBounded, emptyBounded)
      const found = toBoundedSequence(state, rule)
      assertAgrees(state.spread, wanted.V, tolerance)
      assertAgrees(found.estimate, wanted.mean, tolerance)
      assertAgrees(found.lower, wanted.lower, tolerance)
      assertAgrees(found.upper, wanted.upper, tolerance)
      assert.equal(found.lower > 0 || found.upper < 0, toBoundedEvidence(state, rule) >= -Math.log(cs.alpha))
    }
  },
  betaBinomial({ x, alpha, at }) {
    for (const { n, wins, lower, upper, logE_half } of at) {
      assert.equal(
        x.slice(0, n).reduce((sum, hit) => sum + hit, 0),
        wins,
      )
      const found = toWinRate(wins, n - wins, alpha)
      assertAgrees(found.lower, lower)
      assertAgrees(found.upper, upper)
      assertAgrees(found.logE, logE_half)
    }
  },
  srm({ rows }) {
    for (const { counts, weights, k, logBF, p } of rows) {
      const found = toRatioEvidence(counts, weights, k)
      assertAgrees(found, logBF)
      assertAgrees(toP(found), p)
    }
  },
  ebh({ rows }) {
    for (const { e, alpha, reject } of rows) assert.deepEqual(toDiscoveries(e.map(Math.log), alpha), reject)
  },
  labelsNeeded({ rows }) {
    for (const { delta, sd, power, n, ...rule } of rows)
      assert.equal(toLabelsNeeded(delta, sd, rule, power === 0.5 ? 'half' : 'fourFifths'), n)
  },
  welford({ x, mean, var: spread, removeIndex, meanAfterRemove, varAfterRemove, tolerance_rel: tolerance }) {
    const moments = toMoments(x)
    const less = remove(moments, x[removeIndex] ?? 0)
    assertAgrees(moments.mean, mean)
    assertAgrees(variance(moments), spread, tolerance)
    assertAgrees(less.mean, meanAfterRemove)
    assertAgrees(variance(less), varAfterRemove, tolerance)
  },
  losses({ y, yhat, prob, label, tau, ...wanted }) {
    const kinds: readonly [LossSpec, readonly number[], readonly number[], readonly number[]][] = [
      [{ kind: 'squared' }, yhat, y, wanted.squared],
      [{ kind: 'absolute' }, yhat, y, wanted.absolute],
      [{ kind: 'pinball', quantile: tau }, yhat, y, wanted.pinball],
      [{ kind: 'log' }, prob, label, wanted.logloss],
      [{ kind: 'brier' }, prob, label, wanted.brier],
      [{ kind: 'zero-one' }, prob, label, wanted.error01],
    ]
    for (const [spec, predictions, truths, losses] of kinds)
      predictions.forEach((prediction, i) => {
        assertAgrees(toLoss(spec, prediction, truths[i] ?? Number.NaN), losses[i])
      })
    yhat.forEach((prediction, i) => {
      const terms = toLossTerms({ kind: 'wmape' }, prediction, y[i] ?? Number.NaN)
      assertAgrees((terms?.loss ?? Number.NaN) / (terms?.weight ?? Number.NaN), wanted.ape[i])
    })
  },
  doublingBatchMeans({ d, bMax, at }) {
    for (const wanted of at) {
      const series = makeDoublingBatchMeans(bMax)
      for (const x of d.slice(0, wanted.n)) series.add(x)
      assertAgrees(series.mean(), wanted.mean)
      assertAgrees(series.se(), wanted.se)
    }
  },
  dyadicBlocking({ d, minBlocks, at }) {
    for (const wanted of at) {
      const found: BlockedEstimate = toBlockedEstimate(toBlocks(d.slice(0, wanted.n)), minBlocks)
      assertAgrees(found.estimate, wanted.mean)
      assertAgrees(found.se, wanted.se)
      assertAgrees(found.r1Top, wanted.rTop)
      assert.equal(found.levels.length, wanted.levels.length)
      wanted.levels.forEach((level, i) => {
        const { blocks, length, r1, se, variance: spread } = found.levels[i] ?? {}
        assert.deepEqual([length, blocks], [level.L, level.blocks])
        assertAgrees(spread, level.var)
        assertAgrees(r1, level.r1)
        assertAgrees(se, level.se)
      })
    }
  },
  conversionRatio({ rows }) {
    for (const { alpha, k, weightB, ...wanted } of rows) {
      const found = toRateRatio([{ ...wanted, weightB }], alpha, k)
      const toShare = (ratio = Number.NaN): number =>
        ratio === Number.POSITIVE_INFINITY ? 1 : 1 / (1 + (1 - weightB) / (weightB * ratio))
      assertAgrees(found?.lower, wanted.ratioLower)
      assertAgrees(toShare(found?.lower), wanted.shareLower)
      assertAgrees(toShare(found?.upper), wanted.shareUpper)
      assertAgrees(found?.logE, wanted.logE)
      if (wanted.ratio === null) assert.equal(found?.estimate, Number.POSITIVE_INFINITY)
      else assertAgrees(found?.estimate, wanted.ratio)
      if (wanted.ratioUpper === null) assert.equal(found?.upper, Number.POSITIVE_INFINITY)
      else assertAgrees(found?.upper, wanted.ratioUpper)
    }
  },
  decide({ rows }) {
    for (const { verdict, ...input } of rows) assert.equal(decide(input), verdict)
  },
}

describe('reference figures', () => {
  /** The table's type ties each check to its section; a loop over names cannot know that. */
  const check = <section extends keyof typeof golden>(section: section): void => checks[section](golden[section])

  for (const section of Object.keys(golden) as (keyof typeof golden)[]) it(`of ${section}`, () => check(section))

  it('are checked in every section', () => assert.deepEqual(Object.keys(checks), Object.keys(golden)))
})

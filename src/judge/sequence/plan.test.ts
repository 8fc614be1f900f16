import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toMultiplier } from './multiplier.ts'
import { toLabelsForEquivalence, toLabelsNeeded, toPlan, toPlanRange, toPlanText } from './plan.ts'

const rule = { alpha: 0.05, tOpt: 1000 }

describe('labels needed', () => {
  it('toLabelsNeeded() knows no number for a difference of 0', () => {
    assert.equal(toLabelsNeeded(0, 1, rule), undefined)
  })

  it('toLabelsForEquivalence() is the first number whose bounds fit the margin', () => {
    const n = toLabelsForEquivalence(-0.02, 1, 0.1, rule) ?? 0
    const isWithin = (labels: number): boolean => toMultiplier(labels, rule) / Math.sqrt(labels) <= 0.08
    assert.deepEqual([isWithin(n - 1), isWithin(n)], [false, true])
    assert.equal(toLabelsForEquivalence(0.1, 1, 0.1, rule), undefined)
  })

  it('toPlanText() says what simulations say of a plan', () => {
    const plan = toPlan(0.1, 1, rule)
    assert.deepEqual(plan, { gain: 0.1, half: 922, fourFifths: 1511 })
    assert.equal(toPlanText({ gain: 0.1, half: 922, fourFifths: 1511 }), 'about 738 labels, very likely within 1511')
    assert.equal(toPlan(0, 1, rule), undefined)
  })

  it('toPlanRange() is of the plans of the middle 80 % of estimates', () => {
    const [estimate, se, n] = [0.1, 0.02, 2500]
    const at = (z: number) => toLabelsNeeded(estimate + z * se, se * Math.sqrt(n), rule)
    assert.deepEqual(toPlanRange({ estimate, se, n }, rule), { low: at(1.2815515655), high: at(-1.2815515655) })
  })

  it('toPlanRange() has no upper end where the estimate may be nothing', () => {
    const certain = toPlanRange({ estimate: 0.1, se: 0.02, n: 2500 }, rule)
    assert.ok((certain?.low ?? 0) < 922 && (certain?.high ?? 0) > 922)
    assert.equal(toPlanRange({ estimate: 0.1, se: 0.1, n: 100 }, rule)?.high, undefined)
    assert.equal(toPlanRange({ estimate: 0.1, se: 0, n: 1 }, rule), undefined)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toMultiplier } from '../sequence/multiplier.ts'
import { isBreached, isNonInferior, toLowerBound } from './guardrail.ts'

const rule = { alpha: 0.05, tOpt: 1000 }

describe('guardrails', () => {
  it('toLowerBound() is tighter than the two-sided bound', () => {
    const harm = { estimate: 3, se: 1, n: 1000 }
    assert.ok(toLowerBound(harm, rule) > harm.estimate - toMultiplier(1000, rule))
    assert.ok(toLowerBound(harm, rule) < harm.estimate)
    assert.equal(toLowerBound({ ...harm, n: 1 }, rule), Number.NEGATIVE_INFINITY)
  })

  it('isBreached() wants evidence of more harm than the limit', () => {
    assert.equal(isBreached({ estimate: 4, se: 1, n: 1000 }, 1, rule), true)
    assert.equal(isBreached({ estimate: 4, se: 1, n: 1000 }, 2, rule), false)
    assert.equal(isBreached({ estimate: 4, se: 0, n: 1000 }, 1, rule), false)
  })

  it('isNonInferior() wants evidence that B is not worse by the margin', () => {
    assert.equal(isNonInferior({ estimate: 0, se: 0.1, n: 1000 }, 0.5, rule), true)
    assert.equal(isNonInferior({ estimate: 0, se: 0.1, n: 1000 }, 0.2, rule), false)
  })
})

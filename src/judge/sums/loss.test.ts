import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PredictedValue } from '../../core/wire/records.ts'
import { assertNear } from '../testing/near.ts'
import { type LossSpec, toLoss, toLossRange, toLossTerms } from './loss.ts'

describe('toLoss()', () => {
  it('weighs what is too low and what is too high by the quantile', () => {
    const spec: LossSpec = { kind: 'pinball', quantile: 0.9 }
    assertNear(toLoss(spec, 1, 3), 1.8)
    assertNear(toLoss(spec, 3, 1), 0.2)
    assertNear(toLoss(spec, [1, 3], [3, 1]), 1)
  })

  const rows: readonly [string, LossSpec['kind'], PredictedValue, PredictedValue, number | undefined][] = [
    ['takes a list of one for its number', 'squared', [3], 1, 4],
    ['averages over the steps of a forecast', 'squared', [1, 2], [2, 4], 2.5],
    ['averages absolute errors over steps', 'absolute', [1, 2], [2, 4], 1.5],
    ['refuses lists of different lengths', 'squared', [1, 2], [1, 2, 3], undefined],
    ['refuses a list against a number', 'squared', [1, 2], 1, undefined],
    ['refuses empty lists', 'squared', [], [], undefined],
    ['refuses a label where a number is wanted', 'squared', 'cat', 1, undefined],
    ['refuses a truth that is no number', 'absolute', 1, 'cat', undefined],
    ['refuses what cannot be squared', 'squared', 1e100, 0, undefined],
    ['takes a probability per class', 'log', [0.2, 0.5, 0.3], 1, -Math.log(0.5)],
    ['clips a sure mistake', 'log', 0, 1, -Math.log(1e-6)],
    ['clips a sure hit', 'log', 1, true, -Math.log(1 - 1e-6)],
    ['refuses what is no probability', 'log', 1.5, 1, undefined],
    ['refuses a class that there is none of', 'log', [0.5, 0.5], 2, undefined],
    ['refuses half a class', 'brier', 0.5, 0.5, undefined],
    ['gives two classes what one probability gives', 'brier', [0.3, 0.7], 1, 0.09],
    ['sums over three classes', 'brier', [0.2, 0.5, 0.3], 1, (0.04 + 0.25 + 0.09) / 2],
    ['compares labels', 'zero-one', 'cat', 'cat', 0],
    ['compares other labels', 'zero-one', 'cat', 'dog', 1],
    ['refuses a label against a number', 'zero-one', 'cat', 1, undefined],
    ['compares the likeliest class', 'zero-one', [0.1, 0.7, 0.2], 2, 1],
    ['compares class numbers', 'zero-one', 3, 3, 0],
    ['compares a truth of true or false', 'zero-one', 0.9, true, 0],
    ['refuses a list of truths', 'zero-one', [0.1, 0.9], [0, 1], undefined],
    ['turns a value round', 'value', 'whatever', 12.5, -12.5],
    ['gives no value a plain zero', 'value', 0, 0, 0],
    ['refuses a value that is no number', 'value', 0, 'much', undefined],
  ]
  for (const [name, kind, prediction, truth, wanted] of rows) {
    it(name, () => {
      const spec: LossSpec = kind === 'pinball' ? { kind, quantile: 0.5 } : { kind }
      const found = toLoss(spec, prediction, truth)
      if (wanted === undefined) assert.equal(found, undefined)
      else assertNear(found, wanted)
      assert.ok(!Object.is(found, -0))
    })
  }
})

describe('toLossTerms()', () => {
  it('weighs an outcome by the size of its truth for wmape alone', () => {
    assert.deepEqual(toLossTerms({ kind: 'wmape' }, 7, -4), { loss: 11, weight: 4 })
    assert.deepEqual(toLossTerms({ kind: 'wmape' }, [1, 2], [3, 5]), { loss: 2.5, weight: 4 })
    assert.deepEqual(toLossTerms({ kind: 'wmape' }, 7, 0), { loss: 7, weight: 0 })
    assert.deepEqual(toLossTerms({ kind: 'squared' }, 7, -4), { loss: 121, weight: 1 })
  })

  it('has none where there is no loss', () => {
    assert.equal(toLossTerms({ kind: 'wmape' }, 'cat', 1), undefined)
  })
})

describe('toLossRange()', () => {
  it('holds every loss of its kind', () => {
    const range = toLossRange({ kind: 'log' })
    assert.equal(toLoss({ kind: 'log' }, 0, 1), range?.high)
    assert.deepEqual(toLossRange({ kind: 'brier' }), { low: 0, high: 1 })
    assert.equal(toLossRange({ kind: 'squared' }), undefined)
  })
})

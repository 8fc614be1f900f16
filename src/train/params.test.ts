import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { overrideParams } from './params.ts'

const usual = { hidden: 100, name: 'x', fast: false }

describe('overrideParams()', () => {
  const table = [
    ['a number', { hidden: 200 }, { hidden: 200 }],
    ['a number as text', { hidden: ' 1e2 ' }, { hidden: 100 }],
    ['a truth as text', { fast: 'true' }, { fast: true }],
    ['a number where text is usual', { name: 7 }, { name: '7' }],
    ['nothing', {}, {}],
  ] as const
  for (const [name, set, wanted] of table) {
    it(`takes ${name}`, () => assert.deepEqual(overrideParams(usual, set), { ...usual, ...wanted }))
  }

  const refused = [
    ['text for a number', { hidden: 'many' }, 'PARAM_VALUE', /a finite number .* found "many"/],
    ['nothing for a number', { hidden: '' }, 'PARAM_VALUE', /a finite number/],
    ['an infinite number', { hidden: Number.POSITIVE_INFINITY }, 'PARAM_VALUE', /a finite number/],
    ['a number for a truth', { fast: 1 }, 'PARAM_VALUE', /true or false/],
    ['an unknown name', { hiden: 1 }, 'PARAM_UNKNOWN', /expected one of hidden, name, fast/],
    ['a name that every object has', { toString: 1 }, 'PARAM_UNKNOWN', /expected one of/],
  ] as const
  for (const [name, set, code, message] of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(() => overrideParams(usual, set), { name: 'UsageError', code, message })
    })
  }

  it('names the nearest parameter', () => {
    assert.throws(() => overrideParams(usual, { hiden: 1 }), { fix: 'Did you mean "hidden"?' })
  })
})

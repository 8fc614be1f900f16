import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UsageError } from '../core/errors.ts'
import { parseShare, toRole } from './verbs/deploy.ts'
import { parseDays } from './verbs/prune.ts'
import { parseSet } from './verbs/train.ts'

/* What verbs read from their command lines. */

describe('parseSet()', () => {
  it('reads numbers, booleans and text', () => {
    assert.deepEqual(parseSet(['a=1', 'b=0.5', 'c=true', 'd=x=y', 'e=', 'f=1e-3']), {
      a: 1,
      b: 0.5,
      c: true,
      d: 'x=y',
      e: '',
      f: 0.001,
    })
  })
  it('refuses a pair without a name', () => {
    for (const pair of ['hidden', '=1']) assert.throws(() => parseSet([pair]), UsageError)
  })
})

describe('parseShare()', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['10%', 0.1],
    ['0.25', 0.25],
    ['99.5%', 0.995],
  ]
  for (const [text, wanted] of cases) it(`reads ${text}`, () => assert.equal(parseShare(text), wanted))
  for (const text of ['0', '0%', '100%', '1', '-5%', 'ten', '5 %', '']) {
    it(`refuses "${text}"`, () => assert.throws(() => parseShare(text), UsageError))
  }
})

describe('toRole()', () => {
  const nothing = { challenger: undefined, shadow: false, weight: undefined, ramp: false }
  it('makes a champion without --challenger', () => assert.deepEqual(toRole(nothing), {}))
  it('makes a shadow', () =>
    assert.deepEqual(toRole({ ...nothing, challenger: 'b', shadow: true }), {
      variant: 'b',
      challenger: { mode: 'shadow' },
    }))
  it('makes a split', () =>
    assert.deepEqual(toRole({ ...nothing, challenger: 'b', weight: '10%' }), {
      variant: 'b',
      challenger: { mode: 'split', weight: 0.1 },
    }))
  it('makes a ramp', () =>
    assert.deepEqual(toRole({ ...nothing, challenger: 'b', ramp: true }), {
      variant: 'b',
      challenger: { mode: 'ramp' },
    }))
  it('refuses two ways, none, and any without a challenger', () => {
    for (const flags of [
      { challenger: 'b', shadow: true, weight: '10%' },
      { challenger: 'b', shadow: true, ramp: true },
      { challenger: 'b' },
      { shadow: true },
      { weight: '10%' },
      { ramp: true },
    ])
      assert.throws(() => toRole({ ...nothing, ...flags }), UsageError)
  })
})

describe('parseDays()', () => {
  it('reads whole numbers', () => {
    assert.deepEqual([parseDays('30d'), parseDays('7')], [30, 7])
  })
  it('refuses everything else', () => {
    for (const text of ['', '-1', '1.5', 'x']) assert.throws(() => parseDays(text), UsageError)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toFigure } from './figure.ts'

describe('toFigure()', () => {
  const cases: readonly (readonly [number | null, string])[] = [
    [null, '–'],
    [0, '0'],
    [33.52837, '33.53'],
    [-0.00012346, '-0.0001235'],
    [0.00001, '1.000e-5'],
    [123456, '123500'],
    [12345678, '1.235e+7'],
  ]
  for (const [value, wanted] of cases) it(`shows ${value} as ${wanted}`, () => assert.equal(toFigure(value), wanted))
})

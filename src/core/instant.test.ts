import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseInstant } from './instant.ts'

const NOON = Date.UTC(2026, 0, 31, 12)

describe('parseInstant()', () => {
  const RIGHT = [
    ['2026-01-31', Date.UTC(2026, 0, 31)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['2026-01-31T12:00Z', NOON],
    ['2026-01-31T12:00:00Z', NOON],
    ['2026-01-31t12:00:00z', NOON],
    ['2026-01-31 12:00:00Z', NOON],
    ['2026-01-31T13:00:00+01:00', NOON],
    ['2026-01-31T13:00:00+0100', NOON],
    ['2026-01-31T06:30:00-05:30', NOON],
    ['2026-01-31T12:00:00.250Z', NOON + 250],
    ['2026-01-31T12:00:00.250999999Z', NOON + 250],
    ['1769860800000', NOON],
    [NOON, NOON],
    [-1, -1],
    ['-1', -1],
  ] as const
  for (const [text, wanted] of RIGHT) {
    it(`reads ${JSON.stringify(text)}`, () => assert.equal(parseInstant(text), wanted))
  }

  const WRONG = [
    '2026-02-30',
    '2026-02-29',
    '2026-13-01',
    '2026-02-30T12:00:00Z',
    '2026-01-31T12:00:00',
    '2026-01-31T25:00:00Z',
    '2026-01-31T12:60:00Z',
    '2026-01-31T12:00:00+99:00',
    '31.01.2026',
    'yesterday',
    '',
    '1.5',
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    null,
    undefined,
    {},
    [NOON],
  ]
  for (const value of WRONG) {
    it(`refuses ${JSON.stringify(value) ?? 'undefined'}`, () =>
      assert.throws(() => parseInstant(value), { code: 'INSTANT', fix: /./ }))
  }

  it('reads back every date that ISO 8601 writes', () => {
    const date = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    fc.assert(fc.property(date, at => assert.equal(parseInstant(at.toISOString()), at.getTime())))
  })
  it('gives a whole number or an INSTANT error for any text', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        try {
          assert.ok(Number.isSafeInteger(parseInstant(text)))
        } catch (error) {
          assert.equal(error instanceof Error && 'code' in error && error.code, 'INSTANT')
        }
      }),
    )
  })
})

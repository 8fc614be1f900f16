import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isPredictedValue, parseRecordBatch, type RecordBatch } from './records.ts'

const batch: RecordBatch = {
  schema: 'regatta/records/v1',
  gateway: 'gateway-1',
  dropped: 2,
  epoch: 3,
  records: [
    {
      request: '0198c6f0-0000-7000-8000-000000000001',
      at: 1_769_817_600_000,
      variant: 1,
      epoch: 3,
      served: true,
      propensity: 0.9,
      pinned: true,
      status: 200,
      latencyUs: 812,
      replica: 'a-1',
      entity: 'user-7',
      rows: [
        { prediction: 1.5, series: 's', at: -3, entity: 'e', covariate: -0.5 },
        { prediction: 'cat' },
        { prediction: [0.25, 0.75] },
      ],
    },
  ],
}
const withRecord = (more: object) => ({ ...batch, records: [{ ...batch.records[0], ...more }] })

describe('parseRecordBatch()', () => {
  it('returns an equal batch', () => assert.deepEqual(parseRecordBatch(JSON.parse(JSON.stringify(batch))), batch))

  const refused: readonly [string, unknown, RegExp][] = [
    ['an array', [], /expected the batch to be an object, found \[\]/],
    ['a request in capitals', withRecord({ request: 'ABC' }), /records\[0\]\.request to be a UUID in lower case/],
    ['a propensity of 2', withRecord({ propensity: 2 }), /records\[0\]\.propensity to be a number within \[0, 1\]/],
    ['a null prediction', withRecord({ rows: [{ prediction: null }] }), /rows\[0\]\.prediction .*, found null/],
    ['an unknown key', withRecord({ note: 1 }), /found "note"/],
  ]
  for (const [name, value, message] of refused)
    it(`rejects ${name}`, () => assert.throws(() => parseRecordBatch(value), { code: 'RECORDS', message }))
})

describe('isPredictedValue()', () => {
  const table: readonly [unknown, boolean][] = [
    [0, true],
    ['', true],
    [false, true],
    [[1, 2], true],
    [Number.NaN, false],
    [[1, 'x'], false],
    [[[1]], false],
    [{}, false],
    [undefined, false],
  ]
  for (const [value, wanted] of table)
    it(`is ${wanted} for ${JSON.stringify(value) ?? 'undefined'}`, () => assert.equal(isPredictedValue(value), wanted))
})

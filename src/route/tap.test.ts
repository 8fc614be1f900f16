import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePredictionRecord } from '../core/wire/records.ts'
import type { Capture } from '../core/wire/routes.ts'
import { toRowPaths } from './capture.ts'
import { type Tap, toRecord } from './tap.ts'

const head: Tap['head'] = {
  request: '0198c6f0-0000-7000-8000-000000000001',
  at: 1000,
  variant: 1,
  epoch: 2,
  served: true,
  propensity: 0.5,
  status: 200,
  latencyUs: 10,
  replica: 'a-1',
}
const toBytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
const tap = (capture: Capture, answer: unknown, more: Partial<Tap> = {}): Tap => ({
  head,
  protocol: 'v1',
  paths: toRowPaths(capture),
  series: undefined,
  at: undefined,
  request: undefined,
  answer: toBytes(answer),
  problem: undefined,
  ...more,
})

describe('toRecord()', () => {
  it('applies the prediction path to each row, and the headers to all', () => {
    const { record } = toRecord(
      tap(
        { prediction: '[-1][0]' },
        {
          predictions: [
            [[1], [2]],
            [[3], [4]],
          ],
        },
        { series: 's', at: 7 },
      ),
    )
    assert.deepEqual(record.rows, [
      { prediction: 2, series: 's', at: 7 },
      { prediction: 4, series: 's', at: 7 },
    ])
    assert.deepEqual(parsePredictionRecord(JSON.parse(JSON.stringify(record))), record)
  })

  it('takes series and time of each row from the request where the headers lack them', () => {
    const request = toBytes({
      instances: [
        { id: 's', day: '2026-01-31' },
        { id: 9, day: 1000 },
      ],
    })
    const { record, unlabelled } = toRecord(tap({ series: 'id', at: 'day' }, { predictions: [1, 'cat'] }, { request }))
    assert.deepEqual(record.rows, [
      { prediction: 1, series: 's', at: Date.UTC(2026, 0, 31) },
      { prediction: 'cat', series: '9', at: 1000 },
    ])
    assert.equal(unlabelled, 0)
  })

  it('counts rows whose series or time is not there', () => {
    const request = toBytes({ instances: [{ id: 's', day: 'soon' }, {}] })
    const { record, unlabelled } = toRecord(tap({ series: 'id', at: 'day' }, { predictions: [1, 2] }, { request }))
    assert.deepEqual(record.rows, [{ prediction: 1, series: 's' }, { prediction: 2 }])
    assert.equal(unlabelled, 2)
  })

  const failed: readonly [string, Tap, RegExp][] = [
    ['a row that is an object', tap({}, { predictions: [1, { y: 1 }] }), /Cannot record row 1: .*found \{"y":1\}/],
    ['a path that finds nothing', tap({ prediction: 'nothing' }, { predictions: [{ y: 1 }] }), /row 0: .*found null/],
    ['an answer that is not JSON', tap({}, 'oops'), /not valid JSON/],
    ['an error of the server', tap({}, { error: 'no' }, { head: { ...head, status: 400 } }), /\{"error":"no"\}/],
    ['no answer', tap({}, '', { answer: undefined, problem: 'refused' }), /^refused$/],
    ['a path that throws', tap({ prediction: 'length(@)' }, { predictions: [1] }), /length/],
  ]
  for (const [name, input, wanted] of failed)
    it(`gives ${name} as the error of a record without rows`, () => {
      const { record } = toRecord(input)
      assert.match(record.error ?? '', wanted)
      assert.deepEqual(record.rows, [])
    })
})

describe('toRowPaths()', () => {
  it('rejects what is no JMESPath', () =>
    assert.throws(() => toRowPaths({ prediction: '[' }), {
      code: 'CAPTURE',
      message: /Cannot use "\[" as the path to the prediction/,
    }))
})

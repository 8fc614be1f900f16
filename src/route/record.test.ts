import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { parsePredictionRecord } from '../core/wire/records.ts'
import type { Capture } from '../core/wire/routes.ts'
import { toRowPaths } from './capture.ts'
import { type ReadTap, toRecord } from './record.ts'
import { type Tap, type TapBody, toTapBody } from './tap.ts'

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
const toBody = (value: unknown): TapBody =>
  toTapBody(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), {})
const read = (item: Tap, maxBodyBytes = 1000): ReadTap =>
  toRecord(item, { paths: toRowPaths(item.capture), maxBodyBytes })
const tap = (capture: Capture, answer: unknown, more: Partial<Tap> = {}): Tap => ({
  head,
  protocol: 'v1',
  capture,
  series: undefined,
  at: undefined,
  request: undefined,
  answer: toBody(answer),
  problem: undefined,
  ...more,
})

describe('toRecord()', () => {
  it('applies the prediction path to each row, and the headers to all', () => {
    const { record } = read(
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
    const request = toBody({
      instances: [
        { id: 's', day: '2026-01-31' },
        { id: 9, day: 1000 },
      ],
    })
    const { record, unlabelled } = read(tap({ series: 'id', at: 'day' }, { predictions: [1, 'cat'] }, { request }))
    assert.deepEqual(record.rows, [
      { prediction: 1, series: 's', at: Date.UTC(2026, 0, 31) },
      { prediction: 'cat', series: '9', at: 1000 },
    ])
    assert.equal(unlabelled, 0)
  })

  it('counts rows whose series or time is not there', () => {
    const request = toBody({ instances: [{ id: 's', day: 'soon' }, {}] })
    const { record, unlabelled } = read(tap({ series: 'id', at: 'day' }, { predictions: [1, 2] }, { request }))
    assert.deepEqual(record.rows, [{ prediction: 1, series: 's' }, { prediction: 2 }])
    assert.equal(unlabelled, 2)
  })

  it('takes the entity of each row from the request where the header lacks it', () => {
    const request = toBody({ instances: [{ user: 'u' }, { user: 7 }, {}] })
    const answer = { predictions: [1, 2, 3] }
    const { record } = read(tap({ entity: 'user' }, answer, { request }))
    assert.deepEqual(record.rows, [{ prediction: 1, entity: 'u' }, { prediction: 2, entity: '7' }, { prediction: 3 }])
    const named = read(tap({ entity: 'user' }, answer, { request, head: { ...head, entity: 'e' } }))
    assert.deepEqual(named.record.rows[0], { prediction: 1 })
  })

  it('records the predictions of a request that cannot be read, and counts its rows', () => {
    const { record, unlabelled } = read(tap({ series: 's' }, { predictions: [1] }, { request: toBody('oops') }))
    assert.deepEqual([record.rows, unlabelled], [[{ prediction: 1 }], 1])
  })

  for (const [encoding, deflate] of [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)
    it(`reads bodies in ${encoding} by ${deflate.name}`, () => {
      const toEncoded = (value: unknown): TapBody =>
        toTapBody(deflate(JSON.stringify(value)), { 'content-encoding': encoding })
      const request = toEncoded({ instances: [{ s: 'x' }] })
      const { record } = read(tap({ series: 's' }, '', { answer: toEncoded({ predictions: [1] }), request }))
      assert.deepEqual(record.rows, [{ prediction: 1, series: 'x' }])
    })

  it('does not inflate a body beyond its bound', () => {
    const answer = toTapBody(gzipSync(Buffer.alloc(1_000_000, ' ')), { 'content-encoding': 'gzip' })
    assert.match(read(tap({}, '', { answer })).record.error ?? '', /larger than 1000 bytes/)
  })

  it('reads tensors behind the JSON of a V2 answer', () => {
    const json = JSON.stringify({
      outputs: [{ name: 'y', shape: [2], datatype: 'FP64', parameters: { binary_data_size: 16 } }],
    })
    const bytes = Buffer.concat([Buffer.from(json), Buffer.from(Float64Array.of(1.5, 2).buffer)])
    const answer = toTapBody(bytes, { 'inference-header-content-length': String(json.length) })
    const { record } = read(tap({}, '', { protocol: 'v2', answer }))
    assert.deepEqual(record.rows, [{ prediction: 1.5 }, { prediction: 2 }])
    const cut = toTapBody(bytes, { 'inference-header-content-length': '9999' })
    assert.match(read(tap({}, '', { protocol: 'v2', answer: cut })).record.error ?? '', /found 9999/)
  })

  const failed: readonly [string, Tap, RegExp][] = [
    ['a row that is an object', tap({}, { predictions: [1, { y: 1 }] }), /Cannot record row 1: .*found \{"y":1\}/],
    ['a path that finds nothing', tap({ prediction: 'nothing' }, { predictions: [{ y: 1 }] }), /row 0: .*found null/],
    ['an answer that is not JSON', tap({}, 'oops'), /not valid JSON/],
    ['an error of the server', tap({}, { error: 'no' }, { head: { ...head, status: 400 } }), /\{"error":"no"\}/],
    [
      'an unknown encoding',
      tap({}, '', { answer: toTapBody(Buffer.from('x'), { 'content-encoding': 'rot13' }) }),
      /encoded as rot13/,
    ],
    ['no answer', tap({}, '', { answer: undefined, problem: 'refused' }), /^refused$/],
    ['a path that throws', tap({ prediction: 'length(@)' }, { predictions: [1] }), /length/],
  ]
  for (const [name, input, wanted] of failed)
    it(`gives ${name} as the error of a record without rows`, () => {
      const { record } = read(input)
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

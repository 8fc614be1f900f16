import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { parsePredictionRecord } from '../../core/wire/records.ts'
import type { Capture } from '../../core/wire/routes.ts'
import { toRowPaths } from './capture.ts'
import { type ReadRows, readRows, toLine } from './read-rows.ts'
import { type TapBody, type TapContent, toTapBody } from './tap.ts'

const toBody = (value: unknown): TapBody =>
  toTapBody(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), {})
const tap = (capture: Capture, answer: unknown, more: Partial<TapContent> = {}): TapContent => ({
  ...{ status: 200, protocol: 'v1', capture, series: undefined, at: undefined, entity: undefined },
  ...{ request: undefined, answer: toBody(answer), problem: undefined },
  ...more,
})
const read = (content: TapContent, maxBodyBytes = 1000): ReadRows =>
  readRows(content, { paths: toRowPaths(content.capture), maxBodyBytes })
const readAll = (content: TapContent): Extract<ReadRows, { rows: unknown }> => {
  const found = read(content)
  assert.ok('rows' in found, 'error' in found ? found.error : '')
  return found
}
const errorOf = (found: ReadRows): string => ('error' in found ? found.error : '')

describe('readRows()', () => {
  it('applies the prediction path to each row, and the headers to all', () => {
    const found = readAll(
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
    assert.deepEqual(found.rows, [
      { prediction: 2, series: 's', at: 7 },
      { prediction: 4, series: 's', at: 7 },
    ])
  })

  it('logs rows as they are where that is asked for, but no long ones', () => {
    const answer = { predictions: [{ y: 1 }, { y: 2 }] }
    const request = toBody({ instances: [{ x: 'a' }, { x: 'b'.repeat(20_000) }] })
    const of = (logged: TapContent['logged']) => read(tap({ prediction: 'y' }, answer, { request, logged }), 100_000)
    const [first, second] = answer.predictions
    assert.deepEqual(of(undefined), { rows: [{ prediction: 1 }, { prediction: 2 }], unlabelled: 0 })
    const outputs = [
      { prediction: 1, output: first },
      { prediction: 2, output: second },
    ]
    assert.deepEqual(of('outputs'), { rows: outputs, unlabelled: 0 })
    assert.deepEqual(of('inputs'), { rows: [{ ...outputs[0], input: { x: 'a' } }, outputs[1]], unlabelled: 0 })
  })

  it('takes what foretells a loss from the request', () => {
    const request = toBody({ instances: [{ w: 2 }, { w: 'much' }, { w: 1e300 }] })
    const found = readAll(tap({ covariate: 'w' }, { predictions: [1, 2, 3] }, { request }))
    assert.deepEqual(found.rows, [{ prediction: 1, covariate: 2 }, { prediction: 2 }, { prediction: 3 }])
  })

  it('records what is no finite number by its name', () => {
    const text = '{"predictions": [NaN, -Infinity, [1.0, NaN], 2.0, "Infinity \\" NaN"]}'
    const found = readAll(tap({}, text))
    assert.deepEqual(
      found.rows.map(({ prediction }) => prediction),
      ['NaN', '-Infinity', 'NaN', 2, 'Infinity " NaN'],
    )
    assert.match(errorOf(read(tap({}, '{"predictions": [NaN, nonsense]}'))), /JSON/)
  })

  it('takes series and time of each row from the request where the headers lack them', () => {
    const request = toBody({
      instances: [
        { id: 's', day: '2026-01-31' },
        { id: 9, day: 1000 },
      ],
    })
    const found = readAll(tap({ series: 'id', at: 'day' }, { predictions: [1, 'cat'] }, { request }))
    assert.deepEqual(found.rows, [
      { prediction: 1, series: 's', at: Date.UTC(2026, 0, 31) },
      { prediction: 'cat', series: '9', at: 1000 },
    ])
    assert.equal(found.unlabelled, 0)
  })

  it('counts rows whose series or time is not there', () => {
    const request = toBody({ instances: [{ id: 's', day: 'soon' }, {}] })
    const found = readAll(tap({ series: 'id', at: 'day' }, { predictions: [1, 2] }, { request }))
    assert.deepEqual(found.rows, [{ prediction: 1, series: 's' }, { prediction: 2 }])
    assert.equal(found.unlabelled, 2)
  })

  it('takes the entity of each row from the request where the header lacks it', () => {
    const request = toBody({ instances: [{ user: 'u' }, { user: 7 }, {}] })
    const answer = { predictions: [1, 2, 3] }
    const found = readAll(tap({ entity: 'user' }, answer, { request }))
    assert.deepEqual(found.rows, [{ prediction: 1, entity: 'u' }, { prediction: 2, entity: '7' }, { prediction: 3 }])
    const named = readAll(tap({ entity: 'user' }, answer, { request, entity: 'e' }))
    assert.deepEqual(named.rows[0], { prediction: 1 })
  })

  it('records the predictions of a request that cannot be read, and counts its rows', () => {
    const found = readAll(tap({ series: 's' }, { predictions: [1] }, { request: toBody('oops') }))
    assert.deepEqual([found.rows, found.unlabelled], [[{ prediction: 1 }], 1])
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
      const found = readAll(tap({ series: 's' }, '', { answer: toEncoded({ predictions: [1] }), request }))
      assert.deepEqual(found.rows, [{ prediction: 1, series: 'x' }])
    })

  it('does not inflate a body beyond its bound', () => {
    const answer = toTapBody(gzipSync(Buffer.alloc(1_000_000, ' ')), { 'content-encoding': 'gzip' })
    assert.match(errorOf(read(tap({}, '', { answer }))), /larger than 1000 bytes/)
  })

  it('reads tensors behind the JSON of a V2 answer', () => {
    const json = JSON.stringify({
      outputs: [{ name: 'y', shape: [2], datatype: 'FP64', parameters: { binary_data_size: 16 } }],
    })
    const bytes = Buffer.concat([Buffer.from(json), Buffer.from(Float64Array.of(1.5, 2).buffer)])
    const answer = toTapBody(bytes, { 'inference-header-content-length': String(json.length) })
    const found = readAll(tap({}, '', { protocol: 'v2', answer }))
    assert.deepEqual(found.rows, [{ prediction: 1.5 }, { prediction: 2 }])
    const cut = toTapBody(bytes, { 'inference-header-content-length': '9999' })
    assert.match(errorOf(read(tap({}, '', { protocol: 'v2', answer: cut }))), /found 9999/)
  })

  const failed: readonly [string, TapContent, RegExp][] = [
    ['a row that is an object', tap({}, { predictions: [1, { y: 1 }] }), /Cannot record row 1: .*found \{"y":1\}/],
    ['a path that finds nothing', tap({ prediction: 'nothing' }, { predictions: [{ y: 1 }] }), /row 0: .*found null/],
    ['an answer that is not JSON', tap({}, 'oops'), /not valid JSON/],
    ['an error of the server', tap({}, { error: 'no' }, { status: 400 }), /\{"error":"no"\}/],
    [
      'an unknown encoding',
      tap({}, '', { answer: toTapBody(Buffer.from('x'), { 'content-encoding': 'rot13' }) }),
      /encoded as rot13/,
    ],
    ['no answer', tap({}, '', { answer: undefined, problem: 'refused' }), /^refused$/],
    ['a path that throws', tap({ prediction: 'length(@)' }, { predictions: [1] }), /length/],
  ]
  for (const [name, input, wanted] of failed)
    it(`gives ${name} as the error of a record without rows`, () => assert.match(errorOf(read(input)), wanted))
})

describe('toLine()', () => {
  const head = {
    request: '0198c6f0-0000-7000-8000-000000000001',
    ...{ at: 1000, variant: 1, epoch: 2, served: true, propensity: 0.5, status: 200, latencyUs: 10, replica: 'a-1' },
  }
  const parse = (read: ReadRows): unknown => parsePredictionRecord(JSON.parse(toLine(JSON.stringify(head), read)))

  it('makes a record of a head and its rows', () => {
    const rows = [{ prediction: 1, series: 's' }]
    assert.deepEqual(parse({ rows, unlabelled: 0 }), { ...head, rows })
  })

  it('makes a record of a head and an error, however long', () =>
    assert.deepEqual(parse({ error: `"${'x'.repeat(999)}` }), { ...head, error: `"${'x'.repeat(299)}`, rows: [] }))
})

describe('toRowPaths()', () => {
  it('rejects what is no JMESPath', () =>
    assert.throws(() => toRowPaths({ prediction: '[' }), {
      code: 'CAPTURE',
      message: /Cannot use "\[" as the path to the prediction/,
    }))
})

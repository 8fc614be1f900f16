import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Rows, toAnswerRows, toRequestRows } from './rows.ts'

const rowsOf = (found: Rows): unknown => ('rows' in found ? found.rows : found.problem)

describe('toAnswerRows()', () => {
  const table: readonly [string, Rows, unknown][] = [
    ['predictions', toAnswerRows('v1', { predictions: [[1], [2]] }), [[1], [2]]],
    ['outputs by column', toAnswerRows('v1', { outputs: [[1], [2]] }), [[1], [2]]],
    [
      'named outputs',
      toAnswerRows('v1', { outputs: { y: [1, 2], z: [3, 4] } }),
      [
        { y: 1, z: 3 },
        { y: 2, z: 4 },
      ],
    ],
    [
      'a flat V2 tensor',
      toAnswerRows('v2', { outputs: [{ name: 'y', shape: [2, 2], data: [1, 2, 3, 4] }] }),
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      'a nested V2 tensor',
      toAnswerRows('v2', { outputs: [{ name: 'y', shape: [2, 1], data: [[1], [2]] }] }),
      [[1], [2]],
    ],
    ['a V2 vector', toAnswerRows('v2', { outputs: [{ name: 'y', shape: [2], data: [1, 2] }] }), [1, 2]],
    ['no rows', toAnswerRows('v2', { outputs: [{ name: 'y', shape: [0, 4], data: [] }] }), []],
    [
      'binary V2 data',
      toAnswerRows('v2', { outputs: [{ name: 'y', shape: [2] }] }),
      'Cannot read tensor "y": expected data in JSON',
    ],
    [
      'too few values',
      toAnswerRows('v2', { outputs: [{ name: 'y', shape: [2, 2], data: [1] }] }),
      'Cannot read tensor "y": expected 4 values as by its shape, found 1',
    ],
    ['another object', toAnswerRows('v1', { error: 'x' }), 'Cannot read the answer: expected predictions or outputs'],
    ['a number', toAnswerRows('v1', 1), 'Cannot read the answer: expected a JSON object'],
  ]
  for (const [name, found, wanted] of table) it(`reads ${name}`, () => assert.deepEqual(rowsOf(found), wanted))

  it('nests flat data of any shape as JSON.parse would have read it nested', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 }), shape => {
        const data = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => index)
        const rows = rowsOf(toAnswerRows('v2', { outputs: [{ name: 'y', shape, data }] }))
        assert.ok(Array.isArray(rows))
        assert.equal(rows.length, shape[0])
        assert.deepEqual(rows.flat(10), data)
      }),
    ))
})

describe('toRequestRows()', () => {
  const table: readonly [string, Rows, unknown][] = [
    ['instances', toRequestRows('v1', { instances: [{ x: 1 }, { x: 2 }] }), [{ x: 1 }, { x: 2 }]],
    ['inputs by column', toRequestRows('v1', { inputs: { x: [1, 2] } }), [{ x: 1 }, { x: 2 }]],
    [
      'V2 inputs and parameters',
      toRequestRows('v2', {
        inputs: [{ name: 'x', shape: [2, 2], data: [1, 2, 3, 4] }],
        parameters: { series: ['s', 't'], binary: true },
      }),
      [
        { x: [1, 2], series: 's' },
        { x: [3, 4], series: 't' },
      ],
    ],
  ]
  for (const [name, found, wanted] of table) it(`reads ${name}`, () => assert.deepEqual(rowsOf(found), wanted))

  it('takes any JSON without throwing', () =>
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('v1', 'v2'), (value, protocol) => {
        toRequestRows(protocol, value)
        toAnswerRows(protocol, value)
        toAnswerRows(protocol, { outputs: value })
        toRequestRows(protocol, { inputs: value })
      }),
    ))
})

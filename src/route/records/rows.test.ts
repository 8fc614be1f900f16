import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { RestProtocol } from '../path.ts'
import { type Rows, toAnswerRows, toRequestRows } from './rows.ts'

const NOTHING = new Uint8Array()
const answerRows = (protocol: RestProtocol, json: unknown, binary = NOTHING): Rows =>
  toAnswerRows(protocol, { text: '', json, binary })
const requestRows = (protocol: RestProtocol, json: unknown, binary = NOTHING): Rows =>
  toRequestRows(protocol, { text: '', json, binary })
const rowsOf = (found: Rows): unknown => ('rows' in found ? found.rows : found.problem)

const toOutput = (shape: readonly number[], data: readonly unknown[]): object => ({
  outputs: [{ name: 'y', shape, data }],
})
const toBinaryTensor = (name: string, shape: readonly number[], datatype: string, size: number): object => ({
  ...{ name, shape, datatype },
  parameters: { binary_data_size: size },
})
const toBinaryOutputs = (): object => ({
  outputs: [toBinaryTensor('y', [2, 1], 'FP32', 8)],
})

describe('toAnswerRows()', () => {
  const table: readonly [string, Rows, unknown][] = [
    ['predictions', answerRows('v1', { predictions: [[1], [2]] }), [[1], [2]]],
    ['outputs by column', answerRows('v1', { outputs: [[1], [2]] }), [[1], [2]]],
    [
      'named outputs',
      answerRows('v1', { outputs: { y: [1, 2], z: [3, 4] } }),
      [
        { y: 1, z: 3 },
        { y: 2, z: 4 },
      ],
    ],
    [
      'a flat V2 tensor',
      answerRows('v2', { outputs: [{ name: 'y', shape: [2, 2], data: [1, 2, 3, 4] }] }),
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['a nested V2 tensor', answerRows('v2', { outputs: [{ name: 'y', shape: [2, 1], data: [[1], [2]] }] }), [[1], [2]]],
    ['a V2 vector', answerRows('v2', { outputs: [{ name: 'y', shape: [2], data: [1, 2] }] }), [1, 2]],
    ['results of a classification', answerRows('v1', { results: [[['cat', 0.9]]] }), [[['cat', 0.9]]]],
    ['predictions of MLflow', answerRows('mlflow', { predictions: [1, 2] }), [1, 2]],
    ['columns of MLflow', answerRows('mlflow', { predictions: { y: [1, 2] } }), [{ y: 1 }, { y: 2 }]],
    ['rows that a shape claims and no value fills', answerRows('v2', toOutput([1e9, 0], [])), []],
    ['binary V2 data', answerRows('v2', toBinaryOutputs(), new Uint8Array(Float32Array.of(1, 2).buffer)), [[1], [2]]],
    ['no rows', answerRows('v2', { outputs: [{ name: 'y', shape: [0, 4], data: [] }] }), []],
    [
      'a V2 tensor without data',
      answerRows('v2', { outputs: [{ name: 'y', shape: [2] }] }),
      'Cannot read tensor "y": expected data in JSON or behind it',
    ],
    [
      'too few values',
      answerRows('v2', { outputs: [{ name: 'y', shape: [2, 2], data: [1] }] }),
      'Cannot read tensor "y": expected 4 values as by its shape, found 1',
    ],
    [
      'another object',
      answerRows('v1', { error: 'x' }),
      'Cannot read the answer: expected predictions, outputs or results',
    ],
    ['a number', answerRows('v1', 1), 'Cannot read the answer: expected a JSON object'],
  ]
  for (const [name, found, wanted] of table) it(`reads ${name}`, () => assert.deepEqual(rowsOf(found), wanted))

  it('nests flat data of any shape as JSON.parse would have read it nested', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 }), shape => {
        const data = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => index)
        const rows = rowsOf(answerRows('v2', { outputs: [{ name: 'y', shape, data }] }))
        assert.ok(Array.isArray(rows))
        assert.equal(rows.length, shape[0])
        assert.deepEqual(rows.flat(10), data)
      }),
    ))
})

const toBytesItem = (text: string): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return Buffer.concat([length, Buffer.from(text)])
}

describe('toRequestRows()', () => {
  const table: readonly [string, Rows, unknown][] = [
    ['instances', requestRows('v1', { instances: [{ x: 1 }, { x: 2 }] }), [{ x: 1 }, { x: 2 }]],
    ['inputs by column', requestRows('v1', { inputs: { x: [1, 2] } }), [{ x: 1 }, { x: 2 }]],
    ['examples', requestRows('v1', { examples: [{ x: 1 }] }), [{ x: 1 }]],
    ['records of a frame', requestRows('mlflow', { dataframe_records: [{ x: 1 }] }), [{ x: 1 }]],
    [
      'a split frame',
      requestRows('mlflow', { dataframe_split: { columns: ['x', 'y'], data: [[1, 2]], index: [0] } }),
      [{ x: 1, y: 2 }],
    ],
    [
      'V2 inputs behind the JSON, beside one within',
      requestRows(
        'v2',
        {
          inputs: [
            toBinaryTensor('s', [2], 'BYTES', 11),
            { name: 'n', shape: [2], datatype: 'INT8', data: [7, 8] },
            toBinaryTensor('x', [2], 'INT16', 4),
          ],
        },
        Buffer.concat([toBytesItem('ab'), toBytesItem('c'), new Uint8Array(Int16Array.of(-1, 5).buffer)]),
      ),
      [
        { s: 'ab', n: 7, x: -1 },
        { s: 'c', n: 8, x: 5 },
      ],
    ],
    [
      'V2 inputs and parameters',
      requestRows('v2', {
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
      fc.property(fc.jsonValue(), fc.constantFrom('v1', 'v2', 'mlflow'), (value, protocol) => {
        requestRows(protocol, value)
        answerRows(protocol, value)
        answerRows(protocol, { outputs: value })
        requestRows(protocol, { inputs: value })
      }),
    ))
})

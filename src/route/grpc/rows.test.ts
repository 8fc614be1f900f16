import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toField } from '../../core/protobuf.ts'
import { type Tensor, toModelInferResponse, toPredictResponse } from '../../tensor/index.ts'
import { toInferRequest, toPredictRequest } from '../testing/grpc-upstream.ts'
import { toGrpcAnswerRows, toGrpcRequestRows } from './rows.ts'

const toAnswer = (...outputs: readonly (readonly [string, Tensor])[]): Uint8Array =>
  toPredictResponse({
    ...{ modelName: 'm', version: 1, versionLabel: undefined, signatureName: '' },
    outputs: new Map(outputs),
  })
/** A field of a float. */
const toFloat = (number: number, value: number): Uint8Array =>
  Buffer.concat([Uint8Array.of(number * 8 + 5), new Uint8Array(new Float32Array([value]).buffer)])

describe('toGrpcAnswerRows()', () => {
  const pair: Tensor = { dtype: 'float64', shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) }
  const label: Tensor = { dtype: 'string', shape: [2], data: ['p', 'q'] }

  const tensors: readonly (readonly [string, Tensor, unknown])[] = [
    [
      'a matrix',
      pair,
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['one number', { dtype: 'int32', shape: [], data: Int32Array.of(7) }, [7]],
    ['labels', label, ['p', 'q']],
    ['truths', { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) }, [true, false]],
    ['halves', { dtype: 'float16', shape: [1, 1], data: Uint16Array.of(0x3c00) }, [[1]]],
    ['long integers', { dtype: 'int64', shape: [1], data: BigInt64Array.of(-5n) }, [-5]],
    ['no rows', { dtype: 'float32', shape: [0, 9], data: new Float32Array(0) }, []],
    ['rows of nothing', { dtype: 'float32', shape: [9, 0], data: new Float32Array(0) }, []],
  ] as const
  for (const [name, tensor, rows] of tensors)
    it(`splits ${name} by the first dimension, in either protocol`, () => {
      assert.deepEqual(toGrpcAnswerRows('tfs-predict', toAnswer(['y', tensor])), { rows })
      const head = { modelName: 'm', modelVersion: '1', id: '', parameters: new Map(), isRaw: true }
      const outputs = [{ name: 'y', tensor, parameters: new Map() }]
      assert.deepEqual(toGrpcAnswerRows('v2-infer', toModelInferResponse({ ...head, outputs })), { rows })
    })

  it('makes objects of several outputs', () => {
    const rows = [
      { y: [1, 2], label: 'p' },
      { y: [3, 4], label: 'q' },
    ]
    assert.deepEqual(toGrpcAnswerRows('tfs-predict', toAnswer(['y', pair], ['label', label])), { rows })
  })

  it('reads labels with their scores, and values of a regression', () => {
    const classes = [
      ['p', 0.25],
      ['q', 0.75],
    ] as const
    const one = Buffer.concat(
      classes.map(([text, score]) => toField(1, Buffer.concat([toField(1, text), toFloat(2, score)]))),
    )
    const classified = toField(1, Buffer.concat([toField(1, one), toField(1, new Uint8Array(0))]))
    assert.deepEqual(toGrpcAnswerRows('tfs-classify', classified), { rows: [classes, []] })
    const regressed = toField(1, Buffer.concat([toField(1, toFloat(1, 1.5)), toField(1, new Uint8Array(0))]))
    // A default is left out.
    assert.deepEqual(toGrpcAnswerRows('tfs-regress', regressed), { rows: [1.5, 0] })
  })

  it('says what it cannot split', () => {
    assert.ok('problem' in toGrpcAnswerRows('tfs-multi', new Uint8Array(0)))
    assert.ok('problem' in toGrpcAnswerRows('v2-infer', new Uint8Array(0)))
    assert.throws(() => toGrpcAnswerRows('tfs-predict', Uint8Array.of(0x0a, 9)), { code: 'TENSOR_MESSAGE' })
  })
})

describe('toGrpcRequestRows()', () => {
  it('makes objects of the inputs, and of parameters that are arrays', () => {
    assert.deepEqual(toGrpcRequestRows('tfs-predict', toPredictRequest()), { rows: [{ x: [1] }] })
    const parameters = { where: '["p","q"]', text: 'p' }
    assert.deepEqual(toGrpcRequestRows('v2-infer', toInferRequest({ rows: 2, parameters })), {
      rows: [
        { x: [0], where: 'p' },
        { x: [0], where: 'q' },
      ],
    })
    assert.ok('problem' in toGrpcRequestRows('tfs-classify', new Uint8Array(0)))
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type MessageInitShape,
  PredictionLogSchema,
  type PredictionService,
  toMessageBytes,
} from '../../tensor/messages.ts'
import { parseWarmUpRecord } from './warm-up-record.ts'

type PredictInit = Extract<MessageInitShape<typeof PredictionService.method.predict.input>, { $typeName?: never }>
type LogType = NonNullable<Extract<MessageInitShape<typeof PredictionLogSchema>, { $typeName?: never }>['logType']>
const toRecord = (logType: LogType): Uint8Array => toMessageBytes(PredictionLogSchema, { logType })

const MODEL = {
  inputs: [{ name: 'x', dtype: 'float32', shape: [-1], axes: [undefined] }],
  outputs: [
    { name: 'y', dtype: 'float32', shape: [-1] },
    { name: 'z', dtype: 'float32', shape: [-1] },
  ],
} as const
const x = { dtype: 1, tensorShape: { dim: [{ size: 1n }] }, floatVal: [0.5] }
const predict = (request: PredictInit): Uint8Array => toRecord({ case: 'predictLog', value: { request } })

describe('parseWarmUpRecord()', () => {
  it('reads a request to predict, whatever model it was logged of', () => {
    const tensors = new Map([['x', { dtype: 'float32', shape: [1], data: Float32Array.of(0.5) }]])
    const all = predict({ modelSpec: { name: 'other' }, inputs: { x } })
    assert.deepEqual(parseWarmUpRecord(all, MODEL), { tensors, outputs: ['y', 'z'] })
    const one = predict({ inputs: { x }, outputFilter: ['z'] })
    assert.deepEqual(parseWarmUpRecord(one, MODEL), { tensors, outputs: ['z'] })
  })

  it('leaves out a kind that the model has no signature for', () => {
    assert.equal(parseWarmUpRecord(toRecord({ case: 'classifyLog', value: {} }), MODEL), undefined)
  })

  const wrong: readonly [record: Uint8Array, message: RegExp][] = [
    [predict({ inputs: { a: x } }), /^input size does not match signature: /],
    [predict({ inputs: { x: { ...x, dtype: 2, floatVal: [], doubleVal: [1] } } }), /expected datatype DT_FLOAT/],
    [predict({ modelSpec: { signatureName: 's' }, inputs: { x } }), /^Serving signature key "s" not found/],
    [predict({ inputs: { x }, outputFilter: ['a'] }), /^output tensor alias not found in signature: a/],
    [Uint8Array.of(0xff), /./],
  ]
  it('refuses what does not fit the model', () => {
    for (const [record, message] of wrong) assert.throws(() => parseWarmUpRecord(record, MODEL), { message })
  })
})

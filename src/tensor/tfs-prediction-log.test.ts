import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type MessageInitShape, PredictionLogSchema, toMessageBytes } from './messages.ts'
import { parsePredictRequest } from './tfs-predict.ts'
import { parsePredictionLog } from './tfs-prediction-log.ts'

type LogType = NonNullable<Extract<MessageInitShape<typeof PredictionLogSchema>, { $typeName?: never }>['logType']>
const toLog = (logType: LogType): Uint8Array =>
  toMessageBytes(PredictionLogSchema, { logMetadata: { timestampSecs: 5n }, logType })

const x = { dtype: 1, tensorShape: { dim: [{ size: 2n }] }, floatVal: [1, 2.5] }
const request = { modelSpec: { name: 'mlp', signatureName: 's' }, inputs: { x }, outputFilter: ['y'] }

describe('parsePredictionLog()', () => {
  it('reads the request to predict', () => {
    const found = parsePredictionLog(toLog({ case: 'predictLog', value: { request, response: { outputs: { y: x } } } }))
    assert.deepEqual(found, {
      modelName: 'mlp',
      version: undefined,
      versionLabel: undefined,
      signatureName: 's',
      inputs: new Map([['x', { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2.5) }]]),
      outputFilter: ['y'],
    })
  })

  it('finds none in a log of another kind, nor in an empty one', () => {
    const kinds = ['classifyLog', 'regressLog', 'multiInferenceLog', 'predictStreamedLog'] as const
    for (const kind of kinds) assert.equal(parsePredictionLog(toLog({ case: kind, value: {} })), undefined)
    assert.equal(parsePredictionLog(new Uint8Array()), undefined)
  })

  it('takes the last of two kinds, and a log without a request as an empty one', () => {
    const predict = toLog({ case: 'predictLog', value: {} })
    const classify = toLog({ case: 'classifyLog', value: {} })
    assert.equal(parsePredictionLog(Buffer.concat([predict, classify])), undefined)
    assert.deepEqual(parsePredictionLog(Buffer.concat([classify, predict])), parsePredictRequest(new Uint8Array()))
  })

  it('refuses what is no message', () => {
    assert.throws(() => parsePredictionLog(Uint8Array.of(0x32, 9, 0)), { code: 'TENSOR_MESSAGE' })
  })
})

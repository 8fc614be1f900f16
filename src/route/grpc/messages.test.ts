import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import { peekTfsModel } from '../../tensor/index.ts'
import { PredictionService, parseMessage } from '../../tensor/messages.ts'
import { toInferRequest, toPredictRequest } from '../testing/grpc-upstream.ts'
import { readModelTarget, readPredictionTarget, withVersion } from './messages.ts'

const { multiInference, predict } = PredictionService.method
const toMulti = (): Uint8Array => {
  const label = { case: 'versionLabel', value: 'b' } as const
  const toTask = (methodName: string) => ({ modelSpec: { name: 'm', versionChoice: label }, methodName })
  const tasks = [toTask('tensorflow/serving/classify'), toTask('tensorflow/serving/regress')]
  return toBinary(multiInference.input, create(multiInference.input, { tasks, input: {} }))
}

describe('readPredictionTarget()', () => {
  it('reads the model and what it is asked as, in either protocol', () => {
    const labelled = { model: 'm', pin: { kind: 'label', text: 'b' }, parameters: new Map() }
    assert.deepEqual(readPredictionTarget('tfs-predict', toPredictRequest({ label: 'b' })), labelled)
    assert.deepEqual(readPredictionTarget('tfs-multi', toMulti()), labelled)
    assert.equal(readPredictionTarget('tfs-predict', toPredictRequest()).pin, undefined)
    const { model, pin, parameters } = readPredictionTarget(
      'v2-infer',
      toInferRequest({ version: '3', parameters: { a: 'b' } }),
    )
    assert.deepEqual([model, pin, [...parameters]], ['m', { kind: 'version', text: '3' }, [['a', 'b']]])
    assert.equal(readPredictionTarget('tfs-multi', new Uint8Array(0)).model, undefined)
  })
})

describe('readModelTarget()', () => {
  it('reads them of what is no prediction', () => {
    assert.deepEqual(readModelTarget('tfs', toPredictRequest({ version: 7 })).pin, { kind: 'version', text: '7' })
    assert.deepEqual(readModelTarget('v2', toInferRequest({ version: '7' })).pin, { kind: 'version', text: '7' })
  })
})

describe('withVersion()', () => {
  it('puts the version in the place of the label, and leaves the rest as it is', () => {
    const message = withVersion('tfs-predict', toPredictRequest({ label: 'b' }), 300)
    const { modelName, version, versionLabel } = peekTfsModel(message)
    assert.deepEqual([modelName, version, versionLabel], ['m', 300, undefined])
    const { inputs, modelSpec } = parseMessage(predict.input, message)
    assert.deepEqual([Object.keys(inputs), modelSpec?.versionChoice.case], [['x'], 'version'])
    assert.equal(peekTfsModel(withVersion('tfs', toPredictRequest({ label: 'b' }), 0)).version, 0)
  })

  it('does so in every task', () => {
    const { tasks, input } = parseMessage(multiInference.input, withVersion('tfs-multi', toMulti(), 7))
    assert.deepEqual(
      tasks.map(task => [task.modelSpec?.name, task.modelSpec?.versionChoice.case, task.methodName]),
      [
        ['m', 'version', 'tensorflow/serving/classify'],
        ['m', 'version', 'tensorflow/serving/regress'],
      ],
    )
    assert.ok(input)
  })
})

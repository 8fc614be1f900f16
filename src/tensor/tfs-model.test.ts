import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import { Int64ValueSchema } from '@bufbuild/protobuf/wkt'
import { ModelService, ModelSpecSchema, PredictionService } from './messages.ts'
import { peekTfsModel } from './tfs-model.ts'

describe('peekTfsModel()', () => {
  it('reads which model, version and signature a request asks, whatever else it holds', () => {
    const version = { case: 'version', value: create(Int64ValueSchema, { value: 7n }) } as const
    const modelSpec = create(ModelSpecSchema, { name: 'm', signatureName: 's', versionChoice: version })
    const { getModelMetadata, regress } = PredictionService.method
    const metadata = create(getModelMetadata.input, { modelSpec, metadataField: ['signature_def'] })
    const regression = create(regress.input, { modelSpec, input: { kind: { case: 'exampleList', value: {} } } })
    const messages = [toBinary(getModelMetadata.input, metadata), toBinary(regress.input, regression)]
    const wanted = { modelName: 'm', version: 7, versionLabel: undefined, signatureName: 's' }
    for (const message of messages) assert.deepEqual(peekTfsModel(message), wanted)
  })

  it('reads a label, and finds no model in an empty message', () => {
    const { input } = ModelService.method.getModelStatus
    const modelSpec = { name: 'm', versionChoice: { case: 'versionLabel', value: 'b' } } as const
    assert.equal(peekTfsModel(toBinary(input, create(input, { modelSpec }))).versionLabel, 'b')
    assert.equal(peekTfsModel(new Uint8Array(0)).modelName, undefined)
  })

  it('refuses a message that is cut off', () => {
    assert.throws(() => peekTfsModel(Uint8Array.of(0x0a, 5, 1)), { code: 'TENSOR_MESSAGE' })
  })
})

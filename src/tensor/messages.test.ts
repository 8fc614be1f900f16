import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import { PredictLogSchema } from './generated/tensorflow/serving/prediction_log_pb.js'
import {
  GRPCInferenceService,
  Health,
  ModelService,
  PredictionLogSchema,
  PredictionService,
  parseMessage,
} from './messages.ts'
import { parsePredictRequest } from './tfs-predict.ts'

describe('the services', () => {
  it('have the names that clients call', () => {
    const paths = [PredictionService, ModelService, GRPCInferenceService, Health].flatMap(service =>
      service.methods.map(({ methodKind, name }) => `/${service.typeName}/${name} ${methodKind}`),
    )
    assert.deepEqual(paths, [
      '/tensorflow.serving.PredictionService/Classify unary',
      '/tensorflow.serving.PredictionService/Regress unary',
      '/tensorflow.serving.PredictionService/Predict unary',
      '/tensorflow.serving.PredictionService/MultiInference unary',
      '/tensorflow.serving.PredictionService/GetModelMetadata unary',
      '/tensorflow.serving.ModelService/GetModelStatus unary',
      '/tensorflow.serving.ModelService/HandleReloadConfigRequest unary',
      '/inference.GRPCInferenceService/ServerLive unary',
      '/inference.GRPCInferenceService/ServerReady unary',
      '/inference.GRPCInferenceService/ModelReady unary',
      '/inference.GRPCInferenceService/ServerMetadata unary',
      '/inference.GRPCInferenceService/ModelMetadata unary',
      '/inference.GRPCInferenceService/ModelInfer unary',
      '/inference.GRPCInferenceService/ModelStreamInfer bidi_streaming',
      '/inference.GRPCInferenceService/ModelStatistics unary',
      '/inference.GRPCInferenceService/RepositoryIndex unary',
      '/inference.GRPCInferenceService/RepositoryModelLoad unary',
      '/inference.GRPCInferenceService/RepositoryModelUnload unary',
      '/grpc.health.v1.Health/Check unary',
      '/grpc.health.v1.Health/List unary',
      '/grpc.health.v1.Health/Watch server_streaming',
    ])
  })
})

describe('parseMessage()', () => {
  it('reads a request, and leaves out fields that are not known', () => {
    const bytes = Uint8Array.of(0x0a, 5, 0x0a, 3, 0x6d, 0x6c, 0x70, 0x12, 1, 0x78, 0x9a, 6, 1, 0)
    const { metadataField, modelSpec } = parseMessage(PredictionService.method.getModelMetadata.input, bytes)
    assert.deepEqual([modelSpec?.name, metadataField], ['mlp', ['x']])
  })

  it('reads a warm-up record, whose request the codec of predictions takes', () => {
    const value = create(PredictLogSchema, { request: { modelSpec: { name: 'mlp' }, outputFilter: ['y'] } })
    const log = create(PredictionLogSchema, { logType: { case: 'predictLog', value } })
    const bytes = toBinary(PredictionLogSchema, log)
    const { logType } = parseMessage(PredictionLogSchema, bytes)
    assert.equal(logType.case, 'predictLog')
    const request = logType.case === 'predictLog' ? logType.value.request : undefined
    assert.ok(request)
    const { modelName, outputFilter } = parsePredictRequest(toBinary(PredictionService.method.predict.input, request))
    assert.deepEqual([modelName, outputFilter], ['mlp', ['y']])
  })

  const wrong: readonly [what: string, bytes: Uint8Array][] = [
    ['a cut-off message', Uint8Array.of(0x0a, 5, 1)],
    ['groups without bottom', new Uint8Array(1_000_000).fill(0x0b)],
    ['a text that is not UTF-8', Uint8Array.of(0x0a, 3, 0x0a, 1, 0xff)],
  ]
  for (const [what, bytes] of wrong) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseMessage(ModelService.method.getModelStatus.input, bytes), {
        code: 'TENSOR_MESSAGE',
        message: /^Cannot read the protobuf message tensorflow\.serving\.GetModelStatusRequest: /,
      })
    })
  }
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ModelConfigSchema } from '../../tensor/generated/tensorflow/serving/model_server_config_pb.js'
import {
  Code,
  type MessageInitShape,
  ModelService,
  ModelVersionStatus_State,
  PredictionService,
  parseMessage,
  SignatureDefMapSchema,
} from '../../tensor/messages.ts'
import { openGrpcServer } from '../testing/grpc.ts'
import { toDouble, toGather, toTwoByTwo } from '../testing/models.ts'
import { openPlace } from '../testing/place.ts'

const { predict, classify, regress, multiInference, getModelMetadata } = PredictionService.method
const { getModelStatus, handleReloadConfigRequest } = ModelService.method

type PredictInit = Extract<MessageInitShape<typeof predict.input>, { $typeName?: never }>
type Config = MessageInitShape<typeof ModelConfigSchema>
type ReloadInit = Extract<MessageInitShape<typeof handleReloadConfigRequest.input>, { $typeName?: never }>

const FLOAT = 1
const INT64 = 9
const floats = (sizes: readonly number[], ...floatVal: number[]) => ({
  dtype: FLOAT,
  tensorShape: { dim: sizes.map(size => ({ size: BigInt(size) })) },
  floatVal,
})
const m = { name: 'm' }
const version = (value: bigint) => ({ case: 'version', value: { value } }) as const
const x = floats([2, 2], 1, 2, 3, 4)

describe('PredictionService', () => {
  it('predicts, and tells which version answered', async () => {
    await using server = await openGrpcServer(toDouble())
    const { status, message } = await server.call(predict, { modelSpec: m, inputs: { x } })
    assert.equal(status, 'OK')
    assert.deepEqual(message?.outputs['y']?.floatVal, [2, 4, 6, 8])
    assert.deepEqual(
      message?.outputs['y']?.tensorShape?.dim.map(({ size }) => size),
      [2n, 2n],
    )
    const { name, versionChoice, signatureName } = message?.modelSpec ?? {}
    assert.deepEqual([name, versionChoice?.case, signatureName], ['m', 'version', 'serving_default'])
    assert.equal(versionChoice?.case === 'version' && versionChoice.value.value, 1n)
  })

  it('reads raw content, another version and a label, and gives the outputs that are wanted', async () => {
    await using place = await openPlace({ 1: toTwoByTwo(), 2: toTwoByTwo() })
    const { basePath } = place
    const models = [{ name: 'm', basePath, policy: { kind: 'all' } as const, labels: new Map([['old', 1]]) }]
    await using server = await openGrpcServer(toDouble(), { models })
    const content = (value: number) => ({
      ...floats([1, 1]),
      tensorContent: new Uint8Array(Float32Array.of(value).buffer),
    })
    const inputs = { a: content(5), b: content(3) }
    const choices = [version(1n), { case: 'versionLabel', value: 'old' } as const, { case: undefined }]
    const versions = []
    for (const versionChoice of choices) {
      const modelSpec = { name: 'm', versionChoice, signatureName: 'serving_default' }
      const { message } = await server.call(predict, { modelSpec, inputs, outputFilter: ['difference'] })
      assert.deepEqual(Object.keys(message?.outputs ?? {}), ['difference'])
      assert.deepEqual(message?.outputs['difference']?.floatVal, [2])
      versions.push(message?.modelSpec?.versionChoice.value)
    }
    assert.deepEqual(
      versions.map(value => (typeof value === 'object' ? value.value : value)),
      [1n, 1n, 2n],
    )
    const wrong = { modelSpec: { name: 'm', versionChoice: { case: 'versionLabel', value: 'new' } as const }, inputs }
    assert.deepEqual(await server.call(predict, wrong), {
      status: 'INVALID_ARGUMENT',
      text: 'Unrecognized servable version label: new',
      message: undefined,
    })
  })

  const wrong: readonly [change: PredictInit, status: string, text: RegExp][] = [
    [{ modelSpec: undefined }, 'INVALID_ARGUMENT', /^Missing ModelSpec$/],
    [{ modelSpec: { name: 'z' } }, 'NOT_FOUND', /^Servable not found for request: Latest\(z\)$/],
    [{ modelSpec: { ...m, versionChoice: version(7n) } }, 'NOT_FOUND', /^Servable not found .*: Specific\(m, 7\)$/],
    [{ modelSpec: { ...m, signatureName: 's' } }, 'FAILED_PRECONDITION', /^Serving signature key "s" not found\.$/],
    [
      { inputs: { z: x } },
      'INVALID_ARGUMENT',
      /^input size does not match signature: 1!=1 len\(\{z}\) != len\(\{x}\)\. Sent extra: \{z}\. Missing but required: \{x}\.$/,
    ],
    [
      { inputs: { x: { ...x, dtype: INT64, floatVal: [], int64Val: [1n, 2n, 3n, 4n] } } },
      'INVALID_ARGUMENT',
      /^Cannot use input "x": expected datatype DT_FLOAT, found DT_INT64$/,
    ],
    [{ inputs: { x: floats([1, 1], 1) } }, 'INVALID_ARGUMENT', /^Cannot use input "x": expected shape \[-1,2\], found/],
    [{ inputs: { x: floats([2 ** 40, 2 ** 40], 1) } }, 'INVALID_ARGUMENT', /^tensor parsing error: x: /],
    [
      { outputFilter: ['z'] },
      'INVALID_ARGUMENT',
      /^output tensor alias not found in signature: z Outputs expected to be in the set \{y}\.$/,
    ],
    [{ outputFilter: ['y', 'y'] }, 'INVALID_ARGUMENT', /^duplicate output tensor alias: y$/],
  ]
  for (const [change, status, text] of wrong) {
    it(`answers ${JSON.stringify(change, (_, value) => (typeof value === 'bigint' ? Number(value) : value))} with ${status}`, async () => {
      await using server = await openGrpcServer(toDouble())
      const ended = await server.call(predict, { modelSpec: m, inputs: { x }, ...change })
      assert.equal(ended.status, status)
      assert.match(ended.text, text)
    })
  }

  it('tells what the runtime could not compute, and what cannot be read', async () => {
    await using server = await openGrpcServer(toGather())
    const places = { dtype: INT64, tensorShape: { dim: [{ size: 1n }] }, int64Val: [9n] }
    const ended = await server.call(predict, { modelSpec: m, inputs: { x: places } })
    assert.equal(ended.status, 'INVALID_ARGUMENT')
    assert.match(ended.text, /ONNX Runtime says/)
    const path = '/tensorflow.serving.PredictionService/Predict'
    const seen = await server.client.start(path, Uint8Array.of(0xff)).seen
    assert.deepEqual([seen.code, /protobuf|message/i.test(seen.details)], [3, true])
  })

  it('describes a model', async () => {
    await using server = await openGrpcServer(toDouble())
    const { message } = await server.call(getModelMetadata, { modelSpec: m, metadataField: ['signature_def'] })
    const any = message?.metadata['signature_def']
    assert.equal(any?.typeUrl, 'type.googleapis.com/tensorflow.serving.SignatureDefMap')
    const { signatureDef } = parseMessage(SignatureDefMapSchema, any?.value ?? new Uint8Array())
    const { inputs, outputs, methodName } = signatureDef['serving_default'] ?? {}
    assert.equal(methodName, 'tensorflow/serving/predict')
    assert.deepEqual(
      [inputs?.['x'], outputs?.['y']].map(info => [
        info?.dtype,
        info?.encoding.value,
        info?.tensorShape?.dim.map(({ size }) => size),
      ]),
      [
        [FLOAT, 'x', [-1n, 2n]],
        [FLOAT, 'y', [-1n, 2n]],
      ],
    )
    const texts = [
      (await server.call(getModelMetadata, { modelSpec: m })).text,
      (await server.call(getModelMetadata, { modelSpec: m, metadataField: ['z'] })).text,
      (await server.call(getModelMetadata, { metadataField: ['signature_def'] })).text,
    ]
    assert.deepEqual(texts, [
      'GetModelMetadataRequest must specify at least one metadata_field',
      'Metadata field z is not supported',
      'Missing ModelSpec',
    ])
  })

  it('neither classifies nor regresses', async () => {
    await using server = await openGrpcServer(toDouble())
    const ends = [
      await server.call(classify, { modelSpec: m }),
      await server.call(regress, { modelSpec: { name: 'm', signatureName: 's' } }),
      await server.call(classify, { modelSpec: { name: 'z' } }),
      await server.call(multiInference, {
        tasks: [{ modelSpec: m, methodName: 'tensorflow/serving/regress' }],
      }),
      await server.call(multiInference, { tasks: [{ modelSpec: m, methodName: 'other' }] }),
      await server.call(multiInference, { tasks: [{ modelSpec: m }, { modelSpec: { name: 'n' } }] }),
    ]
    assert.deepEqual(
      ends.map(({ status, text }) => `${status} ${text}`),
      [
        'INVALID_ARGUMENT Expected classification signature method_name to be tensorflow/serving/classify. Was: tensorflow/serving/predict; use Predict',
        'INVALID_ARGUMENT No signature was found with the name: s',
        'NOT_FOUND Servable not found for request: Latest(z)',
        'INVALID_ARGUMENT Expected regression signature method_name to be tensorflow/serving/regress. Was: tensorflow/serving/predict; use Predict',
        'UNIMPLEMENTED Unsupported signature method_name: other',
        'INVALID_ARGUMENT All ModelSpecs in a MultiInferenceRequest must access the same model name.',
      ],
    )
  })
})

describe('ModelService', () => {
  it('tells how far versions are', async () => {
    await using server = await openGrpcServer(toDouble())
    const { message } = await server.call(getModelStatus, { modelSpec: m })
    assert.deepEqual(
      message?.modelVersionStatus.map(({ version, state, status }) => [version, state, status?.errorCode]),
      [[1n, ModelVersionStatus_State.AVAILABLE, Code.OK]],
    )
    const ends = [
      await server.call(getModelStatus, { modelSpec: { name: 'z' } }),
      await server.call(getModelStatus, { modelSpec: { name: 'm', versionChoice: version(2n) } }),
    ]
    assert.deepEqual(
      ends.map(({ status, text }) => `${status} ${text}`),
      ['NOT_FOUND Could not find any versions of model z', 'NOT_FOUND Could not find version 2 of model m'],
    )
  })

  it('serves what a new configuration says, where clients may change it', async () => {
    await using other = await openPlace({ 4: toDouble(), 5: toDouble() })
    await using server = await openGrpcServer(toDouble(), { allowModelControl: true })
    const toConfig = (...config: Config[]): ReloadInit => ({
      config: { config: { case: 'modelConfigList', value: { config } } },
    })
    const n: Config = {
      name: 'n',
      basePath: other.basePath,
      modelPlatform: 'tensorflow',
      modelVersionPolicy: { policyChoice: { case: 'specific', value: { versions: [4n] } } },
    }
    const labelled = { ...n, versionLabels: { stable: 4n } }
    const reloaded = [
      await server.call(handleReloadConfigRequest, { ...toConfig(n), metricNames: ['requests'] }),
      await server.call(handleReloadConfigRequest, toConfig(labelled)),
    ]
    assert.deepEqual(
      reloaded.map(({ status, message }) => [status, message?.status?.errorCode, message?.metric.length]),
      [
        ['OK', Code.OK, 1],
        ['OK', Code.OK, 0],
      ],
    )
    const modelSpec = { name: 'n', versionChoice: { case: 'versionLabel', value: 'stable' } as const }
    assert.equal((await server.call(predict, { modelSpec, inputs: { x } })).status, 'OK')
    assert.equal((await server.call(predict, { modelSpec: m, inputs: { x } })).status, 'NOT_FOUND')
    const wrong = [
      toConfig({ ...n, versionLabels: { stable: 5n } }),
      toConfig({ ...n, basePath: 'relative' }),
      toConfig({ ...n, modelPlatform: 'pytorch' }),
      toConfig({ ...n, loggingConfig: {} }),
      toConfig({ ...n, name: 'o', basePath: '/nowhere' }),
      {},
    ]
    const ends = []
    for (const config of wrong) ends.push(await server.call(handleReloadConfigRequest, config))
    assert.deepEqual(
      ends.map(({ status, text }) => `${status} ${text.slice(0, 42)}`),
      [
        'FAILED_PRECONDITION Request to assign label to version 5 of mo',
        'INVALID_ARGUMENT Expected model n to have an absolute path ',
        'INVALID_ARGUMENT Model n requests unsupported platform pyto',
        'INVALID_ARGUMENT Cannot use logging_config of model n: remo',
        'UNKNOWN 1 model(s) did not become available: {o du',
        'INVALID_ARGUMENT ServerModelConfig type not supported by Ha',
      ],
    )
    assert.equal((await server.call(predict, { modelSpec, inputs: { x } })).status, 'OK')
  })

  it('lets nobody change what is served where it is not told to', async () => {
    await using server = await openGrpcServer(toDouble())
    const { status, text } = await server.call(handleReloadConfigRequest, {})
    assert.equal(status, 'PERMISSION_DENIED')
    assert.match(text, /--allow-model-control/)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { Int64ValueSchema } from '@bufbuild/protobuf/wkt'
import fc from 'fast-check'
import { type ModelSpec, ModelSpecSchema } from './generated/tensorflow/serving/model_pb.js'
import { PredictRequestSchema, PredictResponseSchema } from './generated/tensorflow/serving/predict_pb.js'
import type { Tensor } from './tensor.ts'
import { anyDamage, attempt } from './testing/any-damage.ts'
import { anyTensor } from './testing/any-tensor.ts'
import { toTensorProto } from './testing/generated-forms.ts'
import type { ModelChoice } from './tfs-model.ts'
import {
  parsePredictRequest,
  parsePredictResponse,
  peekPredictRequest,
  peekPredictResponse,
  toPredictResponse,
} from './tfs-predict.ts'

const anyName = fc.string({ unit: 'grapheme', maxLength: 40 })
const anyTensors = fc.array(fc.tuple(anyName, anyTensor), { maxLength: 3 }).map(entries => new Map(entries))
const anyChoice: fc.Arbitrary<ModelChoice> = fc
  .record({
    modelName: anyName,
    choice: fc.oneof(fc.constant(undefined), fc.maxSafeInteger(), anyName),
    signatureName: anyName,
  })
  .map(({ choice, modelName, signatureName }) => ({
    modelName,
    version: typeof choice === 'number' ? choice : undefined,
    versionLabel: typeof choice === 'string' ? choice : undefined,
    signatureName,
  }))

/** The `ModelSpec` of the generated code. */
function toSpec({ modelName, signatureName, version, versionLabel }: ModelChoice): ModelSpec {
  const spec = create(ModelSpecSchema, { name: modelName ?? '', signatureName })
  if (version !== undefined)
    spec.versionChoice = { case: 'version', value: create(Int64ValueSchema, { value: BigInt(version) }) }
  if (versionLabel !== undefined) spec.versionChoice = { case: 'versionLabel', value: versionLabel }
  return spec
}

const toProtos = (tensors: ReadonlyMap<string, Tensor>) =>
  Object.fromEntries([...tensors].map(([name, tensor]) => [name, toTensorProto(tensor)]))

const toBytes = (init: MessageInitShape<typeof PredictRequestSchema>): Uint8Array =>
  toBinary(PredictRequestSchema, create(PredictRequestSchema, init))

const x: Tensor = { dtype: 'float32', shape: [2, 1], data: Float32Array.of(1, 2) }

describe('PredictRequest', () => {
  it('is read as the generated code writes it', () => {
    fc.assert(
      fc.property(anyChoice, anyTensors, fc.array(anyName), (model, inputs, outputFilter) => {
        const bytes = toBytes({ modelSpec: toSpec(model), inputs: toProtos(inputs), outputFilter })
        assert.deepEqual(parsePredictRequest(bytes), { ...model, inputs: sorted(inputs), outputFilter })
        const [first] = sorted(inputs).values()
        assert.deepEqual(peekPredictRequest(bytes), { ...model, rows: first?.shape[0] })
      }),
      { numRuns: 300 },
    )
  })

  it('is read as a client with published descriptors sends it', () => {
    // Python's protobuf with the descriptors of tensorflow-serving-api 2.21.0; field 6 (client_id) is not known here.
    const bytes = Buffer.from(
      '0a1a0a036d6c70120208071a0f73657276696e675f64656661756c7412230a0178121e0801120812020801120208042a10' +
        '3333a340000060403333b33fcdcc4c3e1a01793203616263',
      'hex',
    )
    assert.deepEqual(parsePredictRequest(bytes), {
      modelName: 'mlp',
      version: 7,
      versionLabel: undefined,
      signatureName: 'serving_default',
      inputs: new Map([['x', { dtype: 'float32', shape: [1, 4], data: Float32Array.of(5.1, 3.5, 1.4, 0.2) }]]),
      outputFilter: ['y'],
    })
  })

  it('tells a missing ModelSpec from an empty one', () => {
    assert.equal(parsePredictRequest(new Uint8Array(0)).modelName, undefined)
    assert.equal(parsePredictRequest(toBytes({ modelSpec: {} })).modelName, '')
  })

  it('lets the last of two entries, and of two choices of a version, count', () => {
    const one = toBytes({ modelSpec: toSpec({ ...CHOICE, version: 7 }), inputs: { x: toTensorProto(x) } })
    const other = toBytes({
      modelSpec: toSpec({ ...CHOICE, modelName: undefined, versionLabel: 'stable' }),
      inputs: { x: toTensorProto({ ...x, shape: [1, 2] }) },
    })
    const bytes = Buffer.concat([one, other])
    const { inputs, ...model } = parsePredictRequest(bytes)
    assert.deepEqual(inputs.get('x')?.shape, [1, 2])
    assert.deepEqual(model, { ...CHOICE, versionLabel: 'stable', outputFilter: [] })
    assert.deepEqual(peekPredictRequest(bytes), { ...CHOICE, versionLabel: 'stable', rows: 1 })
  })

  it('names the tensor that is wrong, in the words of TensorFlow Serving', () => {
    const bytes = toBytes({
      inputs: { x: toTensorProto({ ...x, shape: [3] }), y: toTensorProto({ ...x, shape: [1] }) },
    })
    assert.throws(() => parsePredictRequest(bytes), {
      code: 'TENSOR_SHAPE',
      message: 'tensor parsing error: y: Cannot fill shape [1]: expected 1 elements in float_val, found 2',
    })
    assert.equal(peekPredictRequest(bytes).rows, 3)
  })

  it('has one budget for the repetitions of all its inputs', () => {
    const large = toTensorProto({ dtype: 'uint8', shape: [40 * 2 ** 20], data: Uint8Array.of(1) })
    assert.equal(parsePredictRequest(toBytes({ inputs: { x: large } })).inputs.get('x')?.data.length, 40 * 2 ** 20)
    assert.throws(() => parsePredictRequest(toBytes({ inputs: { x: large, y: large } })), /: y: .*: too large$/)
  })

  it('refuses a version that no number holds', () => {
    const version = create(Int64ValueSchema, { value: 2n ** 60n })
    const bytes = toBytes({ modelSpec: { versionChoice: { case: 'version', value: version } } })
    assert.throws(() => parsePredictRequest(bytes), {
      code: 'TENSOR_VALUE',
      message: /^Cannot use 1152921504606846976/,
    })
  })

  const texts: Tensor = { dtype: 'string', shape: [2], data: ['é', ''] }
  const wide: Tensor = { dtype: 'int64', shape: [1], data: BigInt64Array.of(-1n) }
  for (const tensor of [x, texts, wide]) {
    it(`is a TensorError, and nothing else, where a byte of it is another (${tensor.dtype})`, () => {
      const modelSpec = toSpec({ ...CHOICE, version: 300 })
      const valid = toBytes({ modelSpec, inputs: { x: toTensorProto(tensor) }, outputFilter: ['y'] })
      fc.assert(
        fc.property(anyDamage(valid), bytes => {
          attempt(() => parsePredictRequest(bytes))
          attempt(() => peekPredictRequest(bytes))
        }),
        { numRuns: 3000 },
      )
    })
  }
})

describe('PredictResponse', () => {
  it('is written and read as the generated code reads and writes it', () => {
    fc.assert(
      fc.property(anyChoice, anyTensors, (model, outputs) => {
        const ordered = sorted(outputs)
        const bytes = toPredictResponse({ ...model, outputs: ordered })
        const wanted = create(PredictResponseSchema, { modelSpec: toSpec(model), outputs: toProtos(outputs) })
        assert.deepEqual(new Uint8Array(bytes), toBinary(PredictResponseSchema, wanted))
        assert.deepEqual(parsePredictResponse(bytes), { ...model, outputs: ordered })
        const [first] = ordered.values()
        assert.deepEqual(peekPredictResponse(bytes), { ...model, rows: first?.shape[0] })
      }),
      { numRuns: 300 },
    )
  })

  it('can have its tensors in tensor_content', () => {
    const bytes = toPredictResponse({ ...CHOICE, outputs: new Map([['y', x]]) }, { asContent: true })
    const { dtype, floatVal, tensorContent } = fromBinary(PredictResponseSchema, bytes).outputs['y'] ?? {}
    assert.deepEqual([dtype, floatVal, tensorContent?.length], [1, [], 8])
  })
})

const CHOICE: ModelChoice = { modelName: 'm', version: undefined, versionLabel: undefined, signatureName: '' }

/** Entries in the order in which an object, which the generated code uses, has them. */
function sorted(tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  return new Map(Object.entries(Object.fromEntries(tensors)))
}

/**
 * What a prediction's messages cost to read and to write: by hand, and by the generated code, which leaves a list of
 * numbers to be copied into a tensor. CPU microseconds a message, the lower quartile of interleaved rounds.
 *
 * `node bench/codec/main.ts`
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { ModelInferRequestSchema, ModelInferResponseSchema } from '../../src/tensor/generated/inference/infer_pb.js'
import {
  PredictRequestSchema,
  PredictResponseSchema,
} from '../../src/tensor/generated/tensorflow/serving/predict_pb.js'
import {
  parseModelInferRequest,
  parsePredictRequest,
  peekModelInferRequest,
  peekPredictRequest,
  type Tensor,
  toModelInferResponse,
  toPredictResponse,
} from '../../src/tensor/index.ts'

const ROUNDS = 15
const ROUND_US = 20_000

/** One way of doing a thing; what it returns keeps it from being optimized away. */
type Way = () => unknown

function toWays(shape: readonly number[], count: number): Readonly<Record<string, Way>> {
  const data = Float32Array.from({ length: count }, (_, index) => Math.fround(index / 7))
  const tensor: Tensor = { dtype: 'float32', shape, data }
  const raw = new Uint8Array(data.buffer)
  const dim = shape.map(size => ({ size: BigInt(size) }))
  const inputs = { x: { dtype: 1, tensorShape: { dim }, floatVal: [...data] } }
  const content = { x: { dtype: 1, tensorShape: { dim }, tensorContent: raw } }
  const modelSpec = { name: 'mlp', signatureName: 'serving_default' }
  const predict = toBinary(PredictRequestSchema, create(PredictRequestSchema, { modelSpec, inputs }))
  const predictContent = toBinary(PredictRequestSchema, create(PredictRequestSchema, { modelSpec, inputs: content }))
  const head = { name: 'x', datatype: 'FP32', shape: shape.map(BigInt) }
  const infer = toBinary(
    ModelInferRequestSchema,
    create(ModelInferRequestSchema, { modelName: 'mlp', id: '1', inputs: [head], rawInputContents: [raw] }),
  )
  const answer = { modelName: 'mlp', version: 1, versionLabel: undefined, signatureName: 'serving_default' }
  const outputs = new Map([['y', tensor]])
  const inferAnswer = { modelName: 'mlp', modelVersion: '1', id: '1', parameters: new Map(), isRaw: true }
  const inferOutputs = [{ name: 'y', tensor, parameters: new Map() }]
  return {
    'Predict request, by hand': () => parsePredictRequest(predict),
    'Predict request, generated': () =>
      Float32Array.from(fromBinary(PredictRequestSchema, predict).inputs['x']?.floatVal ?? []),
    'Predict request with tensor_content, by hand': () => parsePredictRequest(predictContent),
    'Predict request with tensor_content, generated': () => fromBinary(PredictRequestSchema, predictContent),
    'Predict request, peeked': () => peekPredictRequest(predict),
    'Predict response, by hand': () => toPredictResponse({ ...answer, outputs }),
    'Predict response, generated': () =>
      toBinary(
        PredictResponseSchema,
        create(PredictResponseSchema, {
          modelSpec,
          outputs: { y: { dtype: 1, tensorShape: { dim }, floatVal: [...data] } },
        }),
      ),
    'ModelInfer request, by hand': () => parseModelInferRequest(infer),
    'ModelInfer request, generated': () => fromBinary(ModelInferRequestSchema, infer),
    'ModelInfer request, peeked': () => peekModelInferRequest(infer),
    'ModelInfer response, by hand': () => toModelInferResponse({ ...inferAnswer, outputs: inferOutputs }),
    'ModelInfer response, generated': () =>
      toBinary(
        ModelInferResponseSchema,
        create(ModelInferResponseSchema, {
          modelName: 'mlp',
          modelVersion: '1',
          id: '1',
          outputs: [{ ...head, name: 'y' }],
          rawOutputContents: [raw],
        }),
      ),
  }
}

/** CPU microseconds of one call, over as many as fill a round. */
function measure(way: Way, calls: number): number {
  const before = process.cpuUsage()
  for (let call = 0; call < calls; call += 1) way()
  const { system, user } = process.cpuUsage(before)
  return (system + user) / calls
}

for (const [what, shape, count] of [
  ['mlp (4 floats)', [1, 4], 4],
  ['image (150 528 floats)', [1, 3, 224, 224], 150_528],
] as const) {
  console.log(what)
  const ways = Object.entries(toWays(shape, count)).map(([name, way]) => {
    measure(way, Math.ceil(2_000_000 / (count + 500)))
    return {
      name,
      way,
      calls: Math.max(1, Math.round(ROUND_US / Math.max(0.2, measure(way, 20)))),
      costs: [] as number[],
    }
  })
  for (let round = 0; round < ROUNDS; round += 1)
    for (const { calls, costs, way } of ways) costs.push(measure(way, calls))
  for (const { costs, name } of ways) {
    const [low = 0] = costs.sort((a, b) => a - b).slice(Math.floor(ROUNDS / 4))
    console.log(`${low.toFixed(low < 10 ? 2 : 0).padStart(8)} us  ${name}`)
  }
}

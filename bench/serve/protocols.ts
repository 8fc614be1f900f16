import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { ModelInferRequestSchema, ModelInferResponseSchema } from '../../src/tensor/generated/inference/infer_pb.js'
import {
  PredictRequestSchema,
  PredictResponseSchema,
} from '../../src/tensor/generated/tensorflow/serving/predict_pb.js'
import type { BenchModel } from './models.ts'

/** The name of the model in every server. */
export const SERVED_NAME = 'bench'

/** How one row is asked about. */
export interface WireRequest {
  readonly transport: 'http' | 'grpc'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** What came back: the body, or the message of a gRPC answer. */
export interface WireAnswer {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Uint8Array
}

interface Form {
  readonly toRequest: (model: BenchModel) => WireRequest
  /** Reads the elements of the output. @throws where the answer has another form */
  readonly parse: (answer: WireAnswer) => readonly number[]
}

const JSON_HEADERS = { 'content-type': 'application/json' }

/**
 * The forms of a request. `json` is what people write by hand: `{"x": rows}` to `{"y": rows}`. `raw` is the bytes of
 * the numbers alone, both ways: the least that a server can be asked.
 */
export const PROTOCOLS = {
  'v2-json': {
    toRequest: ({ input, shape }) =>
      post(V2_PATH, { inputs: [{ name: 'x', datatype: 'FP32', shape, data: Array.from(input, toDecimal) }] }),
    parse: ({ body }) => readNumbers(body, 'outputs', 0, 'data'),
  },
  'v2-binary': { toRequest: toV2Binary, parse: parseV2Binary },
  'v1-json': {
    toRequest: ({ input, row }) =>
      post(`/v1/models/${SERVED_NAME}:predict`, { instances: [toNested(Array.from(input, toDecimal), row)] }),
    parse: ({ body }) => readNumbers(body, 'predictions'),
  },
  'tfs-grpc': {
    toRequest: model => call('/tensorflow.serving.PredictionService/Predict', toPredict(model)),
    parse: parsePredict,
  },
  'v2-grpc': {
    toRequest: model => call('/inference.GRPCInferenceService/ModelInfer', toInfer(model)),
    parse: parseInfer,
  },
  json: {
    toRequest: ({ input, row }) => post('/predict', { x: [toNested(Array.from(input, toDecimal), row)] }),
    parse: ({ body }) => readNumbers(body, 'y'),
  },
  raw: {
    toRequest: ({ input }) => ({ transport: 'http', path: '/predict', headers: {}, body: toBytes(input) }),
    parse: ({ body }) => parseFloats(body),
  },
} as const satisfies Record<string, Form>

/** A key of `PROTOCOLS`. */
export type Protocol = keyof typeof PROTOCOLS

const V2_PATH = `/v2/models/${SERVED_NAME}/infer`

function post(path: string, document: object): WireRequest {
  return { transport: 'http', path, headers: JSON_HEADERS, body: Buffer.from(JSON.stringify(document)) }
}

function call(path: string, body: Uint8Array): WireRequest {
  return { transport: 'grpc', path, headers: {}, body }
}

/** Source: Open Inference Protocol V2, "Binary Tensor Data Extension". */
function toV2Binary({ input, shape }: BenchModel): WireRequest {
  const raw = toBytes(input)
  const inputs = [{ name: 'x', datatype: 'FP32', shape, parameters: { binary_data_size: raw.byteLength } }]
  const outputs = [{ name: 'y', parameters: { binary_data: true } }]
  const head = Buffer.from(JSON.stringify({ inputs, outputs }))
  return {
    transport: 'http',
    path: V2_PATH,
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) },
    body: Buffer.concat([head, raw]),
  }
}

function parseV2Binary({ headers, body }: WireAnswer): readonly number[] {
  const length = Number(headers['inference-header-content-length'])
  if (!Number.isInteger(length)) throw new Error('Cannot read an answer without Inference-Header-Content-Length')
  return parseFloats(body.subarray(length))
}

function toPredict({ input, shape }: BenchModel): Uint8Array {
  const dim = shape.map(size => ({ size: BigInt(size) }))
  const inputs = { x: { dtype: 1, tensorShape: { dim }, tensorContent: toBytes(input) } }
  const message: MessageInitShape<typeof PredictRequestSchema> = { modelSpec: { name: SERVED_NAME }, inputs }
  return toBinary(PredictRequestSchema, create(PredictRequestSchema, message))
}

function parsePredict({ body }: WireAnswer): readonly number[] {
  const tensor = fromBinary(PredictResponseSchema, body).outputs['y']
  if (tensor === undefined) throw new Error('Cannot read an answer without the output y')
  return tensor.floatVal.length > 0 ? tensor.floatVal : parseFloats(tensor.tensorContent)
}

function toInfer({ input, shape }: BenchModel): Uint8Array {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: shape.map(BigInt) }]
  const message = { modelName: SERVED_NAME, inputs, rawInputContents: [toBytes(input)] }
  return toBinary(ModelInferRequestSchema, create(ModelInferRequestSchema, message))
}

function parseInfer({ body }: WireAnswer): readonly number[] {
  const { outputs, rawOutputContents } = fromBinary(ModelInferResponseSchema, body)
  const [raw] = rawOutputContents
  return raw === undefined ? (outputs[0]?.contents?.fp32Contents ?? []) : parseFloats(raw)
}

/** A list of lists of the given shape. */
function toNested(flat: readonly number[], [size = 0, ...inner]: readonly number[]): readonly unknown[] {
  if (inner.length === 0) return flat
  const step = flat.length / size
  return Array.from({ length: size }, (_, at) => toNested(flat.slice(at * step, (at + 1) * step), inner))
}

/** The six decimals that the float32 was rounded from. */
const toDecimal = (value: number): number => Math.round(value * 1e6) / 1e6

const toBytes = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
const parseFloats = (bytes: Uint8Array): readonly number[] => [...new Float32Array(Uint8Array.from(bytes).buffer)]

/** The numbers at a place of a document, out of lists of any depth; NaN where there is none. */
function readNumbers(body: Uint8Array, ...path: readonly (string | number)[]): readonly number[] {
  let at: unknown = JSON.parse(Buffer.from(body).toString())
  for (const key of path) at = Reflect.get(Object(at), key)
  return [at].flat(Number.POSITIVE_INFINITY).map(Number)
}

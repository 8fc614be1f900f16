import { deflateSync, gzipSync } from 'node:zlib'
import {
  type DescMessage,
  type DescMethodUnary,
  Health,
  type MessageInitShape,
  ModelService,
  PredictionService,
  toMessageBytes,
  GRPCInferenceService as V2,
} from '../../../src/tensor/messages.ts'
import type { CallCase, Headers } from '../case.ts'
import type { Draw } from '../draw.ts'
import { damage } from './damage.ts'
import { toWrongMessage } from './protobuf.ts'

type Seed = readonly [path: string, message: Buffer]

const toSeed = <input extends DescMessage>(
  { parent, name, input }: Pick<DescMethodUnary<input>, 'input' | 'name' | 'parent'>,
  init: MessageInitShape<input>,
): Seed => [`/${parent.typeName}/${name}`, Buffer.from(toMessageBytes(input, init))]

const FLOATS = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer)
const modelSpec = { name: 'm', signatureName: 'serving_default' }
const tensorShape = { dim: [{ size: 1n }, { size: 4n }] }
const x = { name: 'x', datatype: 'FP32', shape: [1n, 4n] }

/** Calls that are right. */
export const CALL_SEEDS = {
  infer: toSeed(V2.method.modelInfer, { modelName: 'm', inputs: [x], rawInputContents: [FLOATS] }),
  predict: toSeed(PredictionService.method.predict, {
    modelSpec,
    inputs: { x: { dtype: 1, tensorShape, tensorContent: FLOATS } },
    outputFilter: ['y'],
  }),
} as const satisfies Record<string, Seed>

const SEEDS: readonly Seed[] = [
  CALL_SEEDS.infer,
  CALL_SEEDS.infer,
  CALL_SEEDS.predict,
  CALL_SEEDS.predict,
  toSeed(PredictionService.method.predict, {
    modelSpec: { name: 'm', versionChoice: { case: 'version', value: { value: 1n } } },
    inputs: { x: { dtype: 1, tensorShape, floatVal: [1, 2, 3, 4] } },
  }),
  toSeed(PredictionService.method.predict, {
    modelSpec: { name: 'texts', versionChoice: { case: 'versionLabel', value: 'stable' } },
    inputs: { x: { dtype: 7, tensorShape: { dim: [{ size: 1n }] }, stringVal: [Buffer.from('a')] } },
  }),
  toSeed(PredictionService.method.classify, { modelSpec }),
  toSeed(PredictionService.method.multiInference, {
    tasks: [{ modelSpec, methodName: 'tensorflow/serving/classify' }],
  }),
  toSeed(PredictionService.method.getModelMetadata, { modelSpec, metadataField: ['signature_def'] }),
  toSeed(ModelService.method.getModelStatus, { modelSpec }),
  toSeed(ModelService.method.handleReloadConfigRequest, {
    config: { config: { case: 'modelConfigList', value: { config: [{ name: 'm', basePath: '/x' }] } } },
  }),
  toSeed(V2.method.modelInfer, {
    modelName: 'm',
    modelVersion: '1',
    id: 'a',
    parameters: { k: { parameterChoice: { case: 'int64Param', value: 1n } } },
    inputs: [{ ...x, contents: { fp32Contents: [1, 2, 3, 4] } }],
    outputs: [{ name: 'y', parameters: { classification: { parameterChoice: { case: 'int64Param', value: 2n } } } }],
  }),
  toSeed(V2.method.modelInfer, {
    modelName: 'texts',
    inputs: [{ name: 'x', datatype: 'BYTES', shape: [2n] }],
    rawInputContents: [Buffer.from('0100000061000000000', 'hex')],
  }),
  toSeed(V2.method.modelReady, { name: 'm' }),
  toSeed(V2.method.modelMetadata, { name: 'm', version: '1' }),
  toSeed(V2.method.modelStatistics, { name: 'm' }),
  toSeed(V2.method.repositoryIndex, { ready: true }),
  toSeed(V2.method.repositoryModelLoad, { modelName: 'm' }),
  toSeed(V2.method.repositoryModelUnload, { modelName: 'm' }),
  toSeed(V2.method.serverMetadata, {}),
  toSeed(V2.method.serverLive, {}),
  toSeed(Health.method.check, { service: 'inference.GRPCInferenceService' }),
]

/** Prefix and message (PROTOCOL-HTTP2.md, "Length-Prefixed-Message"). */
export function toPrefixed(message: Buffer, flag = 0, length = message.length): Buffer {
  const head = Buffer.alloc(5)
  head[0] = flag
  head.writeUInt32BE(length, 1)
  return Buffer.concat([head, message])
}

const BOMB = gzipSync(Buffer.alloc(80 * 1024 * 1024))

/** Prefixes that lie, too many messages or none, compression that is none. */
export function toWrongFrames(draw: Draw, message: Buffer): { readonly headers: Headers; readonly body: Buffer } {
  const encoding = [['grpc-encoding', draw.pick(['gzip', 'deflate', 'identity', 'snappy', ''])]] as const
  switch (draw.below(9)) {
    case 0:
      return { headers: [], body: Buffer.alloc(0) }
    case 1:
      return { headers: [], body: toPrefixed(message, draw.pick([2, 128, 255])) }
    case 2:
      return { headers: [], body: toPrefixed(message, 0, draw.pick([0, message.length + 1, 2 ** 31, 2 ** 32 - 1])) }
    case 3:
      return { headers: [], body: Buffer.concat([toPrefixed(message), toPrefixed(message)]) }
    case 4:
      return { headers: [], body: Buffer.concat([toPrefixed(message), draw.bytes(draw.between(1, 9))]) }
    case 5:
      return { headers: [], body: toPrefixed(message).subarray(0, draw.below(message.length + 5)) }
    case 6:
      return { headers: encoding, body: toPrefixed(draw.pick([gzipSync, deflateSync])(message), 1) }
    case 7:
      return { headers: encoding, body: toPrefixed(damage(draw, gzipSync(message)), 1) }
    default:
      return draw.chance(0.02)
        ? { headers: [['grpc-encoding', 'gzip']], body: toPrefixed(BOMB, 1) }
        : { headers: [], body: toPrefixed(message, 1) }
  }
}

/** Metadata that is wrong, or unusual. */
export const METADATA: Headers = [
  ['grpc-timeout', '1'],
  ['grpc-timeout', '-1S'],
  ['grpc-timeout', '999999999S'],
  ['grpc-timeout', '1n'],
  ['grpc-timeout', '99999999H'],
  ['grpc-accept-encoding', ',,gzip;q=x'],
  ['te', 'trailers'],
  ['x-bin', '%%%'],
  ['authorization', 'Bearer'],
  ['traceparent', 'zz'],
  ['x-regatta-at', 'never'],
  ['x-regatta-entity', 'a'.repeat(5000)],
  ['x-long', 'a'.repeat(14_000)],
  ['user-agent', '\t'],
]
const PATHS = [
  '/',
  '/a',
  '//',
  '/a.B/C',
  '/inference.GRPCInferenceService/',
  '/inference.GRPCInferenceService/modelInfer',
]
const TYPES = [
  'application/grpc+proto',
  'application/grpc+json',
  'application/grpc-web',
  'application/grpc;x',
  'text/plain',
  '',
]

/** A call whose message, framing or headers are wrong. */
export function toCallCase(draw: Draw): CallCase {
  const [path, message] = draw.pick(SEEDS)
  if (draw.chance(0.7)) {
    const wrong = draw.chance(0.8) ? toWrongMessage(draw, message) : damage(draw, message)
    return { door: 'call', family: 'protobuf', path, headers: [], body: toPrefixed(wrong) }
  }
  if (draw.chance(0.6)) return { door: 'call', family: 'grpc framing', path, ...toWrongFrames(draw, message) }
  const headers: (readonly [string, string])[] = [draw.pick(METADATA)]
  if (draw.chance(0.3)) headers.push(['content-type', draw.pick(TYPES)])
  const wrongPath = draw.chance(0.4) ? draw.pick([...PATHS, `${path}x`, path.toLowerCase()]) : path
  return { door: 'call', family: 'metadata', path: wrongPath, headers, body: toPrefixed(message) }
}

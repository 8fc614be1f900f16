import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  parseModelInferRequest,
  parsePredictRequest,
  toModelInferResponse,
  toPredictResponse,
} from '../../src/tensor/index.ts'
import type { BenchModel } from './models.ts'
import { PROTOCOLS, type Protocol, type WireAnswer } from './protocols.ts'

const INPUT = Float32Array.of(0.1, 0.25, 0.333333, 1)
const MODEL: BenchModel = {
  ...{ name: 'mlp', basePath: '', path: '', inputPath: '', toBytes: () => new Uint8Array(), connections: 1 },
  ...{ isSlow: false, row: [2, 2], input: INPUT, shape: [1, 2, 2] },
}
const Y = Float32Array.of(0.5, 0.25)
const TENSOR = { dtype: 'float32', shape: [1, 2], data: Y } as const
const CHOICE = { modelName: 'bench', version: 1, versionLabel: undefined, signatureName: '' }
const HEAD = { modelName: 'bench', modelVersion: '1', id: '', parameters: new Map() }
const toInferAnswer = (isRaw: boolean): Uint8Array =>
  toModelInferResponse({ ...HEAD, isRaw, outputs: [{ name: 'y', parameters: new Map(), tensor: TENSOR }] })

const toRequestText = (protocol: Protocol): string => Buffer.from(PROTOCOLS[protocol].toRequest(MODEL).body).toString()

describe('PROTOCOLS', () => {
  it('asks in V2 JSON with six decimals', () => {
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2, 2], data: [0.1, 0.25, 0.333333, 1] }]
    assert.deepEqual(JSON.parse(toRequestText('v2-json')), { inputs })
  })

  it('asks in V1 JSON with lists of the shape of a row', () => {
    const instances = [
      [
        [0.1, 0.25],
        [0.333333, 1],
      ],
    ]
    assert.deepEqual(JSON.parse(toRequestText('v1-json')), { instances })
  })

  it('asks in V2 binary with the numbers after a head of the told length', () => {
    const { headers, body } = PROTOCOLS['v2-binary'].toRequest(MODEL)
    const raw = body.subarray(Number(Object(headers)['inference-header-content-length']))
    assert.deepEqual(new Float32Array(Uint8Array.from(raw).buffer), INPUT)
  })

  it('asks for a Predict that the server reads', () => {
    const { inputs } = parsePredictRequest(PROTOCOLS['tfs-grpc'].toRequest(MODEL).body)
    assert.deepEqual(inputs.get('x'), { dtype: 'float32', shape: [1, 2, 2], data: INPUT })
  })

  it('asks for a ModelInfer that the server reads', () => {
    const { inputs } = parseModelInferRequest(PROTOCOLS['v2-grpc'].toRequest(MODEL).body)
    assert.deepEqual(inputs[0]?.tensor, { dtype: 'float32', shape: [1, 2, 2], data: INPUT })
  })

  const toText = (document: object): WireAnswer => ({ headers: {}, body: Buffer.from(JSON.stringify(document)) })
  const head = Buffer.from('{"outputs":[]}')
  const answers: readonly (readonly [Protocol, WireAnswer])[] = [
    ['v2-json', toText({ outputs: [{ data: [0.5, 0.25] }] })],
    ['v1-json', toText({ predictions: [[0.5, 0.25]] })],
    ['json', toText({ y: [[0.5, 0.25]] })],
    ['tfs-grpc', { headers: {}, body: toPredictResponse({ ...CHOICE, outputs: new Map([['y', TENSOR]]) }) }],
    ['v2-grpc', { headers: {}, body: toInferAnswer(true) }],
    ['v2-grpc', { headers: {}, body: toInferAnswer(false) }],
    ['raw', { headers: {}, body: new Uint8Array(Y.buffer) }],
    [
      'v2-binary',
      {
        headers: { 'inference-header-content-length': String(head.length) },
        body: Buffer.concat([head, new Uint8Array(Y.buffer)]),
      },
    ],
  ]
  for (const [protocol, answer] of answers) {
    it(`reads the numbers of an answer in ${protocol}`, () =>
      assert.deepEqual(PROTOCOLS[protocol].parse(answer), [0.5, 0.25]))
  }

  it('reads another document as no number', () =>
    assert.deepEqual(PROTOCOLS['v2-json'].parse(toText({ error: 'no' })), [Number.NaN]))
})

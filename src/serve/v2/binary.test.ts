import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import type { ModelInput } from '../engine/engine.ts'
import { toDouble, toIdentity, toTwoByTwo } from '../testing/models.ts'
import { openServer } from '../testing/place.ts'
import { toRawShape } from './binary.ts'

const LENGTH = 'inference-header-content-length'
const floats = (...values: readonly number[]): Buffer => Buffer.from(Float32Array.from(values).buffer)
const text = (word: string): Buffer => {
  const bytes = Buffer.from(word)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return Buffer.concat([length, bytes])
}
const binary = (name: string, shape: readonly number[], size: number, datatype = 'FP32') => ({
  name,
  shape,
  datatype,
  parameters: { binary_data_size: size },
})

type Post = (json: unknown, raw?: Uint8Array, headers?: Record<string, string>) => ReturnType<typeof ask>

/** Asks with a JSON, whose length is told unless the headers say another, and raw bytes behind it. */
async function ask(url: string, json: unknown, raw: Uint8Array = new Uint8Array(), more: Record<string, string> = {}) {
  const head = Buffer.from(json === undefined ? '' : JSON.stringify(json))
  const { encode, ...given } = more
  const plain = Buffer.concat([head, raw])
  const body = encode === 'gzip' ? gzipSync(plain) : encode === 'deflate' ? deflateSync(plain) : plain
  const encoding = encode === undefined ? {} : { 'content-encoding': encode }
  const headers = { 'content-type': 'application/octet-stream', [LENGTH]: String(head.length), ...encoding, ...given }
  const response = await fetch(`${url}/v2/models/m/infer`, { method: 'POST', body, headers })
  const bytes = Buffer.from(await response.arrayBuffer())
  const length = Number(response.headers.get(LENGTH) ?? bytes.length)
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    json: JSON.parse(bytes.subarray(0, length).toString()),
    raw: bytes.subarray(length),
  }
}

async function openBinary(model: Uint8Array) {
  const server = await openServer(model)
  const post: Post = async (...parameters) => await ask(server.url, ...parameters)
  return { post, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

describe('binary tensors of V2 REST', () => {
  const x = binary('x', [1, 2], 8)

  it('come behind the JSON, and go so where the request wants it', async () => {
    await using server = await openBinary(toDouble())
    const wishes = [
      { parameters: { binary_data_output: true } },
      { outputs: [{ name: 'y', parameters: { binary_data: true } }] },
      { outputs: [{ name: 'y' }], parameters: { binary_data_output: true } },
    ]
    for (const wish of wishes) {
      const { status, type, json, raw } = await server.post({ id: 'i', inputs: [x], ...wish }, floats(1, 2.5))
      assert.deepEqual([status, type], [200, 'application/octet-stream'])
      const y = { name: 'y', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } }
      assert.deepEqual(json, { model_name: 'm', model_version: '1', id: 'i', outputs: [y] })
      assert.deepEqual(raw, floats(2, 5))
    }
    const plain = await server.post({ inputs: [x] }, floats(1, 2.5))
    assert.deepEqual([plain.type, plain.json.outputs[0].data], ['application/json', [2, 5]])
    const other = {
      outputs: [{ name: 'y', parameters: { binary_data: false } }],
      parameters: { binary_data_output: true },
    }
    assert.equal((await server.post({ inputs: [x], ...other }, floats(1, 2.5))).type, 'application/json')
  })

  it('stand beside tensors in JSON, either way', async () => {
    await using server = await openBinary(toTwoByTwo())
    const a = { name: 'a', shape: [1, 1], datatype: 'FP32', data: [5] }
    const outputs = [{ name: 'difference', parameters: { binary_data: true } }, { name: 'sum' }]
    const { json, raw } = await server.post({ inputs: [a, binary('b', [1, 1], 4)], outputs }, floats(3))
    assert.deepEqual(raw, floats(2))
    assert.deepEqual(
      json.outputs.map(({ name, data }: { name: string; data?: unknown }) => [name, data]),
      [
        ['difference', undefined],
        ['sum', [8]],
      ],
    )
    const both = [binary('b', [1, 1], 4), binary('a', [1, 1], 4)]
    assert.deepEqual((await server.post({ inputs: both, outputs }, floats(3, 5))).raw, floats(2))
  })

  it('hold texts, each after its length, and any other type', async () => {
    await using server = await openBinary(toIdentity('string', ['n']))
    const raw = Buffer.concat([text('é'), text(''), text('a\nb')])
    const parameters = { binary_data_output: true }
    const answer = await server.post({ inputs: [binary('x', [3], raw.length, 'BYTES')], parameters }, raw)
    assert.deepEqual(answer.raw, raw)
    await using halves = await openBinary(toIdentity('float16', ['n']))
    const half = Buffer.of(0, 0x3c)
    const one = await halves.post({ inputs: [binary('x', [1], 2, 'FP16')], parameters }, half)
    assert.deepEqual(one.raw, half)
    const none = await halves.post({ inputs: [binary('x', [0], 0, 'FP16')], parameters })
    assert.deepEqual([none.json.outputs[0].parameters, none.raw.length], [{ binary_data_size: 0 }, 0])
  })

  for (const encode of ['gzip', 'deflate'])
    it(`come and go in ${encode}, whose length is told of what it holds`, async () => {
      await using server = await openBinary(toIdentity('float32', ['n']))
      const raw = floats(...Array.from({ length: 10_000 }, (_, at) => at))
      const request = { inputs: [binary('x', [10_000], raw.length)], parameters: { binary_data_output: true } }
      const answer = await server.post(request, raw, { encode, 'accept-encoding': encode })
      assert.deepEqual(answer.raw, raw)
    })

  it('are all of a body without JSON', async () => {
    await using server = await openBinary(toDouble())
    const answer = await server.post(undefined, floats(1, 2))
    assert.deepEqual([answer.status, answer.raw], [200, floats(2, 4)])
    assert.deepEqual(answer.json.outputs[0].shape, [1, 2])
    assert.deepEqual((await server.post(undefined, floats(1, 2, 3, 4))).json.outputs[0].shape, [2, 2])
    await using texts = await openBinary(toIdentity('string', ['n']))
    assert.deepEqual((await texts.post(undefined, Buffer.from('é'))).raw, text('é'))
    await using two = await openBinary(toTwoByTwo())
    const refused = await two.post(undefined, floats(1))
    assert.deepEqual(
      [refused.status, refused.json.error],
      [400, 'Cannot use a body without JSON: expected a model with one input, found 2'],
    )
  })

  const wrong: readonly [json: unknown, raw: Uint8Array, headers: Record<string, string>, error: RegExp][] = [
    [{}, floats(1), { [LENGTH]: 'x' }, /^Unable to parse Inference-Header-Content-Length, got: x$/],
    [{}, floats(1), { [LENGTH]: '-1' }, /^inference header size should be in range \(0, 6\), got: -1$/],
    [{}, floats(1), { [LENGTH]: '7' }, /^inference header size should be in range \(0, 6\), got: 7$/],
    [{ inputs: [x] }, floats(1), {}, /^unexpected size for input 'x', expecting 4 additional bytes$/],
    [{ inputs: [x] }, floats(1, 2, 3), {}, /^unexpected additional input data: 4 bytes are of no input$/],
    [{ inputs: [binary('x', [1, 2], 4)] }, floats(1), {}, /^Cannot use input "x": Cannot fill shape \[1,2\] of float/],
    [{ inputs: [binary('x', [1, 2], -1)] }, floats(1), {}, /^Unable to parse 'binary_data_size' of input "x"/],
    [{ inputs: [binary('x', [1, 2], 0.5)] }, floats(1), {}, /^Unable to parse 'binary_data_size' of input "x"/],
    [{ inputs: [{ ...x, data: [1, 2] }] }, floats(1, 2), {}, /either 'data' or 'binary_data_size', found both$/],
    [
      { inputs: [x], parameters: { binary_data_output: 1 } },
      floats(1, 2),
      {},
      /^Unable to parse 'binary_data_output': expected a boolean$/,
    ],
    [
      { inputs: [x], outputs: [{ name: 'y', parameters: { binary_data: 'yes' } }] },
      floats(1, 2),
      {},
      /^Unable to parse 'binary_data': expected a boolean$/,
    ],
    [undefined, floats(1), {}, /^Cannot use input "x": 4 bytes are no whole number of its elements$/],
  ]
  it('are refused where they cannot be used', async () => {
    await using server = await openBinary(toDouble())
    for (const [json, raw, headers, error] of wrong) {
      const answer = await server.post(json, raw, headers)
      assert.equal(answer.status, 400)
      assert.match(answer.json.error, error)
    }
  })
})

describe('toRawShape()', () => {
  const input = (shape: ModelInput['shape'], dtype: ModelInput['dtype'] = 'float32'): ModelInput => ({
    name: 'x',
    dtype,
    shape,
    axes: [],
  })
  const rows: readonly [shape: readonly number[], bytes: number, found: readonly number[]][] = [
    [[2, 3], 24, [2, 3]],
    [[-1, 4], 32, [2, 4]],
    [[3, -1], 24, [3, 2]],
    [[-1, -1], 12, [1, 3]],
    [[], 4, []],
  ]
  for (const [shape, bytes, found] of rows)
    it(`makes [${found}] of [${shape}] and ${bytes} bytes`, () => {
      assert.deepEqual(toRawShape(input(shape), bytes), found)
    })

  const unfit = [input([-1, -1, -1, 3]), input([2, -1, -1]), input([-1, 2], 'string'), input([2], 'string')]
  it('refuses where the size does not tell it', () => {
    for (const each of unfit) assert.throws(() => toRawShape(each, 24), /its size does not tell the shape/)
    assert.throws(() => toRawShape(input([-1, 0]), 0), /no whole number of its elements/)
  })
})

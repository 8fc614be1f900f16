import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toSingleModel } from '../options.ts'
import { toDouble, toGather, toIdentity, toTwoByTwo } from '../testing/models.ts'
import { openPlace, openServer } from '../testing/place.ts'
import { SERVER_VERSION } from '../version.ts'

const INFER = '/v2/models/m/infer'
const tensor = (name: string, shape: readonly number[], data: unknown, datatype = 'FP32') => ({
  name,
  shape,
  datatype,
  data,
})
const x = tensor('x', [2, 2], [1, 2, 3, 4.25])

describe('Open Inference V2 REST', () => {
  it('infers from flat and nested data, and gives the id back', async () => {
    await using server = await openServer(toDouble())
    const output = '"outputs":[{"name":"y","datatype":"FP32","shape":[2,2],"data":[2.0,4.0,6.0,8.5]}]'
    const flat = await server.ask(INFER, { id: 'a"b', inputs: [x] })
    assert.deepEqual([flat.status, flat.text], [200, `{"model_name":"m","model_version":"1","id":"a\\"b",${output}}`])
    assert.equal(flat.headers.get('content-type'), 'application/json')
    const nested = tensor(
      'x',
      [2, 2],
      [
        [1, 2],
        [3, 4.25],
      ],
    )
    const other = await server.ask('/v2/models/m/versions/1/infer', { inputs: [nested], parameters: { a: 1 } })
    assert.equal(other.text, `{"model_name":"m","model_version":"1",${output}}`)
  })

  it('quotes no more of a request than a reader needs', async () => {
    await using server = await openServer(toDouble())
    const { status, text } = await server.ask(INFER, { inputs: [{ ...x, name: 'n'.repeat(50_000) }] })
    assert.equal(status, 400)
    assert.match(JSON.parse(text).error, /^.{1024}\.\.\.TRUNCATED$/s)
  })

  it('takes heads as long as a gateway passes on', async () => {
    await using server = await openServer(toDouble())
    const answer = await server.ask(INFER, { inputs: [x] }, { headers: { 'x-long': 'a'.repeat(40_000) } })
    assert.equal(answer.status, 200)
  })

  it('gives the outputs asked for, in the order asked for', async () => {
    await using server = await openServer(toTwoByTwo())
    const inputs = [tensor('b', [1, 1], [1]), tensor('a', [1, 1], [3])]
    const names = async (outputs?: readonly { name: string }[]): Promise<string[]> => {
      const { text } = await server.ask(INFER, { inputs, ...(outputs && { outputs }) })
      return JSON.parse(text).outputs.map((output: { name: string; data: number[] }) => `${output.name}=${output.data}`)
    }
    assert.deepEqual(await names(), ['sum=4', 'difference=2'])
    assert.deepEqual(await names([]), ['sum=4', 'difference=2'])
    assert.deepEqual(await names([{ name: 'difference' }, { name: 'sum' }]), ['difference=2', 'sum=4'])
    assert.deepEqual(await names([{ name: 'sum' }]), ['sum=4'])
  })

  const types = [
    ['int64', 'INT64', '[9007199254740993,-1]'],
    ['uint64', 'UINT64', '[18446744073709551615]'],
    ['bool', 'BOOL', '[true,false]'],
    ['string', 'BYTES', '["a","é"]'],
    ['float16', 'FP16', '[0.5]'],
    ['float64', 'FP64', '[0.1]'],
    ['int8', 'INT8', '[-128,127]'],
    ['uint32', 'UINT32', '[4294967295]'],
  ] as const
  for (const [dtype, datatype, data] of types) {
    it(`keeps ${datatype} as it is`, async () => {
      await using server = await openServer(toIdentity(dtype, ['n']))
      const { length } = JSON.parse(data)
      const body = `{"inputs":[{"name":"x","shape":[${length}],"datatype":"${datatype}","data":${data}}]}`
      const { text } = await server.ask(INFER, body)
      assert.ok(text.endsWith(`"datatype":"${datatype}","shape":[${length}],"data":${data}}]}`), text)
    })
  }

  it('takes a scalar', async () => {
    await using server = await openServer(toIdentity('float32', []))
    const { text } = await server.ask(INFER, { inputs: [tensor('x', [], [1.5])] })
    assert.match(text, /"shape":\[\],"data":\[1.5\]/)
  })

  it('tells what it is and what the model takes', async () => {
    await using server = await openServer(toDouble())
    const wanted = [
      [
        '/v2',
        {
          name: 'regatta',
          version: SERVER_VERSION,
          extensions: ['binary_tensor_data', 'statistics', 'model_repository'],
        },
      ],
      ['/v2/health/live', { live: true }],
      ['/v2/health/ready', { ready: true }],
      ['/v2/models/m/ready', { name: 'm', ready: true }],
      ['/v2/models/m/versions/1/ready', { name: 'm', ready: true }],
      [
        '/v2/models/m',
        {
          name: 'm',
          versions: ['1'],
          platform: 'onnx_onnxv1',
          inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
          outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
        },
      ],
    ] as const
    for (const [path, body] of wanted) {
      const answer = await server.ask(path)
      assert.deepEqual([answer.status, JSON.parse(answer.text)], [200, body], path)
    }
  })

  it('lists, unloads and loads models where it may', async () => {
    await using server = await openServer(toDouble(), { allowModelControl: true })
    const index = async (body: unknown = ''): Promise<unknown> =>
      JSON.parse((await server.ask('/v2/repository/index', body)).text)
    const ready = [{ name: 'm', version: '1', state: 'READY', reason: '' }]
    assert.deepEqual([await index(), await index({ ready: true })], [ready, ready])
    const unloaded = await server.ask('/v2/repository/models/m/unload', { parameters: { unload_dependents: true } })
    assert.deepEqual([unloaded.status, unloaded.text], [200, '{"name":"m","unload":true}'])
    assert.deepEqual(await index(), [{ name: 'm', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' }])
    assert.deepEqual(await index({ ready: true }), [])
    assert.equal((await server.ask(INFER, { inputs: [x] })).status, 503)
    assert.equal((await server.ask('/v2/models/m/ready')).text, '{"name":"m","ready":false}')
    assert.equal((await server.ask('/v2/health/ready')).status, 503)
    const loaded = await server.ask('/v2/repository/models/m/load', '')
    assert.deepEqual([loaded.status, loaded.text], [200, '{"name":"m","load":true}'])
    assert.equal((await server.ask(INFER, { inputs: [x] })).status, 200)
    const wrong = [
      ['/v2/repository/models/z/load', '', 404, /unknown model: "z" is not found/],
      [
        '/v2/repository/models/m/load',
        { parameters: { config: '{}' } },
        400,
        /^Cannot load with the parameter "config"$/,
      ],
      ['/v2/repository/models/m/unload', { parameters: 1 }, 400, /^Unable to parse 'parameters'/],
      ['/v2/repository/index', { ready: 1 }, 400, /^Unable to parse 'ready'/],
    ] as const
    for (const [path, body, status, error] of wrong) {
      const answer = await server.ask(path, body)
      assert.equal(answer.status, status)
      assert.match(JSON.parse(answer.text).error, error)
    }
  })

  it('lets nobody load and unload where it is not told to', async () => {
    await using server = await openServer(toDouble())
    for (const call of ['load', 'unload']) {
      const answer = await server.ask(`/v2/repository/models/m/${call}`, '')
      assert.equal(answer.status, 403)
      assert.match(answer.text, /start the server with --allow-model-control/)
    }
    assert.equal((await server.ask('/v2/repository/index', '')).status, 200)
  })

  it('finds a version by its number alone, and so the version 0', async () => {
    await using place = await openPlace({ 0: toDouble() })
    await using server = await openServer(toDouble(), { models: [toSingleModel('m', place.basePath)] })
    const statuses = await Promise.all(
      ['0', '00', '1', '0x0', 'v0'].map(async version => (await server.ask(`/v2/models/m/versions/${version}`)).status),
    )
    assert.deepEqual(statuses, [200, 404, 404, 404, 404])
  })

  it('tells what versions did', async () => {
    await using server = await openServer(toDouble())
    await server.ask(INFER, { inputs: [x] })
    await server.ask(INFER, { inputs: [x] })
    const statsOf = async (path: string) => JSON.parse((await server.ask(path)).text).model_stats
    const [stats] = await statsOf('/v2/models/m/stats')
    assert.deepEqual(
      [stats.name, stats.version, stats.inference_count, stats.execution_count, stats.inference_stats.success.count],
      ['m', '1', 4, 2, 2],
    )
    assert.ok(stats.inference_stats.compute_infer.ns > 0 && stats.last_inference > 1.7e12)
    assert.deepEqual(await statsOf('/v2/models/stats'), [stats])
    assert.deepEqual(await statsOf('/v2/models/m/versions/1/stats'), [stats])
    for (const path of ['m/versions/2', 'z']) assert.equal((await server.ask(`/v2/models/${path}/stats`)).status, 404)
    await using failing = await openServer(toGather())
    const nowhere = { name: 'x', datatype: 'INT64', shape: [1], data: [99] }
    assert.equal((await failing.ask(INFER, { inputs: [nowhere] })).status, 400)
    const [failed] = JSON.parse((await failing.ask('/v2/models/m/stats')).text).model_stats
    assert.deepEqual([failed.inference_stats.fail.count, failed.inference_stats.success.count], [1, 0])
  })

  const wrong: readonly [body: unknown, error: RegExp][] = [
    ['{', /^JSON Parse error: /],
    [{}, /^Unable to parse 'inputs': expected a list of objects$/],
    [{ inputs: [1] }, /^Unable to parse 'inputs'/],
    [{ inputs: [] }, /^Missing input "x": expected shape \[-1,2\]$/],
    [{ inputs: [{ ...x, name: 1 }] }, /expected a 'name'/],
    [{ inputs: [{ ...x, name: 'z' }] }, /^Unexpected input "z": expected "x"$/],
    [{ inputs: [x, x] }, /^Input "x" stands twice/],
    [{ inputs: [{ ...x, datatype: 'INT32' }] }, /^Cannot use input "x": expected datatype FP32, found INT32$/],
    [{ inputs: [{ ...x, shape: [2, 3] }] }, /^Cannot use input "x": expected shape \[-1,2\], found \[2,3\]$/],
    [{ inputs: [{ ...x, shape: [-2, 2] }] }, /expected a 'shape' of whole numbers/],
    [{ inputs: [{ ...x, shape: 'all' }] }, /expected a 'shape'/],
    [{ inputs: [{ ...x, shape: [3, 2] }] }, /^Cannot use input "x": .*Shape does not match/],
    [{ inputs: [{ ...x, data: undefined }] }, /it has no 'data'$/],
    [{ inputs: [{ ...x, data: ['a', 1, 2, 3] }] }, /^Cannot use input "x": .*not of expected type: FP32$/],
    [
      { inputs: [{ ...x, data: undefined, parameters: { binary_data_size: 16 } }] },
      /^unexpected size for input 'x', expecting 16 add/,
    ],
    [{ inputs: [x], outputs: [{ name: 'z' }] }, /^Unexpected output "z": expected "y"$/],
    [{ inputs: [x], id: 7 }, /^Unable to parse 'id'/],
    [{ inputs: [x], parameters: [] }, /^Unable to parse 'parameters': expected an object$/],
    [{ inputs: [{ ...x, parameters: { a: {} } }] }, /expected a string, a number or a boolean as "a"$/],
    [
      { inputs: [x], outputs: [{ name: 'y', parameters: { classification: 2 } }] },
      /^Cannot give output "y" as a class/,
    ],
  ]
  it('refuses what does not fit the model', async () => {
    await using server = await openServer(toDouble())
    for (const [body, error] of wrong) {
      const answer = await server.ask(INFER, body)
      assert.equal(answer.status, 400, answer.text)
      assert.match(JSON.parse(answer.text).error, error)
    }
  })

  it('refuses other models, versions, paths and methods', async () => {
    await using server = await openServer(toDouble())
    const statuses = [
      ['/v2/models/z', undefined, 404],
      ['/v2/models/z/infer', '{}', 404],
      ['/v2/models/m/versions/2/infer', '{}', 404],
      ['/v2/models/m/versions/2/ready', undefined, 404],
      ['/v2/nothing', undefined, 404],
      [INFER, undefined, 405],
      ['/v2/models/m', '{}', 405],
    ] as const
    for (const [path, body, status] of statuses) {
      const answer = await server.ask(path, body)
      assert.equal(answer.status, status, path)
      assert.equal(typeof JSON.parse(answer.text).error, 'string')
    }
    assert.equal((await server.ask(INFER)).headers.get('allow'), 'POST')
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toDouble, toGather, toIdentity, toTwoByTwo } from '../testing/models.ts'
import { openServer } from '../testing/place.ts'

const PREDICT = '/v1/models/m:predict'

describe('TensorFlow Serving REST', () => {
  it('predicts by rows and by columns, whatever the case of the path', async () => {
    await using server = await openServer(toDouble())
    const rows = await server.ask(PREDICT, {
      instances: [
        [1, 2.5],
        [0, -1],
      ],
    })
    assert.deepEqual([rows.status, rows.text], [200, '{"predictions":[[2.0,5.0],[0.0,-2.0]]}'])
    assert.equal(rows.headers.get('content-type'), 'application/json')
    const columns = await server.ask('/V1/Models/m/Versions/1:Predict', { inputs: { x: [[1, 2]] } })
    assert.deepEqual([columns.status, columns.text], [200, '{"outputs":[[2.0,4.0]]}'])
    const named = await server.ask(PREDICT, { signature_name: 'serving_default', instances: [{ x: [3, 4] }] })
    assert.equal(named.text, '{"predictions":[[6.0,8.0]]}')
  })

  it('takes and gives several tensors by name', async () => {
    await using server = await openServer(toTwoByTwo())
    const rows = await server.ask(PREDICT, {
      instances: [
        { a: [3], b: [1] },
        { b: [5], a: [5] },
      ],
    })
    assert.equal(rows.text, '{"predictions":[{"sum":[4.0],"difference":[2.0]},{"sum":[10.0],"difference":[0.0]}]}')
    const columns = await server.ask(PREDICT, { inputs: { a: [[3]], b: [[1]] } })
    assert.equal(columns.text, '{"outputs":{"sum":[[4.0]],"difference":[[2.0]]}}')
  })

  it('takes and gives the numbers that JSON lacks', async () => {
    await using server = await openServer(toDouble())
    const answer = await server.ask(PREDICT, '{"instances":[[NaN,Infinity],[-Infinity,3e38]]}')
    assert.deepEqual([answer.status, answer.text], [200, '{"predictions":[[NaN,Infinity],[-Infinity,Infinity]]}'])
  })

  const types = [
    ['int64', '[9007199254740993,-1]'],
    ['bool', '[true,false]'],
    ['string', '["a","é\\n"]'],
    ['float16', '[0.5,65504.0]'],
    ['float64', '[0.1,1e+300]'],
    ['uint8', '[0,255]'],
    ['int32', '[-2147483648,7]'],
  ] as const
  for (const [dtype, list] of types) {
    it(`keeps ${dtype} as it is`, async () => {
      await using server = await openServer(toIdentity(dtype, ['n']))
      const answer = await server.ask(PREDICT, `{"instances":${list}}`)
      assert.equal(answer.text.replaceAll('1000000000000000000', '1'), `{"predictions":${list}}`)
    })
  }

  it('takes and gives a scalar by columns', async () => {
    await using server = await openServer(toIdentity('float32', []))
    assert.equal((await server.ask(PREDICT, { inputs: 1.5 })).text, '{"outputs":1.5}')
    const rows = await server.ask(PREDICT, { instances: [1.5] })
    assert.deepEqual(
      [rows.status, JSON.parse(rows.text)],
      [400, { error: 'Cannot use input "x": expected shape [], found [1]' }],
    )
  })

  it('tells the status, to clients of KServe V1, too', async () => {
    await using server = await openServer(toDouble())
    const status = {
      model_version_status: [{ version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } }],
      name: 'm',
      ready: true,
    }
    for (const path of ['/v1/models/m', '/v1/models/m/versions/1', '/v1/models/m/labels/stable']) {
      const answer = await server.ask(path)
      assert.deepEqual([answer.status, JSON.parse(answer.text)], [200, status], path)
    }
    assert.equal((await server.ask('/v1/models')).text, '{"models":["m"]}')
  })

  it('tells the signature', async () => {
    await using server = await openServer(toDouble())
    const { text } = await server.ask('/v1/models/m/versions/1/metadata')
    const info = (name: string) => ({
      dtype: 'DT_FLOAT',
      tensor_shape: {
        dim: [
          { size: '-1', name: '' },
          { size: '2', name: '' },
        ],
        unknown_rank: false,
      },
      name,
    })
    const signature = { inputs: { x: info('x') }, outputs: { y: info('y') }, method_name: 'tensorflow/serving/predict' }
    assert.deepEqual(JSON.parse(text), {
      model_spec: { name: 'm', signature_name: '', version: '1' },
      metadata: { signature_def: { signature_def: { serving_default: signature } } },
    })
  })

  const wrong: readonly [path: string, body: string | undefined, status: number, error: RegExp][] = [
    [PREDICT, '', 400, /^JSON Parse error: The document is empty\. at offset: 0$/],
    [PREDICT, '{"instances":[[1,2]', 400, /^JSON Parse error: /],
    [PREDICT, '[]', 400, /expected a JSON object/],
    [PREDICT, '{}', 400, /^Missing 'inputs' or 'instances' key$/],
    [PREDICT, '{"instances":[],"inputs":[]}', 400, /expecting only one of/],
    [PREDICT, '{"instances":{"x":1}}', 400, /^Expecting 'instances' to be an list\/array$/],
    [PREDICT, '{"instances":[]}', 400, /^No values in 'instances' array$/],
    [PREDICT, '{"signature_name":"other","instances":[[1,2]]}', 400, /signature name: "other" not found/],
    [PREDICT, '{"instances":[[1,2,3]]}', 400, /^Cannot use input "x": expected shape \[-1,2\], found \[1,3\]$/],
    [PREDICT, '{"inputs":[1,2]}', 400, /^Cannot use input "x": expected shape \[-1,2\], found \[2\]$/],
    [PREDICT, '{"inputs":{"x":[[1,2]],"z":1}}', 400, /Sent extra: {z}/],
    [PREDICT, '{"inputs":{}}', 400, /^Missing named input: x in 'inputs' object\.$/],
    [PREDICT, '{"instances":[["a","b"]]}', 400, /"a" Type: String is not of expected type: float/],
    ['/v1/models/m:classify', '{}', 400, /^Expected classification signature method_name .*; use :predict$/],
    ['/v1/models/m:regress', '{"examples":[]}', 400, /^Expected regression .* tensorflow\/serving\/regress\. Was: /],
    ['/v1/models/m:regress', '{"signature_name":"r"}', 400, /^No signature was found with the name: r$/],
    ['/v1/models/m:classify', '{"signature_name":1}', 400, /^'signature_name' key must be a string value\.$/],
    ['/v1/models/other:classify', '{}', 404, /^Servable not found/],
    ['/v1/models/other:predict', '{}', 404, /^Servable not found for request: Latest\(other\)$/],
    ['/v1/models/m/versions/7:predict', '{}', 404, /^Servable not found for request: Specific\(m, 7\)$/],
    [
      '/v1/models/m/versions/9223372036854775808:predict',
      '{}',
      400,
      /^Failed to convert version: 9223372036854775808 /,
    ],
    ['/v1/models/m/labels/old:predict', '{}', 400, /^Unrecognized servable version label: old$/],
    ['/v1/models/m:multiply', '{}', 404, /^Malformed request: POST /],
    ['/v1/models/%ff', undefined, 404, /^Malformed request: GET /],
    ['/v1/models/other', undefined, 404, /^Could not find any versions of model other$/],
    ['/v1/models/m/versions/7', undefined, 404, /^Could not find version 7 of model m$/],
    ['/v1/models/other/metadata', undefined, 404, /^Servable not found/],
    [PREDICT, undefined, 405, /expected POST$/],
    ['/v1/models/m', '{}', 405, /expected GET$/],
  ]
  it('refuses what it cannot answer, in its own words', async () => {
    await using server = await openServer(toDouble())
    for (const [path, body, status, error] of wrong) {
      const answer = await server.ask(path, body)
      assert.equal(answer.status, status, `${path} ${body}: ${answer.text}`)
      assert.match(JSON.parse(answer.text).error, error)
    }
  })

  it('says that the batch of a model is fixed', async () => {
    await using server = await openServer(toDouble(1))
    const answer = await server.ask(PREDICT, {
      instances: [
        [1, 2],
        [3, 4],
      ],
    })
    assert.equal(answer.status, 400)
    assert.match(answer.text, /expected shape \[1,2\], found \[2,2\]; .*: send exactly 1 row a request, or export/)
    assert.equal((await server.ask(PREDICT, { instances: [[1, 2]] })).text, '{"predictions":[[2.0,4.0]]}')
  })

  it('names the inputs whose common dimension differs', async () => {
    await using server = await openServer(toTwoByTwo())
    const answer = await server.ask(PREDICT, { inputs: { a: [[1], [2]], b: [[1]] } })
    assert.equal(answer.status, 400)
    assert.match(answer.text, /input \\"b\\": its dimension \\"batch\\" is 1, but that of \\"a\\" is 2/)
  })

  it('refuses texts that would be cut', async () => {
    await using server = await openServer(toIdentity('string', ['n']))
    const answer = await server.ask(PREDICT, { instances: ['a\0b'] })
    assert.deepEqual(
      [answer.status, JSON.parse(answer.text).error],
      [400, 'Cannot use input "x": a text holds the character U+0000'],
    )
  })

  it('hands on why a run failed, and goes on', async () => {
    await using server = await openServer(toGather())
    const answer = await server.ask(PREDICT, { instances: [7] })
    assert.equal(answer.status, 400)
    assert.match(answer.text, /idx=7 must be within the inclusive range \[-3,2\]/)
    assert.equal((await server.ask(PREDICT, { instances: [2, 0] })).text, '{"predictions":[30.0,10.0]}')
  })
})

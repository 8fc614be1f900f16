import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { GRPCInferenceService, ModelService, PredictionService } from '../tensor/messages.ts'
import { type Server, startServer, toSingleModel } from './index.ts'
import { openClient } from './testing/grpc.ts'
import { toDouble } from './testing/models.ts'
import { toModel, type Value } from './testing/onnx-model.ts'

const x: Value = { name: 'x', dtype: 'float32', shape: ['batch', 2] }
const y: Value = { ...x, name: 'y' }
const toUnary = (operator: string, operators: number): Uint8Array =>
  toModel({ nodes: [{ operator, inputs: ['x'], outputs: ['y'] }], inputs: [x], outputs: [y], operators })

/** Files that cannot be served, and what ONNX Runtime says of each. */
const BAD: Readonly<Record<string, readonly [file: Uint8Array, why: RegExp]>> = {
  corrupt: [Buffer.from(toDouble().map(byte => byte ^ 0x55)), /Protobuf parsing failed/],
  cut: [toDouble().subarray(0, 40), /Cannot load the model/],
  operator: [toUnary('NoSuchOperator', 13), /NoSuchOperator/],
  newer: [toUnary('Identity', 999), /opset 999|Opset 999|opset version 999|999 is/i],
}

describe('models that cannot be loaded', () => {
  const stop = new AbortController()
  let folder = ''
  let server: Server
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regatta-bad-'))
    const files = { good: toDouble(), ...Object.fromEntries(Object.entries(BAD).map(([name, [file]]) => [name, file])) }
    for (const [name, file] of Object.entries(files)) {
      await mkdir(join(folder, name, '1'), { recursive: true })
      await writeFile(join(folder, name, '1', 'model.onnx'), file)
    }
    const models = Object.keys(files).map(name => toSingleModel(name, join(folder, name)))
    server = await startServer({ models, httpPort: 0, grpcPort: 0, allowModelControl: true }, stop.signal)
  })
  after(async () => {
    stop.abort()
    await server.closed
    await rm(folder, { recursive: true, force: true })
  })

  const ask = async (path: string, body?: unknown): Promise<readonly [status: number, text: string]> => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const answer = await fetch(server.url + path, init)
    return [answer.status, await answer.text()]
  }
  const predict = { instances: [[1, 2]] }
  const infer = { inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }] }
  const checkGood = async (): Promise<void> => {
    assert.deepEqual(await ask('/v1/models/good:predict', predict), [200, '{"predictions":[[2.0,4.0]]}'])
    const answer = await ask('/v2/models/good/infer', infer)
    assert.equal(answer[0], 200)
  }

  for (const [name, [, why]] of Object.entries(BAD)) {
    it(`${name}: is refused in the words of each protocol, and the other model answers`, async () => {
      for (const [path, body] of [
        [`/v1/models/${name}:predict`, predict],
        [`/v2/models/${name}/infer`, infer],
      ] as const) {
        const [status, text] = await ask(path, body)
        assert.ok(status === 404 || status === 503, `${path}: ${status}`)
        assert.match(JSON.parse(text).error, new RegExp(name))
      }
      assert.notEqual((await ask(`/v2/models/${name}/ready`))[0], 200)
      await checkGood()
    })

    it(`${name}: its status says why`, async () => {
      const [status, text] = await ask(`/v1/models/${name}`)
      // KServe's: the body is TensorFlow Serving's all the same.
      assert.equal(status, 503)
      const [version] = JSON.parse(text).model_version_status
      assert.equal(version.state, 'END')
      assert.notEqual(version.status.error_code, 'OK')
      assert.match(version.status.error_message, why)
    })

    it(`${name}: is refused over gRPC, and the other model answers`, async () => {
      using client = openClient(server)
      const inputs = [{ name: 'x', datatype: 'FP32', shape: [1n, 2n], contents: { fp32Contents: [1, 2] } }]
      const seen = [
        await client.call(PredictionService.method.predict, { modelSpec: { name } }),
        await client.call(GRPCInferenceService.method.modelInfer, { modelName: name, inputs }),
      ]
      for (const { status, text } of seen) {
        assert.ok(status === 'NOT_FOUND' || status === 'UNAVAILABLE', status)
        assert.match(text, new RegExp(name))
      }
      const good = await client.call(GRPCInferenceService.method.modelInfer, { modelName: 'good', inputs })
      assert.equal(good.status, 'OK')
      const told = await client.call(ModelService.method.getModelStatus, { modelSpec: { name } })
      assert.match(told.message?.modelVersionStatus[0]?.status?.errorMessage ?? '', why)
    })

    it(`${name}: a client that loads it is told why, and the other model answers`, async () => {
      const [status, text] = await ask(`/v2/repository/models/${name}/load`, {})
      assert.ok(status >= 400)
      assert.match(JSON.parse(text).error, why)
      await checkGood()
    })
  }
})

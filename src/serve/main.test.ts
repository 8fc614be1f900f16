import assert from 'node:assert/strict'
import { symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openGrpcJs } from '../core/grpc/testing/grpc-js.ts'
import { toDouble, toSlow } from './testing/models.ts'
import { openPlace } from './testing/place.ts'
import { ENTRY, startProcess, startProgram } from './testing/process.ts'
import { untilTrue } from './testing/until-true.ts'

const flagsFor = (basePath: string, port = 0): string[] => [
  '--model-name',
  'm',
  '--model-base-path',
  basePath,
  '--host',
  '127.0.0.1',
  '--http-port',
  String(port),
  '--grpc-port',
  '0',
]

/** A port that was free just now. */
async function findPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = Object(server.address())
  await new Promise(resolve => server.close(resolve))
  return port
}

describe('the process of a model server', () => {
  it('tells that it listens, then that it is ready, and ends with 0 after SIGTERM', async () => {
    await using place = await openPlace({ 1: Buffer.from('older'), 12: toDouble() })
    await using server = startProcess(...flagsFor(place.basePath))
    const { port, grpcPort } = await server.until('listening')
    await server.until('ready')
    using client = openGrpcJs(Number(grpcPort))
    assert.equal((await client.call('/grpc.health.v1.Health/Check', new Uint8Array())).messages.length, 1)
    const response = await fetch(`http://127.0.0.1:${port}/v1/models/m/versions/12:predict`, {
      method: 'POST',
      body: '{"instances":[[1,2]]}',
    })
    assert.equal(await response.text(), '{"predictions":[[2.0,4.0]]}')
    server.child.kill('SIGTERM')
    assert.equal(await server.ended, 0)
    assert.deepEqual(
      server.messages.map(message => Object(message).kind),
      ['listening', 'ready'],
    )
  })

  it('finishes what is in flight after SIGTERM, whose answer takes a while, and refuses what comes later', async () => {
    await using place = await openPlace({ 1: toSlow(5) })
    await using server = startProcess(...flagsFor(place.basePath))
    const { port } = await server.until('listening')
    await server.until('ready')
    const url = `http://127.0.0.1:${port}`
    const ask = () => fetch(`${url}/v1/models/m:predict`, { method: 'POST', body: '{"instances":[[1]]}' })
    const asked = ask().then(async response => [response.status, await response.text()])
    // The run takes far longer than what follows; the server answers while it computes.
    await untilTrue(async () => /in_flight 1\b/.test(await (await fetch(`${url}/metrics`)).text()))
    server.child.kill('SIGTERM')
    assert.deepEqual(await asked, [200, '{"predictions":[[1.0]]}'])
    assert.equal(await server.ended, 0)
    await assert.rejects(ask())
  })

  it('takes SIGTERM while it loads', async () => {
    await using place = await openPlace({ 1: toSlow(5) })
    await using server = startProcess(...flagsFor(place.basePath))
    await server.until('listening')
    server.child.kill('SIGTERM')
    assert.equal(await server.ended, 0)
  })

  it('outlives its supervisor', async () => {
    await using place = await openPlace({ 1: toDouble() })
    await using server = startProcess(...flagsFor(place.basePath))
    const { port } = await server.until('listening')
    await server.until('ready')
    server.child.disconnect()
    assert.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200)
    server.child.kill('SIGTERM')
    assert.equal(await server.ended, 0)
  })

  it('tells that it failed, and why', async () => {
    await using place = await openPlace({ 1: Buffer.from('pickle\n') })
    await using server = startProcess(...flagsFor(place.basePath))
    const { code, reason } = await server.until('failed')
    assert.equal(code, 'MODEL_LOAD')
    assert.match(String(reason), /^Cannot load the model: ONNX Runtime says ".*Protobuf parsing failed\."/)
    assert.equal(await server.ended, 1)
    assert.match(server.output(), /^error\[MODEL_LOAD\] .*\n {2}try: Check that the file is a whole ONNX model/m)
    assert.ok(!server.messages.some(message => Object(message).kind === 'ready'))
  })

  it('tells that it failed: a port in use', async () => {
    await using place = await openPlace({ 1: toDouble() })
    const other = createServer()
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    const { port } = Object(other.address())
    await using server = startProcess(...flagsFor(place.basePath, port))
    const failed = await server.until('failed')
    assert.deepEqual([failed['code'], await server.ended], ['PORT_IN_USE', 1])
    other.close()
  })

  it('takes the flags of TensorFlow Serving under its name, and serves the models of a file', async () => {
    await using place = await openPlace({ 1: toDouble() })
    const program = join(place.basePath, 'tensorflow_model_server')
    await symlink(ENTRY, program)
    const file = join(place.basePath, 'models.config')
    const config = `name: "half" base_path: "${place.basePath}" model_platform: "tensorflow"`
    await writeFile(file, `model_config_list { config { ${config} version_labels { key: "stable" value: 1 } } }`)
    const port = await findPort()
    const flags = [`--rest_api_port=${port}`, '--port=0', '--host=127.0.0.1', `--model_config_file=${file}`]
    await using server = startProgram(program, ...flags, '--grpc_max_threads=4')
    await server.until('ready')
    const post = { method: 'POST', body: '{"instances":[[1,2]]}' }
    const response = await fetch(`http://127.0.0.1:${port}/v1/models/half/labels/stable:predict`, post)
    assert.equal(await response.text(), '{"predictions":[[2.0,4.0]]}')
    assert.match(server.output(), /--grpc_max_threads has no effect/)
    server.child.kill('SIGTERM')
    assert.equal(await server.ended, 0)
  })

  it('ends with 2 where a file of models is wrong, and names the place', async () => {
    await using place = await openPlace()
    const file = join(place.basePath, 'models.config')
    await writeFile(file, 'model_config_list {\n  confg {} }')
    await using server = startProcess('--model-config-file', file, '--http-port', '0', '--grpc-port', '0')
    assert.equal((await server.until('failed'))['code'], 'TEXT_PROTO')
    assert.equal(await server.ended, 2)
    assert.match(server.output(), /models\.config:2:3\)\n {2}try: Did you mean "config"\?/)
  })

  it('ends with 2 where its flags are wrong', async () => {
    await using server = startProcess('--nonsense')
    assert.equal((await server.until('failed'))['code'], 'USAGE')
    assert.equal(await server.ended, 2)
  })
})

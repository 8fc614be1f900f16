import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GRPC_CODES } from '../../core/grpc/grpc.ts'
import { ENDS_WITH_ERROR } from '../../tensor/index.ts'
import { GRPCInferenceService, type MessageInitShape, parseMessage, toMessageBytes } from '../../tensor/messages.ts'
import { toPath } from '../front/grpc-method.ts'
import { openGrpcServer } from '../testing/grpc.ts'
import { toDouble, toIdentity, toTwoByTwo } from '../testing/models.ts'
import { toModel } from '../testing/onnx-model.ts'
import { untilTrue } from '../testing/until-true.ts'
import { SERVER_VERSION } from '../version.ts'

const { method } = GRPCInferenceService
type InferInit = Extract<MessageInitShape<typeof method.modelInfer.input>, { $typeName?: never }>

const x = { name: 'x', datatype: 'FP32', shape: [2n, 2n], contents: { fp32Contents: [1, 2, 3, 4] } }
const infer: InferInit = { modelName: 'm', id: 'mine', inputs: [x] }
const bytesOf = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)

describe('GRPCInferenceService', () => {
  it('infers: typed in, typed out', async () => {
    await using server = await openGrpcServer(toDouble())
    const { status, message } = await server.call(method.modelInfer, infer)
    assert.equal(status, 'OK')
    const [y] = message?.outputs ?? []
    assert.deepEqual([message?.modelName, message?.modelVersion, message?.id], ['m', '1', 'mine'])
    assert.deepEqual([y?.name, y?.datatype, y?.shape, y?.contents?.fp32Contents], ['y', 'FP32', [2n, 2n], [2, 4, 6, 8]])
    assert.deepEqual(message?.rawOutputContents, [])
  })

  it('infers: raw in, raw out, with parameters, for a version and the outputs that are wanted', async () => {
    await using server = await openGrpcServer(toTwoByTwo())
    const tensor = (name: string) => ({ name, datatype: 'FP32', shape: [1n, 1n] })
    const { message } = await server.call(method.modelInfer, {
      modelName: 'm',
      modelVersion: '1',
      inputs: [tensor('b'), tensor('a')],
      rawInputContents: [bytesOf(3), bytesOf(5)],
      outputs: [{ name: 'difference' }],
      parameters: { priority: { parameterChoice: { case: 'int64Param', value: 1n } } },
    })
    assert.deepEqual(
      message?.outputs.map(({ name, contents }) => [name, contents]),
      [['difference', undefined]],
    )
    assert.deepEqual(message?.rawOutputContents.map(Buffer.from), [Buffer.from(bytesOf(2))])
  })

  it('gives halves raw, whatever came', async () => {
    await using server = await openGrpcServer(toIdentity('float16', ['n']))
    const { message } = await server.call(method.modelInfer, {
      modelName: 'm',
      inputs: [{ name: 'x', datatype: 'FP16', shape: [1n] }],
      rawInputContents: [Uint8Array.of(0, 0x3c)],
    })
    assert.deepEqual(message?.rawOutputContents.map(Buffer.from), [Buffer.of(0, 0x3c)])
  })

  const wrong: readonly [change: InferInit, status: string, text: RegExp][] = [
    [{ modelName: 'z' }, 'NOT_FOUND', /^Request for unknown model: "z" is not found$/],
    [{ modelVersion: '2' }, 'NOT_FOUND', /"m" version 2 is not found$/],
    [{ modelVersion: 'latest' }, 'NOT_FOUND', /"m" version latest is not found$/],
    [{ inputs: [] }, 'INVALID_ARGUMENT', /^Missing input "x"/],
    [{ inputs: [{ ...x, name: 'z' }] }, 'INVALID_ARGUMENT', /^Unexpected input "z": expected "x"$/],
    [{ inputs: [x, x] }, 'INVALID_ARGUMENT', /^Input "x" stands twice/],
    [{ inputs: [{ ...x, shape: [4n, 1n] }] }, 'INVALID_ARGUMENT', /expected shape \[-1,2\], found \[4,1\]/],
    [{ inputs: [{ ...x, shape: [2n, 3n] }] }, 'INVALID_ARGUMENT', /^Cannot use input "x": /],
    [
      { inputs: [{ ...x, datatype: 'FP64', contents: { fp64Contents: [1, 2, 3, 4] } }] },
      'INVALID_ARGUMENT',
      /expected datatype FP32, found FP64$/,
    ],
    [{ rawInputContents: [bytesOf(1, 2, 3, 4)] }, 'INVALID_ARGUMENT', /must not be specified when using raw_input/],
    [{ outputs: [{ name: 'z' }] }, 'INVALID_ARGUMENT', /^Unexpected output "z": expected "y"$/],
    [
      {
        outputs: [
          { name: 'y', parameters: { classification: { parameterChoice: { case: 'int64Param', value: 1n } } } },
        ],
      },
      'INVALID_ARGUMENT',
      /as a classification/,
    ],
  ]
  it('refuses what it cannot use', async () => {
    await using server = await openGrpcServer(toDouble())
    for (const [change, status, text] of wrong) {
      const ended = await server.call(method.modelInfer, { ...infer, ...change })
      assert.equal(ended.status, status, ended.text)
      assert.match(ended.text, text)
    }
  })

  it('tells of the server and the model', async () => {
    await using server = await openGrpcServer(toDouble())
    assert.equal((await server.call(method.serverLive, {})).message?.live, true)
    assert.equal((await server.call(method.serverReady, {})).message?.ready, true)
    assert.equal((await server.call(method.modelReady, { name: 'm' })).message?.ready, true)
    assert.equal((await server.call(method.modelReady, { name: 'm', version: '2' })).status, 'NOT_FOUND')
    const { message } = await server.call(method.serverMetadata, {})
    assert.deepEqual([message?.name, message?.version], ['regatta', SERVER_VERSION])
    assert.ok(message?.extensions.includes('model_repository'))
    const { message: about } = await server.call(method.modelMetadata, { name: 'm' })
    assert.deepEqual([about?.name, about?.versions, about?.platform], ['m', ['1'], 'onnx_onnxv1'])
    for (const [[spec], name] of [
      [about?.inputs ?? [], 'x'],
      [about?.outputs ?? [], 'y'],
    ] as const)
      assert.deepEqual([spec?.name, spec?.datatype, spec?.shape], [name, 'FP32', [-1n, 2n]])
    assert.equal((await server.call(method.modelMetadata, { name: 'm', version: '2' })).status, 'NOT_FOUND')
  })

  it('tells what versions did', async () => {
    await using server = await openGrpcServer(toDouble())
    await server.call(method.modelInfer, infer)
    for (const request of [{}, { name: 'm' }, { name: 'm', version: '1' }]) {
      const [stats] = (await server.call(method.modelStatistics, request)).message?.modelStats ?? []
      assert.deepEqual([stats?.name, stats?.version, stats?.inferenceCount], ['m', '1', 2n])
      assert.deepEqual([stats?.inferenceStats?.success?.count, stats?.inferenceStats?.cacheHit?.count], [1n, 0n])
    }
    assert.equal((await server.call(method.modelStatistics, { name: 'z' })).status, 'NOT_FOUND')
  })

  it('lists, unloads and loads models where it may', async () => {
    await using server = await openGrpcServer(toDouble(), { allowModelControl: true })
    const index = async (ready = false) =>
      (await server.call(method.repositoryIndex, { ready })).message?.models.map(row => `${row.version} ${row.state}`)
    assert.deepEqual([await index(), await index(true)], [['1 READY'], ['1 READY']])
    assert.equal((await server.call(method.repositoryModelUnload, { modelName: 'm' })).status, 'OK')
    assert.deepEqual([await index(), await index(true)], [['1 UNAVAILABLE'], []])
    assert.equal((await server.call(method.modelReady, { name: 'm' })).message?.ready, false)
    assert.equal((await server.call(method.modelInfer, infer)).status, 'UNAVAILABLE')
    assert.equal((await server.call(method.repositoryModelLoad, { modelName: 'm' })).status, 'OK')
    assert.equal((await server.call(method.modelInfer, infer)).status, 'OK')
    const config = { config: { parameterChoice: { case: 'stringParam', value: '{}' } as const } }
    const ends = [
      await server.call(method.repositoryModelLoad, { modelName: 'm', parameters: config }),
      await server.call(method.repositoryModelUnload, { modelName: 'z' }),
    ]
    assert.deepEqual(
      ends.map(({ status }) => status),
      ['INVALID_ARGUMENT', 'NOT_FOUND'],
    )
  })

  it('lets nobody load and unload where it is not told to', async () => {
    await using server = await openGrpcServer(toDouble())
    const [load, unload] = [
      await server.call(method.repositoryModelLoad, { modelName: 'm' }),
      await server.call(method.repositoryModelUnload, { modelName: 'm' }),
    ]
    assert.deepEqual([load.status, unload.status], ['PERMISSION_DENIED', 'PERMISSION_DENIED'])
  })
})

describe('ModelStreamInfer', () => {
  const PATH = toPath(method.modelStreamInfer)
  const { input, output } = method.modelStreamInfer
  const toBytes = (change: InferInit) => toMessageBytes(input, { ...infer, ...change })
  const read = (messages: readonly Uint8Array[]) => messages.map(bytes => parseMessage(output, bytes))

  it('answers requests in their order, each with its own error, and goes on', async () => {
    await using server = await openGrpcServer(toDouble())
    const chat = server.client.converse(PATH)
    for (let n = 0; n < 200; n += 1)
      chat.send(toBytes({ id: `${n}`, modelName: n % 7 === 3 ? 'z' : 'm', inputs: n % 7 === 5 ? [] : [x] }))
    chat.send(Buffer.of(255, 255))
    chat.end()
    const { code, messages } = await chat.seen
    const answers = read(messages)
    assert.deepEqual([code, answers.length], [0, 201])
    answers.slice(0, 200).forEach(({ errorMessage, inferResponse }, n) => {
      assert.equal(inferResponse?.id, `${n}`)
      const wanted = n % 7 === 3 ? /unknown model: "z"/ : n % 7 === 5 ? /^Missing input "x"/ : /^$/
      assert.match(errorMessage, wanted)
      if (errorMessage === '') assert.deepEqual(inferResponse?.outputs[0]?.contents?.fp32Contents, [2, 4, 6, 8])
    })
    assert.match(answers[200]?.errorMessage ?? '', /./)
    const [stats] = (await server.call(method.modelStatistics, { name: 'm' })).message?.modelStats ?? []
    assert.equal(stats?.inferenceStats?.success?.count, 143n)
  })

  it('answers while the stream is open, and lasts while nothing comes', async () => {
    await using server = await openGrpcServer(toDouble())
    const chat = server.client.converse(PATH)
    for (const id of ['a', 'b']) {
      const before = chat.messages.length
      chat.send(toBytes({ id }))
      await untilTrue(async () => chat.messages.length > before)
    }
    chat.end()
    await chat.seen
    assert.deepEqual(
      read(chat.messages).map(({ inferResponse }) => inferResponse?.id),
      ['a', 'b'],
    )
  })

  it('takes as much room as its requests in work', async () => {
    await using server = await openGrpcServer(toDouble(), { maxInFlight: 2 })
    const chats = Array.from({ length: 5 }, () => server.client.converse(PATH))
    for (const chat of chats) {
      chat.send(toBytes({}))
      await untilTrue(async () => chat.messages.length === 1)
      assert.equal(read(chat.messages)[0]?.errorMessage, '')
    }
    for (const chat of chats) chat.end()
    await Promise.all(chats.map(({ seen }) => seen))
  })

  it('ends with the status of the first error for a client that wants it so', async () => {
    await using server = await openGrpcServer(toDouble())
    const chat = server.client.converse(PATH, { metadata: { [ENDS_WITH_ERROR]: 'true' } })
    for (const modelName of ['m', 'z', 'm']) chat.send(toBytes({ modelName }))
    const { code, details, messages } = await chat.seen
    assert.deepEqual([code, messages.length], [GRPC_CODES.NOT_FOUND, 1])
    assert.match(details, /unknown model: "z"/)
  })

  it('gives no answer that takes more room than all requests may', async () => {
    const expand = toModel({
      nodes: [{ operator: 'Expand', inputs: ['x', 'lengths'], outputs: ['y'] }],
      inputs: [
        { name: 'x', dtype: 'float32', shape: [1] },
        { name: 'lengths', dtype: 'int64', shape: [1] },
      ],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['any'] }],
    })
    await using server = await openGrpcServer(expand, { maxInFlightBytes: 10_000 })
    const chat = server.client.converse(PATH)
    for (const length of [2, 1_000_000, 3]) {
      const lengths = { name: 'lengths', datatype: 'INT64', shape: [1n], contents: { int64Contents: [BigInt(length)] } }
      chat.send(toBytes({ inputs: [{ ...x, shape: [1n], contents: { fp32Contents: [1] } }, lengths] }))
    }
    chat.end()
    const answers = read((await chat.seen).messages)
    assert.deepEqual(
      answers.map(({ inferResponse }) => inferResponse?.outputs[0]?.shape[0]),
      [2n, undefined, 3n],
    )
    assert.match(answers[1]?.errorMessage ?? '', /^The server is busy/)
  })

  it('ends when the server stops, after what it has begun', async () => {
    await using server = await openGrpcServer(toDouble())
    const chat = server.client.converse(PATH)
    chat.send(toBytes({}))
    await untilTrue(async () => chat.messages.length === 1)
    server.stop()
    const { code, details } = await chat.seen
    assert.deepEqual([code, details], [14, 'The server is stopping'])
    await server.closed
  })

  it('ends with its client', async () => {
    await using server = await openGrpcServer(toDouble())
    const chat = server.client.converse(PATH)
    chat.send(toBytes({}))
    await untilTrue(async () => chat.messages.length === 1)
    chat.cancel()
    assert.equal((await chat.seen).code, 1)
    assert.equal((await server.call(method.modelInfer, infer)).status, 'OK')
  })
})

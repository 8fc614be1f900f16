import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { GRPC_CODES } from '../../core/grpc/grpc.ts'
import { toJsonResponse } from '../../core/http/http.ts'
import { listenHttp } from '../../core/http/server.node.ts'
import { openTraceExporter } from '../../core/otlp.node.ts'
import { parseTraceSettings } from '../../core/otlp.ts'
import { GRPCInferenceService } from '../../tensor/messages.ts'
import { WARM_UP_FILES } from '../engine/warm-up-requests.node.ts'
import { startServer, toSingleModel } from '../index.ts'
import { openGrpcServer } from '../testing/grpc.ts'
import { toDouble, toGather, toIdentity, toMixing, toMlp, toSlow, toTwoByTwo } from '../testing/models.ts'
import { openPlace, openServer } from '../testing/place.ts'
import { toPredictRecord } from '../testing/tf-record.ts'

const PREDICT = '/v1/models/m:predict'
const INFER = '/v2/models/m/infer'
/** So long a batch waits that all requests of a test find it, unless it is whole before. */
const batching = (maxRows: number) => ({ batching: { maxRows, maxDelayMs: 500 } })

/** `name{labels} value` of a page of metrics. */
function toValue(text: string, line: RegExp): number {
  const found = text.split('\n').find(one => line.test(one))
  return Number(found?.split(' ').at(-1) ?? Number.NaN)
}

type TestServer = Awaited<ReturnType<typeof openServer>>

async function countRuns(server: TestServer): Promise<{ runs: number; rows: number; failures: number }> {
  const { text } = await server.ask('/metrics')
  return {
    runs: toValue(text, /^regatta_server_batch_rows_count/),
    rows: toValue(text, /^regatta_server_batch_rows_sum/),
    failures: toValue(text, /^regatta_server_inference_errors_total/),
  }
}

describe('a model server that gathers requests', () => {
  it('runs them together, and gives each its own rows', async () => {
    await using server = await openServer(toDouble(), batching(6))
    const answers = await Promise.all(
      [[1], [2, 3], [4], [5, 6]].map(rows => server.ask(PREDICT, { instances: rows.map(value => [value, -value]) })),
    )
    assert.deepEqual(
      answers.map(({ text }) => text),
      [
        '{"predictions":[[2.0,-2.0]]}',
        '{"predictions":[[4.0,-4.0],[6.0,-6.0]]}',
        '{"predictions":[[8.0,-8.0]]}',
        '{"predictions":[[10.0,-10.0],[12.0,-12.0]]}',
      ],
    )
    assert.deepEqual(await countRuns(server), { runs: 1, rows: 6, failures: 0 })
  })

  it('keeps requests for other outputs and of other lengths apart', async () => {
    await using two = await openServer(toTwoByTwo(), batching(2))
    const body = (outputs: string[]) => ({
      inputs: ['a', 'b'].map(name => ({ name, shape: [1, 1], datatype: 'FP32', data: [name === 'a' ? 5 : 3] })),
      outputs: outputs.map(name => ({ name })),
    })
    const asked = [['sum'], ['difference'], ['difference', 'sum'], ['sum'], ['difference'], ['sum', 'difference']]
    const answers = await Promise.all(asked.map(outputs => two.ask(INFER, body(outputs))))
    for (const [at, { text }] of answers.entries()) {
      const { outputs } = JSON.parse(text)
      assert.deepEqual(
        outputs.map((one: { name: string; data: number[] }) => [one.name, one.data]),
        asked[at]?.map(name => [name, [name === 'sum' ? 8 : 2]]),
      )
    }
    assert.deepEqual((await countRuns(two)).runs, 3)

    await using free = await openServer(toIdentity('float32', ['batch', 'n']), batching(2))
    const lists = [[1], [1, 2], [3], [3, 4]]
    const echoed = await Promise.all(lists.map(list => free.ask(PREDICT, { instances: [list] })))
    assert.deepEqual(
      echoed.map(({ text }) => JSON.parse(text).predictions[0]),
      lists,
    )
    assert.deepEqual((await countRuns(free)).runs, 2)
  })

  it('gives an error to whom it belongs alone', async () => {
    await using server = await openServer(toGather(), batching(3))
    const answers = await Promise.all([0, 9, 2].map(place => server.ask(PREDICT, { instances: [place] })))
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 400, 200],
    )
    assert.deepEqual([answers[0]?.text, answers[2]?.text], ['{"predictions":[10.0]}', '{"predictions":[30.0]}'])
    assert.match(answers[1]?.text ?? '', /idx=9/)
    assert.deepEqual(await countRuns(server), { runs: 2, rows: 2, failures: 2 })
  })

  it('runs a model singly whose rows depend on each other', async () => {
    await using server = await openServer(toMixing(), batching(3))
    const answers = await Promise.all([1, 2, 3].map(value => server.ask(PREDICT, { instances: [[value, value]] })))
    assert.ok(answers.every(({ text }) => text === '{"predictions":[[0.0,0.0]]}'))
    assert.deepEqual((await countRuns(server)).runs, 3)
  })

  it('answers alike, gathered or not', async () => {
    await using gathered = await openServer(toMlp(), batching(8))
    await using single = await openServer(toMlp(), { batching: { maxRows: 1 } })
    const bodies = Array.from({ length: 8 }, (_, at) => ({ instances: [[at, 1, -at, 0.5]] }))
    const ask = (server: TestServer) =>
      Promise.all(bodies.map(async body => JSON.parse((await server.ask(PREDICT, body)).text).predictions.flat()))
    const [together, alone] = [await ask(gathered), await ask(single)]
    assert.equal(together.length, 8)
    for (const [at, row] of together.entries())
      for (const [index, value] of row.entries()) assert.ok(Math.abs(value - alone[at][index]) < 1e-5)
    assert.deepEqual([(await countRuns(gathered)).runs, (await countRuns(single)).runs], [1, 8])
  })

  it('refuses a request whose tensors would take too much', async () => {
    await using server = await openServer(toDouble(), { maxRunBytes: 64 })
    assert.equal((await server.ask(PREDICT, { instances: new Array(4).fill([1, 2]) })).status, 200)
    const { status, text } = await server.ask(PREDICT, { instances: new Array(5).fill([1, 2]) })
    assert.equal(status, 400)
    assert.match(text, /take 80 bytes, above the limit of 64; send fewer rows at once/)
  })

  it('refuses wrong bounds', async () => {
    for (const wrong of [{ maxRows: 0 }, { maxRows: 1.5 }, { maxDelayMs: -1 }, { maxDelayMs: Number.NaN }])
      await assert.rejects(openServer(toDouble(), { batching: wrong }), { code: 'BATCHING' })
  })
})

describe('a model server with warm-up requests', () => {
  const start = async (model: Uint8Array, file: keyof typeof WARM_UP_FILES, content: string | Uint8Array) => {
    const place = await openPlace({ 1: model })
    await mkdir(join(place.basePath, '1', 'assets.extra'))
    await writeFile(join(place.basePath, '1', WARM_UP_FILES[file]), content)
    const stop = new AbortController()
    try {
      const options = { models: [toSingleModel('m', place.basePath)], httpPort: 0 }
      const server = await startServer(options, stop.signal)
      const page = await (await fetch(`${server.url}/monitoring/prometheus/metrics`)).text()
      stop.abort()
      await server.closed
      return page
    } finally {
      await place[Symbol.asyncDispose]()
    }
  }
  const toBody = (place: number) => ({ inputs: [{ name: 'x', shape: [1], datatype: 'INT64', data: [place] }] })
  const toBodies = (...places: number[]): string => JSON.stringify(places.map(toBody))
  const countWarmUps = (page: string): number =>
    toValue(page, /^:tensorflow:serving:model_warmup_records_read{model_path="[^"]*",status="OK"}/)

  it('runs them before it is ready', async () => {
    assert.equal(countWarmUps(await start(toGather(), 'json', toBodies(1, 2))), 2)
    const records = Buffer.concat([toPredictRecord(1, 2), toPredictRecord(3, 2), toPredictRecord(5, 2)])
    assert.equal(countWarmUps(await start(toDouble(), 'tfs', records)), 3)
  })

  it('does not start where one fails, or does not fit', async () => {
    const tries: readonly [...Parameters<typeof start>, message: RegExp][] = [
      [toGather(), 'json', toBodies(1, 7), /idx=7.*\(.*1\/warmup\.json, request 2\)$/s],
      [toDouble(), 'json', toBodies(1), /expected datatype FP32/],
      [toDouble(), 'tfs', toPredictRecord(1, 3), /expected shape \[-1,2\], found \[1,3\] \(.*requests, request 1\)$/],
      [toGather(), 'tfs', toPredictRecord(1), /expected datatype DT_INT64, found DT_FLOAT/],
    ]
    for (const [model, file, content, message] of tries)
      await assert.rejects(start(model, file, content), { code: 'MODEL_WARM_UP', message })
  })
})

interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly attributes: readonly { readonly key: string; readonly value: unknown }[]
}

describe('a model server that is traced', () => {
  const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
  const CALL_TRACE = 'c'.repeat(32)
  const PARENT = '00f067aa0ba902b7'

  it('sends the spans of sampled requests, and names their trace as an example', async () => {
    const spans: Span[] = []
    await using collector = await listenHttp(
      ({ body }) => {
        spans.push(...JSON.parse(Buffer.from(body).toString()).resourceSpans[0].scopeSpans[0].spans)
        return toJsonResponse(200, {})
      },
      { port: 0 },
    )
    const settings = parseTraceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }, 'test')
    assert.ok(settings)
    const traces = openTraceExporter(settings)
    await using server = await openGrpcServer(toDouble(), { traces })
    const ask = (flags: string) =>
      server.ask(PREDICT, { instances: [[1, 2]] }, { headers: { traceparent: `00-${TRACE}-${PARENT}-${flags}` } })
    await ask('00')
    await ask('01')
    await server.ask(PREDICT, 'nonsense')
    await server.ask('/readyz', undefined, { headers: { traceparent: `00-${TRACE}-${PARENT}-01` } })
    const traceparent = `00-${CALL_TRACE}-${PARENT}-01`
    await server.call(GRPCInferenceService.method.modelInfer, { modelName: 'z' }, { metadata: { traceparent } })
    await traces[Symbol.asyncDispose]()
    const traced = spans.filter(({ traceId }) => traceId === TRACE)
    const request = traced.find(({ parentSpanId }) => parentSpanId === PARENT)
    assert.deepEqual(
      traced.map(({ name, parentSpanId }) => [name, parentSpanId]),
      [
        ['queue', request?.spanId],
        ['infer', request?.spanId],
        ['POST tfs', PARENT],
      ],
    )
    const others = spans.filter(({ traceId }) => traceId !== TRACE)
    assert.deepEqual(
      others.map(({ name, parentSpanId }) => [name, parentSpanId]),
      [
        ['POST tfs', undefined],
        ['inference.GRPCInferenceService/ModelInfer', PARENT],
      ],
    )
    const [, call] = others
    const code = call?.attributes.find(({ key }) => key === 'rpc.grpc.status_code')
    assert.deepEqual([call?.traceId, code?.value], [CALL_TRACE, { intValue: String(GRPC_CODES.NOT_FOUND) }])
    const { text } = await server.ask('/metrics', undefined, { headers: { accept: 'application/openmetrics-text' } })
    assert.ok(text.includes(`trace_id="${TRACE}"`))
    assert.match(text, /\nregatta_server_spans_total{result="sent"} 5\n/)
  })
})

describe('a model server whose runs are long', () => {
  it('uses as many threads as it is told to', async () => {
    await using server = await openServer(toSlow(6), { engineThreads: 2 })
    const ask = () => server.ask(PREDICT, { instances: [[1]] })
    const answers = await Promise.all(Array.from({ length: 6 }, ask))
    assert.ok(answers.every(({ text }) => text === '{"predictions":[[1.0]]}'))
    assert.deepEqual((await countRuns(server)).runs, 6)
  })
})

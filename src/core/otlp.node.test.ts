import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type HttpRequest, toJsonResponse } from './http/http.ts'
import { listenHttp } from './http/server.node.ts'
import { openTraceExporter, type TraceExporter } from './otlp.node.ts'
import { parseTraceSettings, type Span } from './otlp.ts'

const SPAN: Span = {
  context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), isSampled: true },
  parentId: undefined,
  name: 'predict',
  kind: 'server',
  startAt: 1,
  endAt: 2,
  attributes: {},
}

/** A collector that keeps what it gets, and an exporter that sends there. */
async function openCollector(
  answer: (request: HttpRequest) => Promise<number>,
  { onFailure, timeoutMs = 60_000 }: { onFailure?: (text: string) => void; timeoutMs?: number } = {},
) {
  const received: HttpRequest[] = []
  const http = await listenHttp(
    async request => {
      received.push(request)
      return toJsonResponse(await answer(request), {})
    },
    { port: 0 },
  )
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: http.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=1',
    OTEL_EXPORTER_OTLP_TIMEOUT: String(timeoutMs),
  }
  const settings = parseTraceSettings(env, 'test')
  assert.ok(settings)
  return {
    http,
    received,
    exporter: openTraceExporter(settings, onFailure),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  }
}

const countSpans = ({ body }: HttpRequest): number =>
  JSON.parse(Buffer.from(body).toString()).resourceSpans[0].scopeSpans[0].spans.length
const addMany = (exporter: TraceExporter, count: number): void => {
  for (let at = 0; at < count; at += 1) exporter.add(SPAN)
}

describe('openTraceExporter()', () => {
  it('sends a batch once it is whole, and the rest at its end', async () => {
    await using collector = await openCollector(async () => 200)
    addMany(collector.exporter, 600)
    await collector.exporter[Symbol.asyncDispose]()
    const [first, second] = collector.received
    assert.deepEqual(collector.received.map(countSpans), [512, 88])
    assert.deepEqual([first?.method, first?.path, first?.headers['x-key']], ['POST', '/v1/traces', '1'])
    assert.equal(second?.headers['content-type'], 'application/json')
    assert.deepEqual(collector.exporter.counts, { sent: 600, dropped: 0, failed: 0 })
  })

  it('drops what it has no room for while the collector is slow, and counts it', async () => {
    const slow = Promise.withResolvers<number>()
    await using collector = await openCollector(() => slow.promise)
    addMany(collector.exporter, 512 + 2048 + 10)
    assert.equal(collector.exporter.counts.dropped, 10)
    slow.resolve(200)
    await collector.exporter[Symbol.asyncDispose]()
    assert.deepEqual(collector.exporter.counts, { sent: 2560, dropped: 10, failed: 0 })
  })

  it('tells of a collector that refuses once, and goes on', async () => {
    const failures: string[] = []
    let status = 503
    await using collector = await openCollector(async () => status, { onFailure: text => failures.push(text) })
    const { exporter } = collector
    addMany(exporter, 1024)
    await exporter[Symbol.asyncDispose]()
    assert.deepEqual(exporter.counts, { sent: 0, dropped: 0, failed: 1024 })
    assert.deepEqual(failures, [`Cannot send traces to ${collector.http.url}: the collector answered 503`])
    status = 200
    exporter.add(SPAN)
    await exporter[Symbol.asyncDispose]()
    assert.equal(exporter.counts.sent, 1)
  })

  it('ends in time where the collector never answers', async () => {
    const never = Promise.withResolvers<number>()
    await using collector = await openCollector(() => never.promise, { timeoutMs: 500 })
    collector.exporter.add(SPAN)
    const startedAt = performance.now()
    await collector.exporter[Symbol.asyncDispose]()
    assert.ok(performance.now() - startedAt < 30_000)
    assert.equal(collector.exporter.counts.failed, 1)
  })
})

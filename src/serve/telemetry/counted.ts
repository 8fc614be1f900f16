import type { HttpHandler, HttpRequest } from '../../core/http/http.ts'
import type { TraceExporter } from '../../core/otlp.node.ts'
import type { Attributes } from '../../core/otlp.ts'
import { isPrediction, toProtocol } from '../front/handler.ts'
import { type Call, runCall } from './call.ts'
import type { ServerMetrics } from './metrics.ts'
import type { Protocol } from './protocols.ts'
import type { Family } from './text.ts'
import type { Tracer } from './tracing.ts'

/** Who counts requests, and who traces them. */
export interface Counting {
  readonly metrics: Pick<ServerMetrics, 'onRequest'>
  readonly tracer: Tracer
}

/** What is known of a request before it is answered. */
export interface CountedRequest {
  readonly protocol: Protocol
  /** Only predictions are traced, and counted for their version. */
  readonly isPrediction: boolean
  /** The header of that name, by which the caller's trace goes on. */
  readonly traceparent: string | undefined
  /** What its trace calls it, where it has one. */
  readonly toName: () => string
}

/** How a request ended. */
export interface RequestEnd {
  /** HTTP's, whatever the protocol. */
  readonly status: number
  /** For its trace, where it has one. */
  readonly toAttributes: () => Attributes
  /** What the server could not do. */
  readonly error: string | undefined
}

/** Does the work of a request: counts, times and traces it. */
export async function runCounted<result>(
  { metrics, tracer }: Counting,
  { protocol, isPrediction, traceparent, toName }: CountedRequest,
  work: () => Promise<result> | result,
  toEnd: (result: result) => RequestEnd,
): Promise<result> {
  const startedAt = performance.now()
  const trace = isPrediction ? tracer.begin(traceparent) : undefined
  const call: Call = { protocol, trace, metrics: undefined }
  const result = isPrediction ? await runCall(call, work) : await work()
  const endedAt = performance.now()
  const { status, toAttributes, error } = toEnd(result)
  const counted = call.metrics ?? metrics
  counted.onRequest(protocol, status, endedAt - startedAt, trace?.traceId)
  trace?.end(toName(), startedAt, endedAt, toAttributes(), error)
  return result
}

/** Counts and times the answers over HTTP, and traces predictions. */
export function toCountedHandler(handler: HttpHandler, counting: Counting): HttpHandler {
  return request => {
    const protocol = toProtocol(request.path)
    return runCounted(
      counting,
      {
        protocol,
        isPrediction: isPrediction(request.path),
        traceparent: request.headers['traceparent'],
        toName: () => `${request.method} ${protocol}`,
      },
      () => handler(request),
      ({ status }) => toHttpEnd(request, status),
    )
  }
}

/** Attributes are those of OpenTelemetry's semantic conventions for HTTP servers. */
function toHttpEnd({ method, path }: HttpRequest, status: number): RequestEnd {
  return {
    status,
    toAttributes: () => ({ 'http.request.method': method, 'url.path': path, 'http.response.status_code': status }),
    error: status < 500 ? undefined : `HTTP ${status}`,
  }
}

/** What became of the spans of traces. */
export function toTraceFamilies(traces: TraceExporter | undefined): readonly Family[] {
  if (traces === undefined) return []
  const series = Object.entries(traces.counts).map(([result, value]) => ({ labels: { result }, value }))
  return [
    { name: 'regatta_server_spans_total', help: 'Spans of traces by what became of them', kind: 'counter', series },
  ]
}

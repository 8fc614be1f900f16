import { HTTP_STATUSES } from '../core/grpc/http-status.ts'
import type { GatewayMetrics, Wire } from './metrics.ts'

/** The name of gRPC for a status of HTTP, as TensorFlow Serving counts it (tensorflow_serving/util/net_http). */
const NAMES = new Map<number, string>([
  ...Object.entries(HTTP_STATUSES).map(([name, status]) => [status, name] as const),
  // Several have these.
  [400, 'INVALID_ARGUMENT'],
  [500, 'INTERNAL'],
])
const ENTRYPOINTS: Readonly<Record<Wire, string>> = { http: 'REST', grpc: 'GRPC' }
const COUNT = ':tensorflow:serving:request_count'
const LATENCY = ':tensorflow:serving:request_latency'

/**
 * What the gateway counts, under the names that TensorFlow Serving has for it (servables/tensorflow/util.cc), all variants
 * of the model together: answers by status, and the time for a prediction in microseconds. What only a model server
 * knows, such as its batches, is on the pages of the replicas.
 */
export async function toTfsPage(
  { requests, seconds }: Pick<GatewayMetrics, 'requests' | 'seconds'>,
  modelName: string,
): Promise<string> {
  const counts = new Map<string, number>()
  for (const { labels, value } of (await requests.get()).values)
    add(counts, `${COUNT}{model_name="${modelName}",status="${toName(String(labels.status))}"}`, value)
  const latencies = new Map<string, number>()
  for (const { labels, value, metricName = '' } of (await seconds.get()).values) {
    const { le, protocol } = labels as { readonly le?: number | string; readonly protocol: Wire }
    const part = metricName.slice(metricName.lastIndexOf('_'))
    const bound = le === undefined ? '' : `,le="${le === '+Inf' ? le : toMicros(Number(le))}"`
    const names = `model_name="${modelName}",API="predict",entrypoint="${ENTRYPOINTS[protocol]}"${bound}`
    add(latencies, `${LATENCY}${part}{${names}}`, part === '_sum' ? toMicros(value) : value)
  }
  return [...toFamily(COUNT, 'counter', counts), ...toFamily(LATENCY, 'histogram', latencies), ''].join('\n')
}

function toFamily(name: string, kind: string, series: ReadonlyMap<string, number>): readonly string[] {
  return [`# TYPE ${name} ${kind}`, ...[...series].map(([text, value]) => `${text} ${value}`)]
}

function add(series: Map<string, number>, name: string, value: number): void {
  series.set(name, (series.get(name) ?? 0) + value)
}

/** Answers over gRPC are counted by the names of their statuses already. */
function toName(status: string): string {
  return /^\d/.test(status) ? (NAMES.get(Number(status)) ?? (status < '5' ? 'INVALID_ARGUMENT' : 'INTERNAL')) : status
}

function toMicros(seconds: number): number {
  return Math.round(seconds * 1e6)
}

import { type Histogram, toExponentialBounds, toHistogram } from '../telemetry/histogram.ts'
import { PROTOCOLS, type Protocol } from '../telemetry/protocols.ts'
import type { Family, Labels, Series } from '../telemetry/text.ts'

/**
 * What TensorFlow Serving counts of one model, all its versions together, so that boards made for it go on. Names and
 * kinds are those of tensorflow_serving/servables/tensorflow/util.cc and batching/batching_session.cc.
 */
export interface TfsMetrics {
  /** `status` is HTTP's; only what succeeded is timed. */
  onRequest(protocol: Protocol, status: number, tookMs: number): void
  onRun(): void
  onInferred(protocol: Protocol, rows: number, queueMs: number, inferMs: number): void
  /** Runs of the model's own warm-up requests, or of zeros where it has none. */
  onWarmUp(path: string, records: number, tookMs: number): void
  /** Every family with this model's series, in the same order for every model. */
  read(): readonly Family[]
}

/** util.cc: microseconds, from 10 on in 33 steps of 1.8. */
const LATENCY_US = toExponentialBounds(10, 1.8, 33)
/** util.cc: examples of a request, from 1 on in 15 steps of 2. */
const EXAMPLES = toExponentialBounds(1, 2, 15)

/** gRPC's name of each HTTP status that this server answers with (tensorflow_serving/util/net_http and P2). */
const STATUSES: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'INVALID_ARGUMENT',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

/** Starts to count for one model. */
export function toTfsMetrics(modelName: string, now: () => number): TfsMetrics {
  const statuses = new Map<string, number>()
  const latencies = new Map<Protocol, { readonly request: Histogram; readonly runtime: Histogram }>()
  const examples = toHistogram(EXAMPLES, now)
  const queuing = toHistogram(LATENCY_US, now)
  const warmUp = { path: '', records: 0, latency: toHistogram(LATENCY_US, now) }
  let exampleCount = 0
  let runs = 0
  const latencyOf = (protocol: Protocol) => {
    const found = latencies.get(protocol) ?? {
      request: toHistogram(LATENCY_US, now),
      runtime: toHistogram(LATENCY_US, now),
    }
    latencies.set(protocol, found)
    return found
  }
  return {
    onRequest(protocol, status, tookMs) {
      const name = STATUSES[status] ?? (status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL')
      statuses.set(name, (statuses.get(name) ?? 0) + 1)
      if (status === 200) latencyOf(protocol).request.observe(tookMs * 1000)
    },
    onRun() {
      runs += 1
    },
    onInferred(protocol, rows, queueMs, inferMs) {
      exampleCount += rows
      examples.observe(rows)
      queuing.observe(queueMs * 1000)
      latencyOf(protocol).runtime.observe(inferMs * 1000)
    },
    onWarmUp(path, records, tookMs) {
      warmUp.path = path
      warmUp.records += records
      warmUp.latency.observe(tookMs * 1000)
    },
    read() {
      const model = { model_name: modelName }
      const warmUpLabels = { model_path: warmUp.path, status: 'OK' }
      const byProtocol = [...latencies].map(([protocol, of]) => ({ ...of, ...PROTOCOLS[protocol] }))
      return [
        family(
          'request_count',
          'counter',
          [...statuses].map(([status, value]) => ({ labels: { ...model, status }, value })),
        ),
        family(
          'request_latency',
          'histogram',
          byProtocol.map(({ request, api, entrypoint }) => toSeries({ ...model, API: api, entrypoint }, request)),
        ),
        family(
          'runtime_latency',
          'histogram',
          byProtocol.map(({ runtime, api }) => toSeries({ ...model, API: api, runtime: 'ONNXRuntime' }, runtime)),
        ),
        family('request_example_counts', 'histogram', [toSeries({ model: modelName }, examples)]),
        family('request_example_count_total', 'counter', [{ labels: { model: modelName }, value: exampleCount }]),
        family('batching_session:queuing_latency', 'histogram', [toSeries({ thread_pool_name: modelName }, queuing)]),
        family('batching_session:wrapped_run_count', 'counter', [{ labels: model, value: runs }]),
        family('model_warmup_latency', 'histogram', [toSeries(warmUpLabels, warmUp.latency)]),
        family('model_warmup_records_read', 'counter', [{ labels: warmUpLabels, value: warmUp.records }]),
      ]
    },
  }
}

function family(name: string, kind: Family['kind'], series: readonly Series[]): Family {
  return { name: `:tensorflow:serving:${name}`, kind, series }
}

function toSeries(labels: Labels, histogram: Histogram): Series {
  return { labels, value: histogram.read() }
}

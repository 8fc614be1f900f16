import { type Histogram, toHistogram } from './histogram.ts'
import type { Protocol } from './protocols.ts'
import type { Family, Labels } from './text.ts'

// From a tenth of a millisecond (a small model, on this machine) to the longest that clients wait.
/** Bounds of every duration, seconds. */
export const SECONDS = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]

/** What is counted of requests by their protocol: those for one version of a model, or those for none. */
export interface RequestMetrics {
  onRequest(protocol: Protocol, status: number, tookMs: number, traceId?: string): void
  onQueued(protocol: Protocol, queueMs: number, traceId?: string): void
  read(): readonly Family[]
}

interface ProtocolSeries {
  readonly statuses: Map<number, number>
  readonly request: Histogram
  readonly queue: Histogram
}

/** Starts to count requests, under labels that tell whose they are. */
export function toRequestMetrics(labels: Labels, now: () => number): RequestMetrics {
  const protocols = new Map<Protocol, ProtocolSeries>()
  const seriesOf = (protocol: Protocol): ProtocolSeries => {
    const found = protocols.get(protocol)
    if (found !== undefined) return found
    const series = { statuses: new Map(), request: toHistogram(SECONDS, now), queue: toHistogram(SECONDS, now) }
    protocols.set(protocol, series)
    return series
  }
  return {
    onRequest(protocol, status, tookMs, traceId) {
      const { statuses, request } = seriesOf(protocol)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      request.observe(tookMs / 1000, traceId)
    },
    onQueued: (protocol, queueMs, traceId) => seriesOf(protocol).queue.observe(queueMs / 1000, traceId),
    read() {
      const found = [...protocols].map(([protocol, series]) => ({ labels: { protocol, ...labels }, ...series }))
      return [
        {
          name: 'regatta_server_requests_total',
          help: 'Answers to clients',
          kind: 'counter',
          series: found.flatMap(({ labels: { protocol, ...others }, statuses }) =>
            [...statuses].map(([status, value]) => ({
              labels: { protocol, status: String(status), ...others },
              value,
            })),
          ),
        },
        {
          name: 'regatta_server_request_seconds',
          help: 'From the whole request to its answer',
          kind: 'histogram',
          series: found.map(({ labels, request }) => ({ labels, value: request.read() })),
        },
        {
          name: 'regatta_server_queue_seconds',
          help: "From a request's arrival at the engine to its run",
          kind: 'histogram',
          series: found.map(({ labels, queue }) => ({ labels, value: queue.read() })),
        },
      ]
    },
  }
}

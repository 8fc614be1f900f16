import type { BatchRun, Inferred } from '../batch/batch-run.ts'
import { type TfsMetrics, toTfsMetrics } from '../tfs/metrics.ts'
import type { Protocol } from './protocols.ts'
import { toRequestMetrics } from './requests.ts'
import { toRunMetrics } from './runs.ts'
import { type ModelStatistics, toStatisticsCounter } from './statistics.ts'
import { type Family, type MetricsPage, mergeFamilies, toMetricsPage } from './text.ts'

/** What a model server counts. */
export interface ServerMetrics {
  /** Counts an answer that no model had a part in; `status` is HTTP's. */
  onRequest(protocol: Protocol, status: number, tookMs: number): void
  /** Starts to count for a version of a model; `waiting` tells how many requests wait for it. */
  openVersion(modelName: string, version: number, waiting: () => number): VersionMetrics
  /** The page `/metrics`, in the format that the reader's `Accept` header asks for. Times are in seconds. */
  print(accept?: string): MetricsPage
  /** The page `/monitoring/prometheus/metrics`, under TensorFlow Serving's names. */
  printTfs(): MetricsPage
}

/** What is counted of one version of a model. A trace's id makes an exemplar; disposal ends its series. */
export interface VersionMetrics extends Disposable {
  /** A request that was answered, well or not; from when it was whole. `status` is HTTP's. */
  onRequest(protocol: Protocol, status: number, tookMs: number, traceId?: string): void
  /** A request that was inferred; from its arrival at the engine. */
  onInferred(request: InferredRequest): void
  /** A request whose inference failed or was refused. */
  onFailed(tookMs: number): void
  onRun(run: BatchRun): void
  onRunFailure(): void
  /** So many warm-up requests of a file were run. */
  onWarmUp(path: string, records: number, tookMs: number): void
  statistics(): ModelStatistics
}

/** A request that was inferred, well. */
export interface InferredRequest extends Pick<Inferred, 'run'> {
  readonly protocol: Protocol
  readonly rows: number
  readonly tookMs: number
  readonly queueMs: number
  readonly traceId: string | undefined
}

/** What is read when somebody looks. */
export interface ServerGauges {
  readonly inFlight: () => number
  readonly isReady: () => boolean
  /** Families of whoever else counts. */
  readonly more: () => readonly Family[]
}

/** Makes the metrics of one server. `now` tells epoch ms. */
export function toMetrics(gauges: ServerGauges, now: () => number): ServerMetrics {
  const nobody = toRequestMetrics({}, now)
  const versions = new Set<() => readonly Family[]>()
  const tfs = new Map<string, TfsMetrics>()
  return {
    onRequest: nobody.onRequest,
    openVersion(modelName, version, waiting) {
      const shared = tfs.get(modelName) ?? toTfsMetrics(modelName, now)
      tfs.set(modelName, shared)
      const labels = { model: modelName, version: String(version) }
      const requests = toRequestMetrics(labels, now)
      const runs = toRunMetrics(labels, waiting, now)
      const read = (): readonly Family[] => [...requests.read(), ...runs.read()]
      versions.add(read)
      return toVersionMetrics({ requests, runs, tfs: shared, now, end: () => void versions.delete(read) })
    },
    print(accept) {
      const counted = mergeFamilies([...nobody.read(), ...[...versions].flatMap(read => read())])
      return toMetricsPage([...toGauges(gauges), ...counted, ...gauges.more()], accept)
    },
    printTfs: () => toMetricsPage(mergeFamilies([...tfs.values()].flatMap(model => model.read()))),
  }
}

function toVersionMetrics(parts: {
  readonly requests: ReturnType<typeof toRequestMetrics>
  readonly runs: ReturnType<typeof toRunMetrics>
  readonly tfs: TfsMetrics
  readonly now: () => number
  readonly end: () => void
}): VersionMetrics {
  const { requests, runs, tfs, now } = parts
  const counter = toStatisticsCounter()
  return {
    onRequest(protocol, status, tookMs, traceId) {
      requests.onRequest(protocol, status, tookMs, traceId)
      tfs.onRequest(protocol, status, tookMs)
    },
    onInferred({ protocol, rows, tookMs, queueMs, run, traceId }) {
      counter.onSuccess(tookMs, queueMs, run)
      requests.onQueued(protocol, queueMs, traceId)
      tfs.onInferred(protocol, rows, queueMs, run.splitAt - run.inferAt)
    },
    onFailed: counter.onFail,
    onRun(run) {
      counter.onRun(run, now())
      runs.onRun(run)
      tfs.onRun()
    },
    onRunFailure: runs.onRunFailure,
    onWarmUp: tfs.onWarmUp,
    statistics: counter.read,
    [Symbol.dispose]: parts.end,
  }
}

function toGauges({ inFlight, isReady }: ServerGauges): readonly Family[] {
  return [
    {
      name: 'regatta_server_in_flight',
      help: 'Requests being received or answered',
      kind: 'gauge',
      series: [{ labels: {}, value: inFlight() }],
    },
    {
      name: 'regatta_server_ready',
      help: '1 while predictions are taken',
      kind: 'gauge',
      series: [{ labels: {}, value: Number(isReady()) }],
    },
  ]
}

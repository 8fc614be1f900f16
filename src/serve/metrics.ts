import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What a model server counts; `/metrics` prints it. Times are in seconds, as Prometheus wants. */
export interface ServerMetrics {
  readonly registry: Registry
  /** `model` is empty where a request named none that is served. */
  readonly requests: Counter<'protocol' | 'status' | 'model'>
  readonly seconds: Histogram<'protocol' | 'model'>
  readonly inferenceSeconds: Histogram<VersionLabel>
  readonly inferenceRows: Counter<VersionLabel>
  readonly inferenceErrors: Counter<VersionLabel>
}

type VersionLabel = 'model' | 'version'

/** What is counted of one version. */
export interface VersionMetrics {
  readonly inferenceSeconds: Pick<Histogram.Internal<VersionLabel>, 'observe'>
  readonly inferenceRows: Pick<Counter.Internal, 'inc'>
  readonly inferenceErrors: Pick<Counter.Internal, 'inc'>
  /** Forgets them: the version is gone. */
  remove(): void
}

/** What is read when somebody looks. */
export interface ServerGauges {
  readonly waiting: () => number
  readonly inFlight: () => number
  readonly isReady: () => boolean
}

const VERSION_LABELS = ['model', 'version'] as const
// From a tenth of a millisecond (a small model, on this machine) to the longest that clients wait.
const BUCKETS = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]

/** Makes the metrics of one server, in a registry of its own. */
export function toMetrics(gauges: ServerGauges): ServerMetrics {
  const registry = new Registry()
  const registers = [registry]
  const histogram = <label extends string>(name: string, help: string, labelNames: readonly label[]) =>
    new Histogram({ name: `regatta_server_${name}`, help, labelNames, buckets: BUCKETS, registers })
  const counter = <label extends string>(name: string, help: string, labelNames: readonly label[]) =>
    new Counter({ name: `regatta_server_${name}`, help, labelNames, registers })
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `regatta_server_${name}`,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  gauge('waiting', 'Requests that wait for the engine', gauges.waiting)
  gauge('in_flight', 'Requests being received or answered', gauges.inFlight)
  gauge('ready', '1 while the models are loaded and predictions are taken', () => Number(gauges.isReady()))
  return {
    registry,
    requests: counter('requests_total', 'Answers to clients', ['protocol', 'status', 'model']),
    seconds: histogram('request_seconds', 'From the whole request to its answer', ['protocol', 'model']),
    inferenceSeconds: histogram(
      'inference_seconds',
      'One run of the model, without waiting for its turn',
      VERSION_LABELS,
    ),
    inferenceRows: counter(
      'inference_rows_total',
      'Rows (first dimension of the first input) that were run',
      VERSION_LABELS,
    ),
    inferenceErrors: counter('inference_errors_total', 'Runs that failed', VERSION_LABELS),
  }
}

/** The metrics of one version. */
export function toVersionMetrics(metrics: ServerMetrics, model: string, version: number): VersionMetrics {
  const labels = { model, version: String(version) }
  const { inferenceSeconds, inferenceRows, inferenceErrors } = metrics
  return {
    inferenceSeconds: inferenceSeconds.labels(labels),
    inferenceRows: inferenceRows.labels(labels),
    inferenceErrors: inferenceErrors.labels(labels),
    remove() {
      for (const metric of [inferenceSeconds, inferenceRows, inferenceErrors]) metric.remove(labels)
    },
  }
}

import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What a model server counts; `/metrics` prints it. Times are in seconds, as Prometheus wants. */
export interface ServerMetrics {
  readonly registry: Registry
  readonly requests: Counter<'protocol' | 'status'>
  readonly seconds: Histogram<'protocol'>
  readonly inferenceSeconds: Histogram
  readonly inferenceRows: Counter
  readonly inferenceErrors: Counter
}

/** What is read when somebody looks. */
export interface ServerGauges {
  readonly waiting: () => number
  readonly inFlight: () => number
  readonly isReady: () => boolean
}

// From a tenth of a millisecond (a small model, on this machine) to the longest that clients wait.
const BUCKETS = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]

/** Makes the metrics of one server, in a registry of its own; each carries the model's name and version. */
export function toMetrics(model: { name: string; version: number }, gauges: ServerGauges): ServerMetrics {
  const registry = new Registry()
  registry.setDefaultLabels({ model: model.name, version: String(model.version) })
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
  gauge('ready', '1 while the model is loaded and predictions are taken', () => Number(gauges.isReady()))
  return {
    registry,
    requests: counter('requests_total', 'Answers to clients', ['protocol', 'status']),
    seconds: histogram('request_seconds', 'From the whole request to its answer', ['protocol']),
    inferenceSeconds: histogram('inference_seconds', 'One run of the model, without waiting for its turn', []),
    inferenceRows: counter('inference_rows_total', 'Rows (first dimension of the first input) that were run', []),
    inferenceErrors: counter('inference_errors_total', 'Runs that failed', []),
  }
}

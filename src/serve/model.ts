import type { NamedTensors } from '../tensor/index.ts'
import type { Catalog } from './catalog/catalog.ts'
import type { Signature } from './engine/engine.ts'
import type { ServerMetrics, VersionMetrics } from './telemetry/metrics.ts'

/** A loaded and warmed model. */
export interface Model extends Signature {
  readonly metrics: VersionMetrics
  /**
   * Computes the named outputs of checked inputs, in the order of `outputs`. A request whose turn has not come at
   * `deadlineAt` (epoch ms) is dropped.
   * @throws BAD_REQUEST, OVERLOADED, GONE, DEADLINE, INFERENCE, NOT_READY (a `Refusal`)
   */
  infer(
    inputs: NamedTensors,
    outputs: readonly string[],
    signal: AbortSignal,
    deadlineAt?: number,
  ): Promise<NamedTensors>
}

/** What the protocols answer from. */
export interface Service {
  readonly catalog: Catalog
  /** Aborts when the server stops: requests that came before are finished, new predictions are refused. */
  readonly stopping: AbortSignal
  /** Whether clients may load and unload models. */
  readonly allowsModelControl: boolean
  /** The pages of metrics: regatta's own, by what the reader accepts, and the one under TensorFlow Serving's names. */
  readonly metrics: Pick<ServerMetrics, 'print' | 'printTfs'>
  /** Where the second one is. */
  readonly tfsMetricsPath: string
}

/** Whether the server takes predictions for all that it is to serve. */
export function isReady({ catalog, stopping }: Service): boolean {
  return !stopping.aborted && catalog.isReady
}

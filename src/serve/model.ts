import type { NamedTensors, TensorSpec } from '../tensor/index.ts'
import type { Catalog } from './catalog.ts'
import type { ModelInput } from './engine.ts'

/** A loaded and warmed model. */
export interface Model {
  readonly inputs: readonly ModelInput[]
  readonly outputs: readonly TensorSpec[]
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
  /** The server stops: requests that came before are finished, new predictions are refused. */
  readonly isDraining: boolean
  /** Whether clients may load and unload models. */
  readonly allowsModelControl: boolean
  /** Where metrics are shown under TensorFlow Serving's names. */
  readonly tfsMetricsPath: string
  /** The text of `/metrics`, and its content type. */
  readonly printMetrics: () => Promise<{ readonly text: string; readonly contentType: string }>
}

/** Whether the server takes predictions for all that it is to serve. */
export function isReady({ catalog, isDraining }: Service): boolean {
  return !isDraining && catalog.isReady
}

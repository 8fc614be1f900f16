import type { NamedTensors, TensorSpec } from '../tensor/index.ts'
import type { ModelInput } from './engine.ts'
import { Refusal } from './errors.ts'

/** A loaded and warmed model. */
export interface Model {
  readonly inputs: readonly ModelInput[]
  readonly outputs: readonly TensorSpec[]
  /**
   * Computes the named outputs of checked inputs, in the order of `outputs`.
   * @throws BAD_REQUEST, OVERLOADED, GONE, INFERENCE (a `Refusal`)
   */
  infer(inputs: NamedTensors, outputs: readonly string[], signal: AbortSignal): Promise<NamedTensors>
}

/**
 * How far the server is.
 * - `starting`: the model is being loaded and warmed; predictions are refused.
 * - `ready`: all is well.
 * - `draining`: predictions that came before are finished, new ones are refused.
 */
export type ServiceState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready'; readonly model: Model }
  | { readonly kind: 'draining'; readonly model: Model | undefined }

/** What the protocols answer from. */
export interface Service {
  readonly modelName: string
  readonly version: number
  readonly state: ServiceState
  /** The text of `/metrics`, and its content type. */
  readonly printMetrics: () => Promise<{ readonly text: string; readonly contentType: string }>
}

/** Whether the server takes new predictions. */
export function isReady(service: Service): boolean {
  return service.state.kind === 'ready'
}

/** The model, once it is there. @throws NOT_READY */
export function toModel({ state, modelName }: Service): Model {
  if (state.kind !== 'starting' && state.model !== undefined) return state.model
  throw new Refusal('NOT_READY', `Model "${modelName}" is not loaded yet`)
}

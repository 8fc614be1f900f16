import type { NamedTensors, TensorSpec } from '../../tensor/index.ts'

/** What a model takes and gives. */
export interface Signature {
  readonly inputs: readonly ModelInput[]
  readonly outputs: readonly TensorSpec[]
}

/** What runs a model. Everything that knows a particular runtime lies behind this. */
export interface Engine extends Signature, AsyncDisposable {
  /** How many runs compute at the same time. */
  readonly lanes: number
  /** How many calls of `run` are worth having under way at once; more only wait inside. */
  readonly parallelRuns: number
  /**
   * Computes the named outputs. `inputs` holds a tensor for every input, of its type and shape, which the caller leaves
   * unchanged until the run is over. Rejects with what the runtime says, or with ENGINE_LOST.
   */
  run(inputs: NamedTensors, outputs: readonly string[]): Promise<EngineRun>
  /** Rejects when the engine broke by itself, and never settles otherwise. */
  readonly lost: Promise<never>
}

/** What a run gave. */
export interface EngineRun {
  readonly outputs: NamedTensors
  /** Time of the computation alone, ms: what came before it on its thread does not count. */
  readonly computeMs: number
}

/** What a model says of one of its inputs. */
export interface ModelInput extends TensorSpec {
  /** Names of its dimensions, where the model has some: equal names mean equal lengths. */
  readonly axes: readonly (string | undefined)[]
}

/** How a model is to be run. */
export interface EngineOptions {
  /** File of the model; files that it refers to lie beside it. */
  readonly path: string
  /** Threads of one run. */
  readonly intraOpThreads: number
}

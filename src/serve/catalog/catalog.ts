import { Refusal } from '../errors.ts'
import type { Model } from '../model.ts'
import type { VersionPolicy } from './version-policy.ts'

/** The models of a server and their versions: what every protocol asks. */
export interface Catalog {
  /** Names of the models that the server is to serve, loaded or not. */
  readonly names: readonly string[]
  /** Whether all that was asked for at the start is loaded or has failed for good, and something can be served. */
  readonly isReady: boolean
  /** Whether any version of any model can be inferred with. */
  readonly isServing: boolean
  /**
   * The version to infer with, for which a call that is under way then counts. It serves until its model is called: `find`
   * and `infer` belong into one turn of the event loop, for a version found earlier may have been unloaded meanwhile.
   * @throws NOT_FOUND, BAD_REQUEST (an unknown label), NOT_READY: a `Refusal` in TensorFlow Serving's words
   */
  find(wanted: WantedVersion): ServedVersion
  /** Calls back whenever a version is in another state, or `isReady` is otherwise, until it is told to forget it. */
  onChange(listener: () => void): () => void
  /** How far each version of a model is, lowest first; none where the model is unknown. */
  versions(name: string): readonly VersionStatus[]
  /** Loads what a model's policy wants, again where it is loaded already. @throws NOT_FOUND, LOAD_FAILED */
  load(name: string): Promise<void>
  /** Unloads a model, which stays known and is not loaded again before it is asked for. @throws NOT_FOUND */
  unload(name: string): Promise<void>
  /**
   * Serves exactly these models from now on: new ones are loaded, absent ones unloaded. Resolves when that is done; where
   * it cannot be, what was served before is served again. @throws BAD_REQUEST, PRECONDITION, LOAD_FAILED
   */
  reload(models: readonly ModelConfig[]): Promise<void>
}

/** What a request wants: the highest version that is available, unless it names one, or its label. */
export interface WantedVersion {
  readonly name: string
  readonly version?: number | undefined
  readonly label?: string | undefined
}

/** A loaded and warmed version. */
export interface ServedVersion {
  readonly name: string
  readonly version: number
  readonly model: Model
  readonly about: ModelAbout
}

/** What a model's file says of its origin. */
export interface ModelAbout {
  /** The program that wrote it, with its version; empty where the file does not say. */
  readonly producer: string
  /** The file's own description. */
  readonly description: string
  /** Whatever its maker added. */
  readonly properties: ReadonlyMap<string, string>
}

/**
 * States of a version, by TensorFlow Serving's names (get_model_status.proto).
 * - `START`: waits for its turn to be loaded.
 * - `LOADING`: is being loaded and warmed, or waits to be tried again.
 * - `AVAILABLE`: answers.
 * - `UNLOADING`: finishes its requests, and takes no new ones.
 * - `END`: is gone, or could not be loaded.
 */
export type VersionState = 'START' | 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'END'

/** How far a version is. */
export interface VersionStatus {
  readonly version: number
  readonly state: VersionState
  /** Why it could not be loaded, at the last try. */
  readonly error: VersionError | undefined
}

/** Why a version could not be loaded; the code is gRPC's. */
export interface VersionError {
  readonly code: 'NOT_FOUND' | 'INVALID_ARGUMENT' | 'FAILED_PRECONDITION' | 'UNIMPLEMENTED' | 'UNKNOWN'
  readonly message: string
}

/** One model to be served. */
export interface ModelConfig {
  readonly name: string
  /** Folder that holds `VERSION/model.onnx`; absolute. */
  readonly basePath: string
  readonly policy: VersionPolicy
  /** Versions by their labels. */
  readonly labels: ReadonlyMap<string, number>
}

/** The refusal of a model or version that is not there, in TensorFlow Serving's words (basic_manager.cc). */
export function toNotFound({ name, version }: WantedVersion): Refusal {
  const request = version === undefined ? `Latest(${name})` : `Specific(${name}, ${version})`
  return new Refusal('NOT_FOUND', `Servable not found for request: ${request}`)
}

/** The refusal of a model that will be there. */
export function toNotLoaded(name: string): Refusal {
  return new Refusal('NOT_READY', `Model "${name}" is not loaded yet`)
}

import { RegattaError, toErrorText } from '../../core/errors.ts'
import type { Logger } from '../options.ts'
import type { ModelConfig, ServedVersion, VersionError } from './catalog.ts'

/** One version of a model on disk. */
export interface ModelFile {
  readonly version: number
  readonly path: string
  /** Of all files in the version's folder: a model may keep its weights beside itself. */
  readonly sizeBytes: number
  /** Another text where a file of the folder is another. */
  readonly stamp: string
}

/** A version that was loaded and warmed, until its disposal. */
export interface OpenedVersion extends Omit<ServedVersion, 'name' | 'version'>, AsyncDisposable {
  /** Rejects when its engine broke by itself. */
  readonly lost: Promise<never>
}

/** What a catalog needs from outside. */
export interface Loading {
  /** Finds the versions of a model that its policy wants, highest first. @throws MODEL_MISSING where it cannot look */
  readonly find: (model: ModelConfig) => Promise<readonly ModelFile[]>
  /** Loads and warms one. `isBusy`: others are served meanwhile, who would wait. @throws what `placeEngine` throws */
  readonly open: (name: string, file: ModelFile, isBusy: boolean) => Promise<OpenedVersion>
  /** Rejects where the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>
  readonly logger: Logger | undefined
  /** Told of an engine that broke by itself. */
  readonly onLost: (error: unknown) => void
  readonly limits: LoadLimits
}

/** How versions are loaded. */
export interface LoadLimits {
  /** How often a version that could not be loaded is tried again. */
  readonly maxLoadRetries: number
  /** Time between two tries, ms. */
  readonly loadRetryMs: number
  /** Versions loaded at once. */
  readonly parallelLoads: number
  /** Time between two looks for versions on disk, ms; 0 looks once, less than 0 never: then models load on request. */
  readonly pollMs: number
  /** Whether a label that is on no version may be put on one that is not loaded. */
  readonly allowLabelsOnUnavailable: boolean
}

const CODES: Readonly<Record<string, VersionError['code']>> = {
  MODEL_MISSING: 'NOT_FOUND',
  MODEL_LOAD: 'INVALID_ARGUMENT',
  MODEL_SIGNATURE: 'UNIMPLEMENTED',
  MODEL_WARM_UP: 'FAILED_PRECONDITION',
}

/** Why a version could not be loaded, as its status tells it. */
export function toVersionError(error: unknown): VersionError {
  if (!(error instanceof RegattaError)) return { code: 'UNKNOWN', message: toErrorText(error) }
  return { code: CODES[error.code] ?? 'UNKNOWN', message: error.message }
}

/** What to do where a model is not where it should be. */
export const MODEL_FOLDER_FIX = 'Give the folder that holds VERSION/model.onnx, VERSION being a whole number'

/** The error of a folder in which no wanted version lies. */
export function toNoVersions({ basePath, policy }: ModelConfig): RegattaError {
  const found = policy.kind === 'specific' ? `none of ${policy.versions.join(', ')}` : 'no folder is named by a number'
  const what = `Cannot find a version of the model: ${found}`
  return new RegattaError('MODEL_MISSING', what, { where: basePath, fix: MODEL_FOLDER_FIX })
}

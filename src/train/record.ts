import type { ParamValue } from '../config/index.ts'
import type { Digest } from '../core/brands.ts'
import type { ModelSignature } from './onnx.ts'

/** One execution of the training command, as kept for ever: an OCI artifact in the layout. Instants are epoch ms. */
export interface RunRecord {
  readonly schema: 'regatta/run/v1'
  /** 32 hex digits. */
  readonly id: string
  /** Name of the model (`name` of regatta.yaml). */
  readonly model: string
  readonly state: 'done' | 'failed' | 'interrupted'
  /** Why it is not `done`: a stable code, and a sentence. */
  readonly code: RunProblem | null
  readonly reason: string | null
  readonly command: string
  readonly params: Readonly<Record<string, ParamValue>>
  /** Every metric's series in the order it came. */
  readonly metrics: Readonly<Record<string, readonly MetricPoint[]>>
  readonly data: readonly FileDigest[]
  /** The model's files, paths relative to the output folder; empty unless `done`. */
  readonly output: readonly FileDigest[]
  /** What model.onnx takes and gives; null unless `done`. */
  readonly signature: ModelSignature | null
  readonly git: { readonly commit: string; readonly dirty: boolean } | null
  readonly environment: {
    readonly platform: string
    readonly arch: string
    readonly node: string
    readonly cpus: number
  }
  readonly exitCode: number | null
  readonly signal: string | null
  readonly startedAt: number
  readonly endedAt: number
  /** The log's last lines, for a run that is not `done`. */
  readonly logTail: readonly string[]
  /** What regatta left out of this record, such as metrics that were not finite. */
  readonly notes: readonly string[]
}

/**
 * Why a run is not `done`.
 * - `RUN_COMMAND`: the command ended with an exit code other than 0, by a signal, or did not start.
 * - `RUN_NO_MODEL`: the command left no model.onnx. `ONNX_FORMAT`: what it left is not ONNX.
 * - `RUN_OUTPUT`: its files cannot be taken as they are.
 * - `RUN_STOPPED`: somebody stopped it.
 * - `RUN_LOST`: regatta ended before it could record the run, so not all of it is known.
 */
export type RunProblem = 'RUN_COMMAND' | 'RUN_NO_MODEL' | 'ONNX_FORMAT' | 'RUN_OUTPUT' | 'RUN_STOPPED' | 'RUN_LOST'

/** What is known of a run before its command starts. */
export type RunStart = Pick<
  RunRecord,
  'id' | 'model' | 'command' | 'params' | 'data' | 'git' | 'environment' | 'startedAt'
>

/** One value of a metric; `at` in epoch ms. */
export interface MetricPoint {
  readonly step: number
  readonly value: number
  readonly at: number
}

/** A file and what was in it. */
export interface FileDigest {
  readonly path: string
  readonly digest: Digest
  readonly sizeBytes: number
}

/** A run's record, and the digest of the artifact that holds it: what images refer to. */
export interface StoredRecord {
  readonly record: RunRecord
  readonly digest: Digest
}

/** A run as listed: its record, and where its files lie. */
export interface StoredRun extends StoredRecord {
  /** Absolute path of the folder with the model's files (`.regatta/runs/ID/output`). */
  readonly outputFolder: string
}

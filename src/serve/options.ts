import type { BaseLogger } from 'pino'
import { UsageError } from '../core/errors.ts'
import type { TraceExporter } from '../core/otlp.node.ts'
import type { TlsOptions } from '../core/tls.node.ts'
import { type BatchingOptions, toBatching } from './batch/batching.ts'
import type { ModelConfig } from './catalog/catalog.ts'
import type { LoadLimits } from './catalog/loading.ts'
import { LATEST } from './catalog/version-policy.ts'

/** What a model server serves, where, and within which bounds. */
export interface ServerOptions extends Partial<LoadLimits> {
  readonly models: readonly ModelConfig[] | ModelConfigFile
  /** @default '127.0.0.1' */
  readonly host?: string
  /** 0 lets the system choose. */
  readonly httpPort: number
  /** Port of the gRPC protocols; 0 lets the system choose. @default gRPC is not served */
  readonly grpcPort?: number
  /** Speaks TLS on either port or on both. @default on none */
  readonly tls?: { readonly http?: TlsOptions; readonly grpc?: TlsOptions }
  /** Who does not bear it may only ask whether the server lives and is ready. @default everybody may ask everything */
  readonly token?: string
  /** Threads of one inference. @default 1 */
  readonly intraOpThreads?: number
  /** A longer request is refused. @default 64 MiB */
  readonly maxBodyBytes?: number
  /** Requests being received or answered, and their declared bytes; more get 429. @default 512, 512 MiB */
  readonly maxInFlight?: number
  readonly maxInFlightBytes?: number
  /** Requests of one version that wait for the engine; more get 429. @default 256 */
  readonly maxWaiting?: number
  /** What the inputs and outputs of one run may take of memory, bytes; a larger request is refused. @default 256 MiB */
  readonly maxRunBytes?: number
  /** Threads of a model whose runs are long, each with the model in memory. @default one less than there are cores */
  readonly engineThreads?: number
  /** Time for a whole request to arrive, ms. @default 30_000 */
  readonly requestTimeoutMs?: number
  /** From the signal to stop until connections are closed, answered or not, ms. @default 8_000 */
  readonly drainMs?: number
  readonly batching?: BatchingOptions
  /** Whether versions are run on the requests in their folders before they serve; on zeros they always are. @default true */
  readonly warmUpRequests?: boolean
  /** Takes the traces of requests. @default they are not kept */
  readonly traces?: TraceExporter
  /** Time for a whole REST answer, ms. @default no limit */
  readonly restTimeoutMs?: number
  /** Whether clients may load and unload models. @default false */
  readonly allowModelControl?: boolean
  /** Whether pages of other sites may ask. @default false */
  readonly cors?: boolean
  /** Path of the metrics under TensorFlow Serving's names. @default '/monitoring/prometheus/metrics' */
  readonly tfsMetricsPath?: string
  /** Told once, when the ports are open and before any model is loaded. */
  readonly onListening?: (listening: Listening) => void
  /** @default nothing is logged */
  readonly logger?: Logger
}

/** Where a server listens. */
export interface Listening extends Listener {
  /** Where it speaks gRPC, if it does. */
  readonly grpc?: Listener
}

interface Listener {
  readonly url: string
  readonly port: number
}

/** A file that says what to serve, in TensorFlow Serving's form. */
export interface ModelConfigFile {
  readonly path: string
  /** Time between two looks for another text, ms; 0 looks once. */
  readonly pollMs: number
}

/** Where the server tells what happens; pino's loggers are such. Bodies are never given to it. */
export type Logger = Pick<BaseLogger, 'info' | 'warn' | 'error'>

/** The bounds of a server. */
export type Limits = { readonly batching: Required<BatchingOptions>; readonly warmUpRequests: boolean } & Required<
  Pick<
    ServerOptions,
    | 'intraOpThreads'
    | 'maxBodyBytes'
    | 'maxInFlight'
    | 'maxInFlightBytes'
    | 'maxWaiting'
    | 'maxRunBytes'
    | 'engineThreads'
    | 'requestTimeoutMs'
    | 'drainMs'
  >
>

/** One model whose highest version is served. */
export function toSingleModel(name: string, basePath: string): ModelConfig {
  return { name, basePath, policy: LATEST, labels: new Map() }
}

/** A request's head: what a gateway takes (32 KiB) and what it adds fits, so that none is refused behind one. */
export const MAX_HEAD_BYTES = 48 * 1024

const MIB = 1024 * 1024

/** Picks the bounds, with their defaults on a machine of so many cores. @throws LIMITS, BATCHING */
export function toLimits(options: ServerOptions, cores: number): Limits {
  const limits = {
    intraOpThreads: options.intraOpThreads ?? 1,
    maxBodyBytes: options.maxBodyBytes ?? 64 * MIB,
    maxInFlight: options.maxInFlight ?? 512,
    maxInFlightBytes: options.maxInFlightBytes ?? 512 * MIB,
    maxWaiting: options.maxWaiting ?? 256,
    maxRunBytes: options.maxRunBytes ?? 256 * MIB,
    engineThreads: options.engineThreads ?? Math.max(1, cores - 1),
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    drainMs: options.drainMs ?? 8_000,
  }
  for (const [name, value] of Object.entries(limits)) checkFrom(1, name, value)
  return { ...limits, batching: toBatching(options.batching), warmUpRequests: options.warmUpRequests ?? true }
}

/**
 * How versions are loaded, with the defaults of a server whose models do not change: one look at the disk, and one try.
 * @throws LIMITS
 */
export function toLoadLimits(options: ServerOptions): LoadLimits {
  const limits: LoadLimits = {
    maxLoadRetries: options.maxLoadRetries ?? 0,
    loadRetryMs: options.loadRetryMs ?? 60_000,
    parallelLoads: options.parallelLoads ?? 1,
    pollMs: options.pollMs ?? 0,
    allowLabelsOnUnavailable: options.allowLabelsOnUnavailable ?? false,
  }
  checkFrom(0, 'maxLoadRetries', limits.maxLoadRetries)
  checkFrom(0, 'loadRetryMs', limits.loadRetryMs)
  checkFrom(1, 'parallelLoads', limits.parallelLoads)
  checkFrom(-1, 'pollMs', limits.pollMs)
  return limits
}

function checkFrom(least: number, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new UsageError('LIMITS', `Cannot use ${value} as ${name}: expected a whole number from ${least} on`)
}

import type { BaseLogger } from 'pino'
import { UsageError } from '../core/errors.ts'

/** What a model server serves, where, and within which bounds. */
export interface ServerOptions {
  /** The model's name in URLs. */
  readonly modelName: string
  /** Folder that holds `VERSION/model.onnx`; the highest version is served. */
  readonly modelBasePath: string
  /** @default '127.0.0.1' */
  readonly host?: string
  /** 0 lets the system choose. */
  readonly httpPort: number
  /** Threads of one inference. @default 1 */
  readonly intraOpThreads?: number
  /** A longer request is refused. @default 64 MiB */
  readonly maxBodyBytes?: number
  /** Requests being received or answered, and their declared bytes; more get 429. @default 512, 512 MiB */
  readonly maxInFlight?: number
  readonly maxInFlightBytes?: number
  /** Requests that wait for the engine; more get 429. @default 256 */
  readonly maxWaiting?: number
  /** Time for a whole request to arrive, ms. @default 30_000 */
  readonly requestTimeoutMs?: number
  /** From the signal to stop until connections are closed, answered or not, ms. @default 8_000 */
  readonly drainMs?: number
  /** Told once, when the port is open and before the model is loaded. */
  readonly onListening?: (server: { readonly url: string; readonly port: number }) => void
  /** @default nothing is logged */
  readonly logger?: Logger
}

/** Where the server tells what happens; pino's loggers are such. Bodies are never given to it. */
export type Logger = Pick<BaseLogger, 'info' | 'warn' | 'error'>

/** The bounds of a server. */
export type Limits = Required<
  Pick<
    ServerOptions,
    | 'intraOpThreads'
    | 'maxBodyBytes'
    | 'maxInFlight'
    | 'maxInFlightBytes'
    | 'maxWaiting'
    | 'requestTimeoutMs'
    | 'drainMs'
  >
>

const MIB = 1024 * 1024

/** Picks the bounds, with their defaults. @throws LIMITS, MODEL_NAME */
export function toLimits(options: ServerOptions): Limits {
  if (!/^[^/:\s]+$/.test(options.modelName)) {
    throw new UsageError('MODEL_NAME', `Cannot use "${options.modelName}" as a model's name: it stands in URLs`, {
      fix: 'Use letters, digits, "-" and "_"',
    })
  }
  const limits: Limits = {
    intraOpThreads: options.intraOpThreads ?? 1,
    maxBodyBytes: options.maxBodyBytes ?? 64 * MIB,
    maxInFlight: options.maxInFlight ?? 512,
    maxInFlightBytes: options.maxInFlightBytes ?? 512 * MIB,
    maxWaiting: options.maxWaiting ?? 256,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    drainMs: options.drainMs ?? 8_000,
  }
  for (const [name, value] of Object.entries(limits)) {
    if (Number.isSafeInteger(value) && value >= 1) continue
    throw new UsageError('LIMITS', `Cannot use ${value} as ${name}: expected a whole number from 1 on`)
  }
  return limits
}

import { isAbsolute } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { UsageError } from '../../core/errors.ts'
import type { ImageLayout } from '../../oci/index.ts'
import type { GatewayTls } from './commands.ts'
import type { Environment } from './environment.ts'
import type { LocalEvent } from './events.ts'
import type { LogLimits } from './log.node.ts'
import { type Timings, withDefaultTimings } from './timings.ts'

/** What a local target is made of. */
export interface LocalTargetOptions {
  /** Absolute path of the folder that holds its record, such as `/project/.regatta/local`; made where missing. */
  readonly folder: string
  /** Where the images of the plans are. */
  readonly layout: ImageLayout
  /** Name of the deployment, and of the model in the URL. */
  readonly deployment: string
  /** How to start a model server and a gateway: program and first arguments. */
  readonly commands: { readonly server: readonly string[]; readonly gateway: readonly string[] }
  readonly gateway: GatewayOptions
  readonly clock: Clock
  /** What children may inherit a part of. @default this process's */
  readonly environment?: Environment
  readonly timings?: Partial<Timings>
  readonly logs?: Partial<LogLimits>
  /** Told of what the target does by itself. */
  readonly onEvent?: (event: LocalEvent) => void
}

/** How the gateway listens and reports. */
export interface GatewayOptions {
  readonly host: string
  /** 0 takes a free port once and keeps it over restarts. */
  readonly httpPort: number
  readonly grpcPort: number
  readonly controlUrl: string
  /** Bearer token for control; goes into the gateway's environment and nowhere else. */
  readonly token: string
  /** What clients have to bear; goes into the environment, too. @default predictions are open */
  readonly predictToken?: string | undefined
  /** Absolute paths of PEM files. @default no TLS */
  readonly tls?: GatewayTls | undefined
  /** Origins of pages whose scripts may ask. @default none */
  readonly origins?: readonly string[]
}

/** The options with their defaults. @throws TARGET_OPTIONS, TIMING */
export function withDefaults(options: LocalTargetOptions) {
  const { logs = {}, timings, onEvent = () => {}, environment = process.env } = options
  const { maxBytes = 10 * 1024 * 1024, keep = 3 } = logs
  if (!isAbsolute(options.folder)) throw toOptionError('folder', 'an absolute path', options.folder)
  if (!Number.isInteger(maxBytes) || maxBytes < 1) throw toOptionError('logs.maxBytes', 'at least 1', maxBytes)
  if (!Number.isInteger(keep) || keep < 1) throw toOptionError('logs.keep', 'at least 1', keep)
  return { ...options, environment, onEvent, timings: withDefaultTimings(timings), logs: { maxBytes, keep } }
}

function toOptionError(name: string, wanted: string, found: string | number): UsageError {
  return new UsageError('TARGET_OPTIONS', `Cannot use "${found}" as ${name} of a local target: expected ${wanted}`)
}

import { UsageError } from '../core/errors.ts'

/** The bounds of a gateway. Every queue and buffer has one. */
export interface Limits {
  /** A longer request or answer is refused. @default 64 MiB */
  readonly maxBodyBytes: number
  /** Requests being received or answered; more get 503. @default 1024 */
  readonly maxInFlight: number
  /** Declared bytes of all request bodies in flight; more get 503. @default 512 MiB */
  readonly maxInFlightBytes: number
  /** Bytes of a request's head; a longer one gets 431. @default 32 KiB */
  readonly maxHeadBytes: number
  /** Connections of clients; further ones are closed unanswered. @default 10_000 */
  readonly maxClients: number
  /** Connections to one replica. @default 64 */
  readonly maxConnections: number
  /** Requests sent to or waiting for one replica. @default 256 */
  readonly maxOutstanding: number
  /** Time for one replica to answer, ms. @default 30_000 */
  readonly tryTimeoutMs: number
  /** Time for all tries together, ms. @default 60_000 */
  readonly deadlineMs: number
  /** Time in which a replica that joins others, or is trusted again, gets to its full share, ms. @default 10_000 */
  readonly slowStartMs: number
  /** Copies in flight to one shadow, and the bytes of their bodies; more are dropped. @default 128, 64 MiB */
  readonly maxShadows: number
  readonly maxShadowBytes: number
  /** A longer body is recorded without rows. @default 1 MiB */
  readonly maxTapBytes: number
  /** Bytes of answers that wait to be recorded; above three quarters records lose their rows, above it they are dropped. @default 64 MiB */
  readonly maxPendingBytes: number
  /** Length of the file that takes records while control is away; more are dropped. @default 256 MiB */
  readonly maxSpoolBytes: number
  /** Between two batches of records where there is no hurry, ms. @default 100 */
  readonly flushEveryMs: number
  /** Time for control to answer, ms. @default 10_000 */
  readonly controlTimeoutMs: number
  /** Time without a sign of life on control's stream of routes, ms. @default 30_000 */
  readonly controlSilenceMs: number
  /** Longest pause before control is tried again, ms. @default 2_000 */
  readonly maxBackOffMs: number
  /** Time for requests in flight when the gateway stops, and then for the records, ms. @default 6_000, 2_000 */
  readonly drainMs: number
  readonly flushMs: number
}

const MIB = 1024 * 1024
const DEFAULTS: Limits = {
  maxBodyBytes: 64 * MIB,
  maxInFlight: 1024,
  maxInFlightBytes: 512 * MIB,
  maxHeadBytes: 32 * 1024,
  maxClients: 10_000,
  maxConnections: 64,
  maxOutstanding: 256,
  tryTimeoutMs: 30_000,
  deadlineMs: 60_000,
  slowStartMs: 10_000,
  maxShadows: 128,
  maxShadowBytes: 64 * MIB,
  maxTapBytes: MIB,
  maxPendingBytes: 64 * MIB,
  maxSpoolBytes: 256 * MIB,
  flushEveryMs: 100,
  controlTimeoutMs: 10_000,
  controlSilenceMs: 30_000,
  maxBackOffMs: 2_000,
  drainMs: 6_000,
  flushMs: 2_000,
}

/** Fills in the defaults. @throws LIMITS (a `UsageError`) where a limit is not a whole number above 0 */
export function withDefaultLimits(limits: Partial<Limits> = {}): Limits {
  const all = { ...DEFAULTS, ...limits }
  for (const [name, value] of Object.entries(all))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new UsageError('LIMITS', `Cannot use ${name} ${value}: expected a whole number above 0`)
  return all
}

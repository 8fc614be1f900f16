import { UsageError } from '../core/errors.ts'

/** The bounds of a gateway. Every queue and buffer has one. */
export interface Limits {
  /** A longer request or answer is refused. @default 64 MiB */
  readonly maxBodyBytes: number
  /** Requests being received or answered; more get 503. @default 1024 */
  readonly maxInFlight: number
  /** Declared bytes of all request bodies in flight; more get 503. @default 512 MiB */
  readonly maxInFlightBytes: number
  /** Connections to one replica. @default 64 */
  readonly maxConnections: number
  /** Requests sent to or waiting for one replica. @default 256 */
  readonly maxOutstanding: number
  /** Time for one replica to answer, ms. @default 30_000 */
  readonly tryTimeoutMs: number
  /** Time for all tries together, ms. @default 60_000 */
  readonly deadlineMs: number
  /** Shadow copies in flight, and the bytes of their bodies; more are dropped. @default 128, 64 MiB */
  readonly maxShadows: number
  readonly maxShadowBytes: number
  /** A longer body is recorded without rows. @default 1 MiB */
  readonly maxTapBytes: number
}

const MIB = 1024 * 1024
const DEFAULTS: Limits = {
  maxBodyBytes: 64 * MIB,
  maxInFlight: 1024,
  maxInFlightBytes: 512 * MIB,
  maxConnections: 64,
  maxOutstanding: 256,
  tryTimeoutMs: 30_000,
  deadlineMs: 60_000,
  maxShadows: 128,
  maxShadowBytes: 64 * MIB,
  maxTapBytes: MIB,
}

/** Fills in the defaults. @throws LIMITS (a `UsageError`) where a limit is not a whole number above 0 */
export function withDefaultLimits(limits: Partial<Limits> = {}): Limits {
  const all = { ...DEFAULTS, ...limits }
  for (const [name, value] of Object.entries(all))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new UsageError('LIMITS', `Cannot use ${name} ${value}: expected a whole number above 0`)
  return all
}

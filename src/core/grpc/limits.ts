import { UsageError } from '../errors.ts'

/** The bounds of a gRPC server. Each is a whole number above 0. */
export interface GrpcLimits {
  /** A longer message, as sent or as inflated, is answered with RESOURCE_EXHAUSTED. @default 64 MiB */
  readonly maxMessageBytes: number
  /** Bytes of messages that calls in flight hold, of all connections together; more get RESOURCE_EXHAUSTED. @default 512 MiB */
  readonly maxBufferedBytes: number
  /**
   * Time for a call's message to arrive, of one with many for the rest of one that has begun; and for an answer to be
   * taken once it is there, ms. @default 30_000
   */
  readonly requestTimeoutMs: number
  /**
   * Time a connection stays open without a call or a ping, and a call of many messages without one, ms; before its first
   * call it is `requestTimeoutMs`. @default 300_000
   */
  readonly idleTimeoutMs: number
  /** Calls in flight on one connection. @default 1024 */
  readonly maxConcurrentStreams: number
  /** Connections; more are closed at once. @default 1024 */
  readonly maxSessions: number
  /** Metadata of a call: names, values and 32 bytes for each. @default 16 KiB */
  readonly maxHeaderListBytes: number
  /** Calls that the client of one connection may reset in a second, after twice as many at once; more end it. @default 500 */
  readonly maxResetsPerSecond: number
}

/** RFC 9113, section 6.5.2: fewer would slow a client down. */
const LEAST_STREAMS = 100

/** Calls of one connection, of so many that a server takes at once: no single one takes all the room. */
export function toConcurrentStreams(maxInFlight: number): number {
  return Math.max(LEAST_STREAMS, Math.ceil(maxInFlight / 4))
}

const KIB = 1024
const MIB = 1024 * KIB
const DEFAULTS: GrpcLimits = {
  maxMessageBytes: 64 * MIB,
  maxBufferedBytes: 512 * MIB,
  requestTimeoutMs: 30_000,
  idleTimeoutMs: 300_000,
  maxConcurrentStreams: 1024,
  maxSessions: 1024,
  maxHeaderListBytes: 16 * KIB,
  maxResetsPerSecond: 500,
}

/** Fills in the defaults. @throws GRPC_LIMITS (a `UsageError`) where a limit is not a whole number above 0 */
export function withDefaultGrpcLimits(limits: Partial<GrpcLimits>): GrpcLimits {
  const names = Object.keys(DEFAULTS) as (keyof GrpcLimits)[]
  const all = names.map(name => [name, limits[name] ?? DEFAULTS[name]] as const)
  for (const [name, value] of all)
    if (!Number.isSafeInteger(value) || value < 1)
      throw new UsageError('GRPC_LIMITS', `Cannot use ${name} ${value}: expected a whole number above 0`)
  return Object.fromEntries(all) as Record<keyof GrpcLimits, number>
}

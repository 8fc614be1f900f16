import { UsageError } from '../../core/errors.ts'

/** How long the supervisor waits for what. Milliseconds unless the name says otherwise. */
export interface Timings {
  /** Between two readiness probes of a process. @default 1_000 */
  readonly probeEveryMs: number
  /** The same, until the first probe that answers 200. @default 100 */
  readonly startProbeEveryMs: number
  /** @default 1_000 */
  readonly probeTimeoutMs: number
  /** Probes in a row that fail before the process counts as failing. @default 3 */
  readonly missesToFail: number
  /** Probes in a row without any answer before the process is killed and restarted. @default 10 */
  readonly missesToKill: number
  /** From the start of a process to its message `ready`, after which it is killed and restarted. @default 120_000 */
  readonly startTimeoutMs: number
  /** From SIGTERM to SIGKILL. @default 10_000 */
  readonly drainMs: number
  /** From the announcement that a replica stops to its SIGTERM, for gateways to hear of it. @default 300 */
  readonly preStopMs: number
  /** Before the restart of a process that was ready, the first time it fails. @default 250 */
  readonly quickRestartMs: number
  /** Before any other restart; doubles with every failure in a row. @default 500 */
  readonly minRestartMs: number
  /** @default 30_000 */
  readonly maxRestartMs: number
  /** A process that was ready for so long starts to count its failures anew. @default 30_000 */
  readonly stableMs: number
  /** Between two looks at the sizes of the logs. @default 1_000 */
  readonly logCheckMs: number
  /** Between two looks of a reader that follows a log. @default 200 */
  readonly followMs: number
}

const DEFAULTS: Timings = {
  probeEveryMs: 1_000,
  startProbeEveryMs: 100,
  probeTimeoutMs: 1_000,
  missesToFail: 3,
  missesToKill: 10,
  startTimeoutMs: 120_000,
  drainMs: 10_000,
  preStopMs: 300,
  quickRestartMs: 250,
  minRestartMs: 500,
  maxRestartMs: 30_000,
  stableMs: 30_000,
  logCheckMs: 1_000,
  followMs: 200,
}

/** The timings with their defaults. @throws TIMING where one is not a number of at least 1 */
export function withDefaultTimings(timings: Partial<Timings> = {}): Timings {
  for (const [name, value] of Object.entries(timings)) {
    if (Number.isFinite(value) && value >= 1) continue
    throw new UsageError('TIMING', `Cannot use ${value} as ${name}: expected a number of at least 1`)
  }
  return { ...DEFAULTS, ...timings }
}

/**
 * Milliseconds to wait before a restart. `failures` counts the failures in a row, this one included.
 *
 * The first death of a process that served is mended at once, since it is rarely the process's own fault and costs
 * capacity; whatever fails again waits twice as long each time.
 */
export function toRestartMs(fall: { readonly failures: number; readonly wasReady: boolean }, timings: Timings): number {
  if (fall.wasReady && fall.failures === 1) return timings.quickRestartMs
  return Math.min(timings.maxRestartMs, timings.minRestartMs * 2 ** (fall.failures - 1))
}

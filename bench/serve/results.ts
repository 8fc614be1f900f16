import type { ModelName } from './models.ts'
import type { Protocol } from './protocols.ts'

/** What is measured in every round: a contender, asked in one way; a loop around the runtime asks by `call`. */
export interface Case {
  readonly model: ModelName
  readonly contender: string
  readonly protocol: Protocol | 'call'
  readonly connections: number
}

/** A case in one round. */
export interface Sample extends Case {
  readonly round: number
  readonly requests: number
  readonly errors: number
  /** CPU time per answered request of all the server's processes, microseconds. */
  readonly cpuUs: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** At the end of the load; undefined for a loop. */
  readonly rssBytes: number | undefined
}

/** What a contender's start took, until its first answer. */
export interface StartResult {
  readonly model: ModelName
  readonly contender: string
  readonly cpuS: number
  readonly wallS: number
  readonly rssBytes: number
}

/** How long a probe of life took while a model was under load. */
export interface HealthResult {
  readonly model: ModelName
  readonly contender: string
  readonly probes: number
  readonly p50Ms: number
  readonly p95Ms: number
}

/** Memory over a long load. */
export interface MemoryResult {
  readonly contender: string
  readonly minutes: number
  /** Resident size, read at equal distances. */
  readonly rssBytes: readonly number[]
}

/** The slowest answers of one model without and with the loading of another beside it, in one round. */
export interface LoadingResult {
  readonly quietP99Ms: number
  readonly loadingP99Ms: number
  /** What each load took. */
  readonly loadMs: readonly number[]
}

/** A contender, or one of its protocols, that could not be measured. */
export interface Problem {
  readonly contender: string
  readonly model?: ModelName
  readonly protocol?: Protocol
  readonly reason: string
}

/** Everything that a run measured. */
export interface Results {
  readonly samples: readonly Sample[]
  readonly starts: readonly StartResult[]
  readonly health: readonly HealthResult[]
  readonly memory: readonly MemoryResult[]
  readonly loading: readonly LoadingResult[]
  readonly problems: readonly Problem[]
}

/** Whether two are of the same case. */
export function isSameCase(a: Case, b: Case): boolean {
  return (
    a.model === b.model && a.contender === b.contender && a.protocol === b.protocol && a.connections === b.connections
  )
}

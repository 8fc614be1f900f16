import type { LossSpec, RaceHistory } from '../../judge/index.ts'

/** How a race ended: `stopped` by a guardrail or a lost ramp, `spent` its budget without a verdict. */
export type RaceEnd = 'promoted' | 'replaced' | 'deleted' | 'stopped' | 'spent'
/** A race as it is started. */
export interface NewRace {
  /** Ids of variant A (the champion) and B (the challenger). */
  readonly a: number
  readonly b: number
  readonly design: 'paired' | 'split'
  /** The whole race rule, losses included, as canonical JSON: fixed from now on. */
  readonly spec: RaceSpec
  readonly startedAt: number
}
/** How outcomes of a race are computed and judged. */
export interface RaceSpec {
  readonly task: 'forecast' | 'regression' | 'classification' | 'value'
  readonly loss: LossSpec
  readonly alpha: number
  readonly tOpt: number
  readonly minGain: number
  readonly margin: number
  readonly season: number
  /** Exact bounds in the place of asymptotic ones. */
  readonly strict: boolean
  /** Quantile of the champion's first losses that all losses are capped at. @default no cap */
  readonly cap?: number | undefined
  /** Age from which predictions are judged. */
  readonly maturityMs: number
  /** Challengers that share `alpha` from the start. */
  readonly challengers: number
  /** Rising shares, 0–1, that B is given one after the other; empty: its share stays. */
  readonly ramp: readonly number[]
  readonly guardrails: { readonly errorRate?: number | undefined; readonly p99?: number | undefined }
  readonly budget: { readonly labels?: number | undefined; readonly days?: number | undefined }
}

/** A race as it stands. */
export interface StoredRace extends NewRace {
  readonly id: number
  readonly ended: { readonly at: number; readonly how: RaceEnd } | undefined
}

/** The first crossing of a race. */
export interface Decision {
  readonly race: number
  readonly at: number
  readonly state: string
  readonly reason: string
  readonly n: number
  readonly estimate: number
  readonly se: number
  readonly lower: number
  readonly upper: number
  readonly logE: number
  readonly p: number
  /** Digest of the race's rule; empty of a decision from before it was written down. */
  readonly spec: string
  /** Truths that had changed something by then: new, revised or waiting ones. */
  readonly truthRevision: number
}

/** What is remembered of the looks at a race, beside its decision. */
export type LookMemory = Omit<RaceHistory, 'decision'>

/** What was done about a race by itself: its challenger got another share, left, or became the champion. */
export interface RaceEvent {
  readonly race: number
  readonly at: number
  readonly kind: 'step' | 'stopped' | 'spent' | 'promoted'
  /** Why, in words. */
  readonly detail: string
}

import type { Digest, VariantName } from '../core/brands.ts'
import type { PredictionId } from '../core/uuid.ts'
import type { PredictedValue, PredictionRecord } from '../core/wire/records.ts'
import type { Moments } from '../judge/index.ts'

/** The database of events. Every method is one transaction; instants are epoch ms. */
export interface Store extends AsyncDisposable {
  /** Registers a variant, once per (name, version, digest) deployment; the id goes into the routes. */
  addVariant(variant: NewVariant): Promise<number>
  readVariants(): Promise<readonly StoredVariant[]>

  /** Ends the running race, if any (`how`), and starts one between two variants. Returns its id. */
  startRace(race: NewRace): Promise<number>
  endRace(race: number, at: number, how: RaceEnd): Promise<void>
  /** The running race, else the last one; undefined before the first. */
  readRace(): Promise<StoredRace | undefined>
  /** Notes from when on an epoch of the routes holds; idempotent. */
  openEpoch(epoch: StoredEpoch): Promise<void>
  readEpochs(): Promise<readonly StoredEpoch[]>

  /** Stores predictions and joins what truth is already here. A record that is known changes nothing. */
  addPredictions(records: readonly PredictionRecord[]): Promise<{ readonly added: number; readonly joined: number }>
  /** Stores truths and joins them. Idempotent (judge.md section 4). */
  addTruths(truths: readonly Truth[], now: number): Promise<TruthCounts>

  /** The additive sums of a race: reads aggregates, never raw rows. */
  readScoreboard(race: number): Promise<Scoreboard>
  /** Paired differences (loss A − loss B) in target-time order, for dependent series. */
  readDifferences(race: number): Promise<Float64Array>
  readTruthCounts(): Promise<TruthCounts>

  /** Writes the first crossing; a second call for the same race changes nothing. Returns the decision on record. */
  addDecision(decision: Decision): Promise<Decision>
  readDecision(race: number): Promise<Decision | undefined>

  readPrediction(id: PredictionId): Promise<StoredPrediction | undefined>
  /** Deletes raw rows older than the instant; aggregates and decisions stay. Returns the rows deleted. */
  prune(before: number): Promise<number>
}

export interface NewVariant {
  readonly name: VariantName
  readonly version: number
  readonly digest: Digest
  readonly at: number
}
export interface StoredVariant extends NewVariant {
  readonly id: number
}

export type RaceEnd = 'promoted' | 'replaced' | 'deleted'
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
}
export type LossSpec =
  | { readonly kind: 'squared' | 'absolute' | 'log' | 'brier' | 'zero-one' | 'value' }
  | { readonly kind: 'pinball'; readonly quantile: number }
export interface StoredRace extends NewRace {
  readonly id: number
  readonly ended: { readonly at: number; readonly how: RaceEnd } | undefined
}

export interface StoredEpoch {
  /** `Routes.epoch`. */
  readonly epoch: number
  readonly startedAt: number
  /** Weights by variant id; a shadow has 0. */
  readonly weights: Readonly<Record<number, number>>
}

export type Truth = {
  readonly value: PredictedValue
  /** @default 0 */
  readonly revision: number
  readonly source: string | undefined
} & (
  | { readonly by: 'prediction'; readonly id: PredictionId }
  | { readonly by: 'series'; readonly series: string; readonly at: number }
)

/** What became of each truth (judge.md section 4). */
export interface TruthCounts {
  readonly new: number
  readonly duplicate: number
  readonly revised: number
  readonly stale: number
  readonly conflict: number
  readonly orphan: number
}

export interface Scoreboard {
  readonly race: number
  readonly arms: readonly [Arm, Arm]
  /** Moments of loss A − loss B over pairs. */
  readonly paired: Moments
  /** Pairs whose difference is not zero. */
  readonly discordant: number
  /** Largest single (d − mean)² over its sum, 0–1; of the paired differences. */
  readonly dominance: number
  /** Per epoch the moments of each arm's loss over *served* predictions, for the split design. */
  readonly epochs: readonly EpochArms[]
  /** Losses that were not finite and were refused. */
  readonly refused: number
}
export interface Arm {
  readonly variant: number
  readonly predictions: number
  /** Moments of this arm's loss over all its outcomes. */
  readonly loss: Moments
}
export interface EpochArms {
  readonly epoch: number
  readonly weightB: number
  readonly a: Moments
  readonly b: Moments
  /** Outcomes with a loss other than zero, per arm. */
  readonly eventsA: number
  readonly eventsB: number
  /** Served predictions per arm (for the sample-ratio check). */
  readonly servedA: number
  readonly servedB: number
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
}

export interface StoredPrediction {
  readonly id: PredictionId
  readonly at: number
  readonly answers: readonly StoredAnswer[]
  readonly truth: { readonly value: PredictedValue; readonly revision: number } | undefined
}
export interface StoredAnswer {
  readonly variant: StoredVariant
  readonly epoch: number
  readonly served: boolean
  readonly replica: string
  readonly latencyUs: number
  readonly prediction: PredictedValue
  readonly loss: number | undefined
}

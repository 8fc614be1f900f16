import type { Digest, VariantName } from '../core/brands.ts'
import type { PredictionId } from '../core/uuid.ts'
import type { PredictedValue, PredictionRecord } from '../core/wire/records.ts'
import type { LossSpec, Moments, SplitEpoch } from '../judge/index.ts'
import type { OutcomeCursor, StoredOutcome } from './export.ts'

/**
 * The database of events. Instants are epoch ms. Every method is one transaction, but for long lists of records and
 * truths, and for pruning: those go in steps that are each stored whole, and may be sent again where one fails.
 */
export interface Store extends AsyncDisposable {
  /** Registers a variant when it is deployed. Each call gives an id of its own, from 1 up, which goes into the routes. */
  addVariant(variant: NewVariant): Promise<number>
  readVariants(): Promise<readonly StoredVariant[]>

  /** Ends the running race, if any (`how`), and starts one between two variants. Returns its id. */
  startRace(race: NewRace): Promise<number>
  endRace(race: number, at: number, how: RaceEnd): Promise<void>
  /** The running race, else the last one; undefined before the first. */
  readRace(): Promise<StoredRace | undefined>
  /**
   * Notes from when on an epoch of the routes holds; idempotent. It belongs to the race that runs or is started next
   * if its weights are that race's, and predictions to the race of their epoch: it is opened before the first come.
   */
  openEpoch(epoch: StoredEpoch): Promise<void>
  readEpochs(): Promise<readonly StoredEpoch[]>

  /** Stores predictions and joins what truth is already here. A record that is known changes nothing. */
  addPredictions(records: readonly PredictionRecord[]): Promise<{ readonly added: number; readonly joined: number }>
  /**
   * Stores truths and joins each to every variant's prediction that it is about. A prediction with a truth by its id
   * and another by series and time is judged by the first. Idempotent.
   */
  addTruths(truths: readonly Truth[], now: number): Promise<TruthCounts>

  /** The additive sums of a race: reads aggregates, never raw rows. */
  readScoreboard(race: number): Promise<Scoreboard>
  /** Paired differences (loss A − loss B) in target-time order, for dependent series. */
  readDifferences(race: number): Promise<Float64Array>
  /** Outcomes of a race in the order of their ids: at most `limit` after those that a cursor has passed. */
  readOutcomes(race: number, after: OutcomeCursor | undefined, limit: number): Promise<readonly StoredOutcome[]>
  /** Truths taken in so far; an orphan becomes `new` when its first prediction comes. */
  readTruthCounts(): Promise<TruthCounts>
  /**
   * Requests that a client got an answer to (HTTP status 2xx), each counted once however many rows it had and however
   * many shadows saw it. Pruning does not change it.
   */
  readServedCount(): Promise<number>

  /** Writes the first crossing; a second call for the same race changes nothing. Returns the decision on record. */
  addDecision(decision: Decision): Promise<Decision>
  readDecision(race: number): Promise<Decision | undefined>

  readPrediction(id: PredictionId): Promise<StoredPrediction | undefined>
  /**
   * Deletes single predictions and truths of requests older than the instant; sums, paired differences and decisions
   * stay. Records and truths that come later for such requests change nothing. Returns the rows deleted, or with
   * `dryRun` those that would be. The file does not shrink: its space is used again.
   */
  prune(before: number, dryRun: boolean): Promise<{ readonly rows: number }>
}

export interface NewVariant {
  readonly name: VariantName
  readonly version: number
  readonly digest: Digest
  readonly at: number
  /** The id that it had in a database that was lost; another variant's is not taken. @default a new one */
  readonly id?: number
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

/**
 * What became of each truth: `new` is joined to a prediction, an `orphan` waits for one; `duplicate` was here already;
 * `revised` has a higher revision and took the place of another value; `stale` has a lower one, or what it is about
 * was pruned; `conflict` is another value of the same revision: the first stays.
 */
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
  /** Outcomes without a loss: value of the wrong kind or length, or a loss too large to be squared. */
  readonly refused: number
}
export interface Arm {
  readonly variant: number
  readonly predictions: number
  /** Moments of this arm's loss over all its outcomes. */
  readonly loss: Moments
}
/** An epoch of a race, as the judge takes it. */
export interface EpochArms extends SplitEpoch {
  readonly epoch: number
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

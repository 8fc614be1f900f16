import type { Digest, VariantName } from '../core/brands.ts'
import type { PredictionId } from '../core/uuid.ts'
import type { PredictedValue, PredictionRecord } from '../core/wire/records.ts'
import type { JointMoments, LossSpec, Moments, RaceHistory, SplitEpoch } from '../judge/index.ts'
import type { PairPosition } from './pairs.ts'
import type { BucketCount } from './sums/durations.ts'

/**
 * The database of events, SQLite or PostgreSQL. Instants are epoch ms. Every method is one transaction, but for long lists of records and
 * truths, and for pruning: those go in steps that are each stored whole, and may be sent again where one fails.
 */
export interface Store extends AsyncDisposable {
  /** Registers a variant when it is deployed. Each call gives an id of its own, from 1 up, which goes into the routes. */
  addVariant(variant: NewVariant): Promise<number>
  readVariants(): Promise<readonly StoredVariant[]>

  /** Starts a race between two variants, beside those that run. Returns its id. */
  startRace(race: NewRace): Promise<number>
  endRace(race: number, at: number, how: RaceEnd): Promise<void>
  /** The running race, else the last one; undefined before the first. */
  readRace(): Promise<StoredRace | undefined>
  /** Every race in the order of their starts. */
  readRaces(): Promise<readonly StoredRace[]>
  /**
   * Notes from when on an epoch of the routes holds; idempotent. It belongs to the races that run or are started next
   * if its weights are those of the race, and predictions to the races of their epoch: it is opened before the first
   * come. Races of one epoch have one loss: that of the first.
   */
  openEpoch(epoch: StoredEpoch): Promise<void>
  readEpochs(): Promise<readonly StoredEpoch[]>
  /** Notes what brought an epoch about; idempotent. */
  addDeploymentChange(change: DeploymentChange): Promise<void>
  /** The last changes of the deployment, the newest first. */
  readDeploymentChanges(limit: number): Promise<readonly DeploymentChange[]>

  /** Stores predictions and joins what truth is already here. A record that is known changes nothing. */
  addPredictions(records: readonly PredictionRecord[]): Promise<{ readonly added: number; readonly joined: number }>
  /**
   * Stores truths and joins each to every variant's prediction that it is about. A prediction with a truth by its id
   * and another by series and time is judged by the first. Idempotent.
   */
  addTruths(truths: readonly Truth[], now: number): Promise<TruthCounts>

  /**
   * Counts the outcomes of predictions that have come to the age from which their race judges (`maturityMs`): truths
   * that come earlier wait for it, so that those which come fast are not taken for all.
   */
  ripen(now: number): Promise<void>

  /** The additive sums of a race: reads aggregates, never raw rows. */
  readScoreboard(race: number): Promise<Scoreboard>
  /** The scoreboard, and the sums that designs other than a plain comparison need; from aggregates too. */
  readSums(race: number): Promise<RaceSums>
  /** How long answers took and truths were waited for. */
  readDurations(race: number): Promise<readonly Durations[]>
  /** Predictions of requests before the hour of an instant, and those of them that have a truth. */
  readMaturity(race: number, before: number): Promise<readonly Maturity[]>
  /**
   * The next paired differences (loss A − loss B) in the order of the times that they are for, so that whoever follows a race need not read all of them each time. Begin
   * without a cursor, then pass those of earlier pages, in their order: where old pairs have changed, it goes on from
   * the last that they leave standing.
   */
  readDifferencesAfter(race: number, cursors: readonly DifferencesCursor[]): Promise<DifferencePage>
  /** Outcomes of a race in the order of their ids: at most `limit` after those that a cursor has passed. */
  readOutcomes(race: number, after: OutcomeCursor | undefined, limit: number): Promise<readonly StoredOutcome[]>
  /**
   * The answers that truths are about, with the truth that counts; of a series and time, those of the last request.
   * Costs what is asked for.
   */
  readLabels(subjects: readonly TruthSubject[]): Promise<readonly StoredLabel[]>
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
  /** What is remembered of the looks at a race; undefined before the first. */
  readMemory(race: number): Promise<LookMemory | undefined>
  writeMemory(race: number, memory: LookMemory): Promise<void>

  /** Writes down what was done about a race. */
  addRaceEvent(event: RaceEvent): Promise<void>
  /** What was done about a race, the earliest first. */
  readRaceEvents(race: number): Promise<readonly RaceEvent[]>

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

/** How a race ended: `stopped` by a guardrail or a lost ramp, `spent` its budget without a verdict. */
export type RaceEnd = 'promoted' | 'replaced' | 'deleted' | 'stopped' | 'spent'
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

/** Why the deployment changed. */
export interface ChangeCause {
  readonly kind: 'deploy' | 'promote' | 'rollback' | 'step' | 'withdraw' | 'delete' | 'restore'
  /** Who asked for it, as they call themselves; `control` where it was nobody. */
  readonly by: string
  /** In the words of who asked; empty where none were given. */
  readonly reason: string
}

/** A variant in the routes. */
export interface ChangedVariant {
  readonly name: string
  readonly version: number
  readonly digest: string
  readonly role: 'champion' | 'standby' | 'shadow' | 'split'
  /** Share of the requests, 0–1. */
  readonly weight: number
}

/** A change of the deployment, and what was in the routes from then on. */
export interface DeploymentChange extends ChangeCause {
  readonly epoch: number
  readonly at: number
  readonly variants: readonly ChangedVariant[]
}

export type Truth = TruthSubject & {
  readonly value: PredictedValue
  /** @default 0 */
  readonly revision: number
  readonly source: string | undefined
}
/** What a truth is about. */
export type TruthSubject =
  | { readonly by: 'prediction'; readonly id: PredictionId }
  | { readonly by: 'series'; readonly series: string; readonly at: number }

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
  /** Pairs whose difference is not zero, and those of them that B won. */
  readonly discordant: number
  readonly wins: number
  /** Largest single (d − mean)² over its sum, 0–1; of the paired differences. */
  readonly dominance: number
  /** The same of single losses: largest (loss − its arm's mean)² over their sum, of what `epochs` have. */
  readonly armsDominance: number
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
  /** The same of predictions whose truth is here, but which are too young to be judged. */
  readonly young: Moments
}
/** An epoch of a race, as the judge takes it. */
export interface EpochArms extends SplitEpoch {
  readonly epoch: number
}

/** Sums of a race beside those of its scoreboard, all of one instant: whoever compares them must not mix two. */
export interface RaceSums {
  readonly board: Scoreboard
  /** Of each epoch and variant. */
  readonly arms: readonly ArmSums[]
  /** Over pairs: x is the size of the truth, y is loss A − loss B. */
  readonly pairRatio: CrossSums
  /** Over entities with pairs: x is the weight of its pairs, y the sum of loss A − loss B. */
  readonly pairClusters: CrossSums
  /** Undefined where losses have no cap. */
  readonly cap: CapSums | undefined
}
/** Moments of two numbers over units: single labels, or entities with all of theirs. */
export interface CrossSums extends JointMoments {
  /** Labels in all units. */
  readonly labels: number
  /** Units whose y is not 0. */
  readonly events: number
  /** The largest square of what y / x leaves of one unit's y, when it was last seen. */
  readonly far: number
}
/** A cap: `at`, once it is set by the champion's first `labels`, and how many losses are at it. */
export interface CapSums {
  readonly at: number | undefined
  readonly labels: number
  readonly capped: number
}
/** Of answers that chance drew, but for `answers` and `errors`, which are of all records. */
export interface ArmSums {
  readonly epoch: number
  readonly variant: number
  readonly answers: number
  /** Records whose HTTP status is not 2xx. */
  readonly errors: number
  /** x is the size of the truth (its absolute value), y the loss: with absolute losses, mean y / mean x is the wMAPE. */
  readonly ratio: CrossSums
  /** x is the row's covariate, y the loss, of rows that have one. */
  readonly covariate: CrossSums
  /** Over entities: x is the weight of its labels, y the sum of its losses. */
  readonly clusters: CrossSums
}
export interface Durations {
  readonly epoch: number
  readonly variant: number
  readonly name: 'latency' | 'lateness'
  /** Buckets of `toDurationMs`. */
  readonly buckets: readonly BucketCount[]
}
export interface Maturity {
  readonly epoch: number
  readonly variant: number
  readonly predictions: number
  readonly labelled: number
}

/** Where a reader of differences stands. */
export interface DifferencesCursor extends PairPosition {
  /** Changes of the race's pairs that it knows of. */
  readonly change: number
}
export interface DifferencePage {
  readonly differences: Float64Array
  /** Weights of the pairs: 1, or the size of the truth where the loss is one per size. */
  readonly weights: Float64Array
  /** Which of the cursors they come after; undefined: they begin with the first. */
  readonly from: number | undefined
  /** No more are here now. */
  readonly isLast: boolean
  readonly cursor: DifferencesCursor
}

/** What a reader of outcomes has passed: the last that it was given. */
export type OutcomeCursor = Pick<StoredOutcome, 'request' | 'row' | 'variant'>
/** One variant's prediction of one row, joined to its truth. */
export interface StoredOutcome {
  readonly request: string
  readonly row: number
  /** Id of the variant. */
  readonly variant: number
  readonly epoch: number
  readonly at: number
  readonly served: boolean
  readonly pinned: boolean
  readonly propensity: number
  readonly latencyUs: number
  readonly series: string | undefined
  readonly targetAt: number | undefined
  /** A digest. */
  readonly entity: string | undefined
  readonly covariate: number | undefined
  /** The variant is the champion of the race. */
  readonly champion: boolean
  readonly prediction: PredictedValue
  readonly truth: PredictedValue
  /** Undefined where the truth gives none. */
  readonly loss: number | undefined
  /** The row of the request and that of the answer as JSON; undefined where they are not logged. */
  readonly input: string | undefined
  readonly output: string | undefined
}

/** One replica's prediction of one row, with what really happened. */
export interface StoredLabel {
  readonly request: string
  readonly row: number
  /** Id of the variant. */
  readonly variant: number
  readonly replica: string
  readonly prediction: PredictedValue
  readonly truth: PredictedValue
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

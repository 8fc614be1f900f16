import type { PredictionId } from '../core/uuid.ts'
import type { PredictionRecord } from '../core/wire/records.ts'
import type { DeploymentChange, NewVariant, StoredEpoch, StoredVariant } from './facts/deployment.ts'
import type { DifferencePage, DifferencesCursor } from './facts/pairs.ts'
import type { OutcomeCursor, StoredLabel, StoredOutcome, StoredPrediction } from './facts/prediction.ts'
import type { Decision, LookMemory, NewRace, RaceEnd, RaceEvent, StoredRace } from './facts/race.ts'
import type { Durations, Maturity, RaceSums, Scoreboard } from './facts/sums.ts'
import type { Truth, TruthCounts, TruthSubject } from './facts/truth.ts'

/**
 * The database of events, SQLite or PostgreSQL. Instants are epoch ms. Every method is one transaction, but for long
 * lists of records and truths, and for pruning: those go in steps that are each stored whole, and may be sent again where
 * one fails.
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
   * The next paired differences (loss A − loss B) in the order of the times that they are for, so that whoever follows
   * a race need not read all of them each time. Begin without a cursor, then pass those of earlier pages, in their
   * order: where old pairs have changed, it goes on from the last that they leave standing.
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

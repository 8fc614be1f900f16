export type {
  ChangeCause,
  ChangedVariant,
  DeploymentChange,
  NewVariant,
  StoredEpoch,
  StoredVariant,
} from './facts/deployment.ts'
export type { DifferencePage, DifferencesCursor } from './facts/pairs.ts'
export type { OutcomeCursor, StoredAnswer, StoredLabel, StoredOutcome, StoredPrediction } from './facts/prediction.ts'
export type { Decision, LookMemory, NewRace, RaceEnd, RaceEvent, RaceSpec, StoredRace } from './facts/race.ts'
export type {
  Arm,
  ArmSums,
  CapSums,
  CrossSums,
  Durations,
  EpochArms,
  Maturity,
  RaceSums,
  Scoreboard,
} from './facts/sums.ts'
export type { Truth, TruthCounts, TruthSubject } from './facts/truth.ts'
export { openPostgresStore, openSqliteStore, openStore } from './open.node.ts'
export type { Store } from './store.ts'
export { type BucketCount, toBucket, toBucketBounds, toDurationMs } from './sums/durations.ts'

export { type CrossMoments, mergeCross } from './cross.ts'
export { type BucketCount, toDurationMs } from './durations.ts'
export { openPostgresStore, openSqliteStore, openStore } from './open.node.ts'
export type {
  Arm,
  ArmSums,
  Decision,
  DifferencePage,
  DifferencesCursor,
  Durations,
  EpochArms,
  Maturity,
  NewRace,
  NewVariant,
  OutcomeCursor,
  RaceEnd,
  RaceSpec,
  RaceSums,
  Scoreboard,
  Store,
  StoredAnswer,
  StoredEpoch,
  StoredOutcome,
  StoredPrediction,
  StoredRace,
  StoredVariant,
  Truth,
  TruthCounts,
} from './store.ts'

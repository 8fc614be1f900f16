export type { OutcomeCursor, StoredOutcome } from './export.ts'
export { openSqliteStore } from './open.node.ts'
export type {
  Arm,
  Decision,
  EpochArms,
  NewRace,
  NewVariant,
  RaceEnd,
  RaceSpec,
  Scoreboard,
  Store,
  StoredAnswer,
  StoredEpoch,
  StoredPrediction,
  StoredRace,
  StoredVariant,
  Truth,
  TruthCounts,
} from './store.ts'

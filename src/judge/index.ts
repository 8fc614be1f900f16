export {
  addToBlocks,
  type BlockedEstimate,
  type Blocks,
  emptyBlocks,
  toBlockedEstimate,
  toBlocks,
} from './blocking.ts'
export { type BoundedState, emptyBounded, foldBounded } from './bounded.ts'
export { addToCap, applyCap, CAP_LABELS, type CapProgress, type CapState, emptyCap, isAtCap, toCapped } from './cap.ts'
export { toDominance, toFarthest, toRatioM2, toResidualSquare } from './dominance.ts'
export type { EpochCounts, Estimate, SplitEpoch } from './estimate.ts'
export type {
  AdjustedEvidence,
  BoundedEvidence,
  DependentEvidence,
  Evidence,
  JointEpoch,
  PairedEvidence,
  PairedRatioEvidence,
  SplitEvidence,
  SplitRatioEvidence,
} from './evidence.ts'
export { isBreached, isNonInferior, toLowerBound } from './guardrail.ts'
export {
  addLook,
  type Decision,
  emptyHistory,
  isDrifting,
  type RaceHistory,
  type Stamp,
  toStandingState,
} from './history.ts'
export { emptyJoint, foldJoint, type JointMoments, mergeJoint, removeJoint, toPlainJoint } from './joint.ts'
export { type ArmHealth, type Guardrail, type GuardrailRule, type LatencyBucket, toGuardrails } from './limits.ts'
export { type LossRange, type LossSpec, type LossTerms, toLoss, toLossRange, toLossTerms, toSize } from './loss.ts'
export {
  type ArmCounts,
  fillMissing,
  type MatureArm,
  type MissingBounds,
  type MissingPolicy,
  type MissingRule,
  toLabelledShare,
  toMatureEstimate,
  toMissing,
} from './maturity.ts'
export { emptyMoments, fold, type Moments, merge, remove, variance } from './moments.ts'
export { toDiscoveries, toPairCount, toSharedRule } from './multiple.ts'
export { type SequenceRule, toOneSidedMultiplier } from './multiplier.ts'
export { addToOrdered, type Ordered, toEmptyOrdered, toOrderedEvidence } from './ordered.ts'
export {
  type Plan,
  type PlanRange,
  toLabelsForEquivalence,
  toLabelsNeeded,
  toPlan,
  toPlanRange,
  toPlanText,
} from './plan.ts'
export type { Design, Gate, RaceRule, Verdict, VerdictState } from './race.ts'
export { type RateEpoch, type RateRatio, toRateRatio, toWinRate, type WinRate } from './rates.ts'
export { type CompanionJson, type LabelsJson, type ReplayLine, toReplayLine } from './replay/line.ts'
export { toLossName } from './replay/names.ts'
export { makePairTally } from './replay/pair-tallies.ts'
export { Replay, type ReplayLook, type ReplaySettings } from './replay/replay.ts'
export { type OutcomeRow, parseOutcomeRow } from './replay/row.ts'
export { type RaceSettings, toRaceRule, toReach } from './rule.ts'
export type { ArmNames } from './sentence.ts'
export { isDecided, judgeRace } from './verdict.ts'
export { addToWeightedBlocks, emptyWeightedBlocks, type WeightedBlocks } from './weighted-blocks.ts'

export { toDominance, toFarthest, toRatioM2, toResidualSquare } from './gates/dominance.ts'
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
} from './gates/maturity.ts'
export { isBreached, isNonInferior, toLowerBound } from './guardrails/guardrail.ts'
export {
  type ArmHealth,
  type Guardrail,
  type GuardrailRule,
  type LatencyBucket,
  toGuardrails,
} from './guardrails/limits.ts'
export { type RateEpoch, type RateRatio, toRateRatio, toWinRate, type WinRate } from './guardrails/rates.ts'
export { type CompanionJson, type LabelsJson, type ReplayLine, toReplayLine } from './replay/line.ts'
export { toLossName } from './replay/names.ts'
export { makePairTally } from './replay/pair-tallies.ts'
export { Replay, type ReplayLook, type ReplaySettings } from './replay/replay.ts'
export { type OutcomeRow, parseOutcomeRow } from './replay/row.ts'
export {
  addToBlocks,
  type BlockedEstimate,
  type Blocks,
  emptyBlocks,
  toBlockedEstimate,
  toBlocks,
} from './sequence/blocking.ts'
export { type BoundedState, emptyBounded, foldBounded } from './sequence/bounded.ts'
export type { EpochCounts, Estimate, SplitEpoch } from './sequence/estimate.ts'
export { type SequenceRule, toOneSidedMultiplier } from './sequence/multiplier.ts'
export { addToOrdered, type Ordered, toEmptyOrdered, toOrderedEvidence } from './sequence/ordered.ts'
export {
  type Plan,
  type PlanRange,
  toLabelsForEquivalence,
  toLabelsNeeded,
  toPlan,
  toPlanRange,
  toPlanText,
} from './sequence/plan.ts'
export { addToWeightedBlocks, emptyWeightedBlocks, type WeightedBlocks } from './sequence/weighted-blocks.ts'
export {
  addToCap,
  applyCap,
  CAP_LABELS,
  type CapProgress,
  type CapState,
  emptyCap,
  isAtCap,
  toCapped,
} from './sums/cap.ts'
export { emptyJoint, foldJoint, type JointMoments, mergeJoint, removeJoint, toPlainJoint } from './sums/joint.ts'
export { type LossRange, type LossSpec, type LossTerms, toLoss, toLossRange, toLossTerms, toSize } from './sums/loss.ts'
export { emptyMoments, fold, type Moments, merge, remove, variance } from './sums/moments.ts'
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
} from './verdict/evidence.ts'
export {
  addLook,
  type Decision,
  emptyHistory,
  isDrifting,
  type RaceHistory,
  type Stamp,
  toStandingState,
} from './verdict/history.ts'
export { toDiscoveries, toPairCount, toSharedRule } from './verdict/multiple.ts'
export type { Design, Gate, RaceRule, Verdict, VerdictState } from './verdict/race.ts'
export { type RaceSettings, toRaceRule, toReach } from './verdict/rule.ts'
export type { ArmNames } from './verdict/sentence.ts'
export { isDecided, judgeRace } from './verdict/verdict.ts'

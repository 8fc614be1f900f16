export type {
  ArmJson,
  DecisionJson,
  DeleteResponseJson,
  DeployRequestJson,
  DeployResponseJson,
  ErrorJson,
  EventJson,
  GuardrailJson,
  OutcomeJson,
  ProcessJson,
  PromoteResponseJson,
  RaceEventJson,
  RaceJson,
  RacePointJson,
  RaceSeriesJson,
  RaceSummaryJson,
  RacesJson,
  RampJson,
  RecordsResponseJson,
  StatusJson,
  TraceAnswerJson,
  TraceJson,
  TruthCountsJson,
  TruthJson,
  TruthResponseJson,
  VariantJson,
  VerdictJson,
} from './api.ts'
export { type Control, type ControlOptions, type ControlTimings, startControl } from './control.node.ts'
export { toFirstRoutes, toFirstVariant } from './deployed.ts'
export { type LocalControl, type LocalControlOptions, startLocalControl } from './local.node.ts'
export type { Logger } from './logger.ts'
export { toWishedPlan } from './planning.ts'
export { toRaceSpec, toSpecDigest } from './race-rule.ts'
export { type Scope, toScopedToken } from './tokens.ts'

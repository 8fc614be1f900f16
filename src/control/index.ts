export type {
  ArmJson,
  DeleteResponseJson,
  DeployRequestJson,
  DeployResponseJson,
  ErrorJson,
  EventJson,
  OutcomeJson,
  ProcessJson,
  PromoteResponseJson,
  RaceJson,
  RacePointJson,
  RaceSeriesJson,
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
export { type LocalControl, type LocalControlOptions, startLocalControl } from './local.node.ts'
export type { Logger } from './logger.ts'
export { type Scope, toScopedToken } from './tokens.ts'

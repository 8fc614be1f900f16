export type { LocalEvent } from './local/events.ts'
export { cleanLeftovers } from './local/leftovers.node.ts'
export type { LogLimits } from './local/log.node.ts'
export type { GatewayOptions, LocalTargetOptions } from './local/options.node.ts'
export { pruneLocalModels, type UnusedModels } from './local/prune.node.ts'
export { openLocalTarget } from './local/target.node.ts'
export type { Timings } from './local/timings.ts'
export type {
  DeploymentPlan,
  Health,
  ProcessState,
  ReplicaState,
  Target,
  TargetState,
  VariantPlan,
} from './target.ts'

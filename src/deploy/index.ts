export type { Change } from './kube/changes.ts'
export { type Kube, type KubeOptions, openKube } from './kube/client.node.ts'
export { listReadyPods, untilControl } from './kube/control-pod.node.ts'
export { pruneDocuments, readDocuments, writeDocuments } from './kube/documents.node.ts'
export type { KubeEvent } from './kube/events.ts'
export { type Forward, openForward } from './kube/forward.node.ts'
export {
  checkCluster,
  type FirstVariant,
  findNextVariantId,
  type InstallOptions,
  installBase,
  isNew,
  planInstall,
  readAdminToken,
  type Uninstalled,
  uninstall,
} from './kube/install.node.ts'
export { acquireLease, type HeldLease, type LeaseOptions } from './kube/lease.node.ts'
export { toDeployerAccess } from './kube/objects/access.ts'
export { toAllObjects } from './kube/objects/base.ts'
export { toYaml } from './kube/render.ts'
export { readRoutesRecord } from './kube/routes-record.node.ts'
export { toImage, toNames } from './kube/settings.ts'
export { type KubeTargetOptions, openKubeTarget } from './kube/target.node.ts'
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
  Notice,
  ProcessState,
  ReplicaState,
  Target,
  TargetState,
  VariantPlan,
} from './target.ts'

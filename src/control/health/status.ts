import type { ProcessState, ReplicaState, TargetState } from '../../deploy/index.ts'
import type { RaceJson } from '../api/race.ts'
import type { ProcessJson, StatusJson, VariantJson } from '../api/status.ts'
import type { Deployment } from '../deployment/deployment.ts'
import type { Member } from '../deployment/member.ts'
import { toRaceSummary } from '../race/json.ts'
import type { Slowness } from './slowness.ts'

/** What a status is made of beside the deployment and the target's state. */
export interface StatusFacts {
  readonly name: string
  readonly target: StatusJson['target']
  /** Per variant. */
  readonly replicas: number
  readonly droppedRecords: number
  readonly races: readonly RaceJson[]
  /** Replicas that perform poorly, by name. */
  readonly slow: ReadonlyMap<string, Slowness>
}

/** Says what is deployed and how it is: the live variants, then those on their way. */
export function toStatus(deployment: Deployment, state: TargetState, facts: StatusFacts): StatusJson {
  const { live, pending } = deployment
  const variants = [
    ...live.map(member => toVariant(member, true, state, facts)),
    ...pending.map(member => toVariant(member, false, state, facts)),
  ]
  // A replica too many that fails is a rollout that does not get on.
  const isWhole = ({ live, replicas, wantedReplicas }: VariantJson): boolean =>
    live &&
    replicas.filter(({ state }) => state === 'ready').length >= wantedReplicas &&
    replicas.every(({ state }) => state !== 'failing')
  return {
    schema: 'regatta/status/v1',
    deployment: facts.name,
    target: facts.target,
    epoch: deployment.epoch,
    ready: variants.length > 0 && variants.every(isWhole) && state.gateway.health.state === 'ready',
    gateway: {
      url: state.gatewayUrl ?? null,
      grpcUrl: state.gatewayGrpcUrl ?? null,
      process: toProcess(state.gateway, undefined),
      droppedRecords: facts.droppedRecords,
    },
    variants,
    races: facts.races.map(toRaceSummary),
  }
}

function toVariant(
  member: Member,
  live: boolean,
  state: TargetState,
  { replicas: wantedReplicas, slow, target }: StatusFacts,
): VariantJson {
  const { name, version, digest, role } = member
  const replicas = state.replicas
    .filter(replica => replica.variant === member.id)
    .map(replica => toProcess(replica, toSkewed(replica, member) ?? toPoor(replica, slow, target)))
  return { name, version, digest, role, weight: live ? member.weight : 0, live, wantedReplicas, replicas }
}

/** Somebody has given a replica another image than that of its variant. */
function toSkewed({ digest, name }: ReplicaState, member: Member): Concern | undefined {
  if (digest === undefined || digest === member.digest) return undefined
  // A pod is named after its Deployment.
  const deployment = name.replace(/-[a-z0-9]+-[a-z0-9]+$/, '')
  const reason =
    `it runs image ${digest}, and its variant is version ${member.version}, ${member.digest}; ` +
    `try: kubectl delete pod ${name}: it is made anew with the right one; where it comes back so, somebody has changed ` +
    `its Deployment: kubectl rollout undo deployment/${deployment}`
  return { code: 'VERSION_SKEW', reason }
}

function toPoor(replica: ReplicaState, slow: StatusFacts['slow'], target: StatusFacts['target']): Concern | undefined {
  const found = slow.get(replica.name)
  if (found === undefined) return undefined
  const { code, evidence, fix, isToEnd } = found
  const end = target === 'kubernetes' ? `kubectl delete pod ${replica.name}` : `kill ${replica.pid}`
  const more = isToEnd ? `, and end it, so that it is made anew: ${end}` : ''
  return { code, reason: `${evidence}; try: ${fix}${more}` }
}

/** What is wrong with a process that is ready. */
interface Concern {
  readonly code: string
  readonly reason: string
}

function toProcess({ name, health, pid, restarts }: ProcessState, concern: Concern | undefined): ProcessJson {
  const known = health.state === 'failing' ? health : health.state === 'ready' ? concern : undefined
  const { code, reason } = known ?? { code: null, reason: null }
  const since = new Date(health.since).toISOString()
  return { name, state: health.state, since, pid: pid ?? null, restarts, code, reason }
}

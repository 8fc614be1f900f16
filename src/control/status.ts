import type { ProcessState, TargetState } from '../deploy/index.ts'
import type { ProcessJson, RaceJson, StatusJson, VariantJson } from './api.ts'
import type { Deployment } from './deployment.ts'
import type { Member } from './member.ts'
import { toRaceSummary } from './race-json.ts'
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
      process: toProcess(state.gateway, facts.slow),
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
  { replicas: wantedReplicas, slow }: StatusFacts,
): VariantJson {
  const { name, version, digest, role } = member
  const replicas = state.replicas
    .filter(replica => replica.variant === member.id)
    .map(replica => toProcess(replica, slow))
  return { name, version, digest, role, weight: live ? member.weight : 0, live, wantedReplicas, replicas }
}

function toProcess({ name, health, pid, restarts }: ProcessState, slow: StatusFacts['slow']): ProcessJson {
  const known = health.state === 'failing' ? health : health.state === 'ready' ? slow.get(name) : undefined
  const { code, reason } = known ?? { code: null, reason: null }
  const since = new Date(health.since).toISOString()
  return { name, state: health.state, since, pid: pid ?? null, restarts, code, reason }
}

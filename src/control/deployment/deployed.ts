import type { Project } from '../../config/index.ts'
import { parseVariantName } from '../../core/brands.ts'
import type { Capture, Routes, RoutesCause, RouteVariant } from '../../core/wire/routes.ts'
import type { DeploymentPlan, TargetState, VariantPlan } from '../../deploy/index.ts'
import type { ChangedVariant } from '../../store/index.ts'
import { toFirstName } from './commands.ts'
import { type Deployment, findLive, listChallengers } from './deployment.ts'
import type { Member } from './member.ts'

/*
 * What a deployment asks of those around it: of the target a plan, of the gateways routes, of the database weights and
 * races.
 */

/** The plan of everything that shall run: one entry per variant id. */
export function toPlan(deployment: Deployment, name: string, replicas: number): DeploymentPlan {
  const members = [...deployment.live, ...deployment.pending, ...deployment.leaving]
  const variants = new Map<number, VariantPlan>()
  for (const { id, name, version, digest } of members) variants.set(id, { id, name, version, digest, replicas })
  return { deployment: name, variants: [...variants.values()].sort((a, b) => a.id - b.id) }
}

/** What gateways take out of requests and answers. */
export function toCapture({ covariate, entity, log, prediction, sample, truth }: Project['race']): Capture {
  const { series, at } = truth.by === 'series' ? truth : {}
  return {
    ...(prediction !== undefined && { prediction }),
    ...(series !== undefined && { series }),
    ...(at !== undefined && { at }),
    ...(entity !== undefined && { entity }),
    ...(covariate !== undefined && { covariate }),
    ...(sample !== undefined && { sample }),
    ...(log !== 'none' && { log }),
  }
}

/** The only variant of a deployment that is new. */
export function toFirstVariant(
  { race, serve }: Project,
  { version, digest }: Pick<VariantPlan, 'version' | 'digest'>,
  name?: string,
): VariantPlan {
  const own = name === undefined ? toFirstName(race) : parseVariantName(name)
  return { id: 1, name: own, version, digest, replicas: serve.replicas }
}

/** The routes to the only variant of a deployment that is new: a control that starts on them goes on from there. */
export function toFirstRoutes(
  { name, race }: Project,
  { replicas: _, ...variant }: VariantPlan,
  cause?: RoutesCause,
): Routes {
  return {
    schema: 'regatta/routes/v1',
    deployment: name,
    epoch: 1,
    variants: [{ ...variant, role: 'champion', weight: 1, replicas: [] }],
    capture: toCapture(race),
    ...(cause !== undefined && { cause }),
  }
}

/** The routes of a deployment: its live variants with those of their replicas that are ready. */
export function toRoutes(deployment: Deployment, name: string, state: TargetState, capture: Capture): Routes {
  const variants = deployment.live.map(({ ramp: _, ...member }) => ({
    ...member,
    replicas: toReadyReplicas(state, member.id),
  }))
  return { schema: 'regatta/routes/v1', deployment: name, epoch: deployment.epoch, variants, capture }
}

function toReadyReplicas(state: TargetState, variant: number): RouteVariant['replicas'] {
  return state.replicas
    .flatMap(({ variant: of, health, name, url, grpcUrl }) =>
      of === variant && health.state === 'ready' && url !== undefined
        ? [{ name, url, ...(grpcUrl === undefined ? {} : { grpcUrl }) }]
        : [],
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Counts the ready replicas of each variant id. */
export function toReadyCount(state: TargetState): (variant: number) => number {
  return variant => toReadyReplicas(state, variant).length
}

/** Weights by variant id, as an epoch notes them. */
export function toWeights(deployment: Deployment): Readonly<Record<number, number>> {
  return Object.fromEntries(deployment.live.map(member => [member.id, member.weight]))
}

/** What is in the routes, for those who ask later. */
export function toChangedVariants(deployment: Deployment): readonly ChangedVariant[] {
  return deployment.live.map(({ digest, name, role, version, weight }) => ({ name, version, digest, role, weight }))
}

/** Who races whom. */
export interface RacePair {
  readonly a: Member
  readonly b: Member
  readonly design: 'paired' | 'split'
}

/**
 * The races that a deployment asks for: one per challenger against the champion. A shadow sees the champion's
 * requests, a split shares them out.
 */
export function toRacePairs(deployment: Deployment): readonly RacePair[] {
  const a = findLive(deployment, 'champion')
  if (a === undefined) return []
  return listChallengers(deployment).map(b => ({ a, b, design: b.role === 'shadow' ? 'paired' : 'split' }))
}

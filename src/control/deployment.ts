import type { Digest, VariantName } from '../core/brands.ts'
import type { Capture, Role, Routes, RouteVariant } from '../core/wire/routes.ts'
import type { DeploymentPlan, TargetState, VariantPlan } from '../deploy/index.ts'

/** A variant's place in a deployment: `RouteVariant` without its replicas. */
export type Member = Omit<RouteVariant, 'replicas'>

/**
 * What runs under one gateway address, as data.
 * - `live`: in the routes: at most one champion, one challenger and one standby; their weights sum to 1.
 * - `pending`: its replicas start; it becomes live, with the role it stands there with, when they are ready.
 * - `leaving`: out of the routes; its replicas still run for the requests that are under way.
 */
export interface Deployment {
  /** Grows whenever `live` changes. */
  readonly epoch: number
  readonly live: readonly Member[]
  readonly pending: readonly Member[]
  readonly leaving: readonly Member[]
}

/** Part of a deployment that one variant fills. */
export type Slot = 'champion' | 'challenger' | 'standby'

const SLOTS = {
  champion: 'champion',
  split: 'challenger',
  shadow: 'challenger',
  standby: 'standby',
} as const satisfies Record<Role, Slot>

/** The slot of a role: a challenger is in a split or in a shadow. */
export function toSlot(member: { readonly role: Role }): Slot {
  return SLOTS[member.role]
}

/** The live variant of a slot. */
export function findLive(deployment: Deployment, slot: Slot): Member | undefined {
  return deployment.live.find(member => toSlot(member) === slot)
}

/** The deployment that routes on record stand for. */
export function toDeployment(routes: Routes): Deployment {
  const live = routes.variants.map(({ replicas: _, ...member }) => member)
  return { epoch: routes.epoch, live, pending: [], leaving: [] }
}

/** The plan of everything that shall run: one entry per variant id. */
export function toPlan(deployment: Deployment, name: string, replicas: number): DeploymentPlan {
  const members = [...deployment.live, ...deployment.pending, ...deployment.leaving]
  const variants = new Map<number, VariantPlan>()
  for (const { id, name, version, digest } of members) variants.set(id, { id, name, version, digest, replicas })
  return { deployment: name, variants: [...variants.values()].sort((a, b) => a.id - b.id) }
}

/** The routes of a deployment: its live variants with those of their replicas that are ready. */
export function toRoutes(deployment: Deployment, name: string, state: TargetState, capture: Capture): Routes {
  const variants = deployment.live.map(member => ({ ...member, replicas: toReadyReplicas(state, member.id) }))
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

/** Who races whom; undefined where there is no champion with a challenger. */
export interface RacePair {
  readonly a: Member
  readonly b: Member
  readonly design: 'paired' | 'split'
}

/** The race that a deployment asks for: a shadow sees the champion's requests, a split shares them out. */
export function toRacePair(deployment: Deployment): RacePair | undefined {
  const a = findLive(deployment, 'champion')
  const b = findLive(deployment, 'challenger')
  if (a === undefined || b === undefined) return undefined
  return { a, b, design: b.role === 'shadow' ? 'paired' : 'split' }
}

/** What a deploy command asks for. */
export interface Wish {
  readonly version: number
  readonly digest: Digest
  /** Undefined: the champion's name. */
  readonly variant: VariantName | undefined
  /** Undefined: the version becomes or replaces the champion. */
  readonly challenger: { readonly mode: 'shadow' } | { readonly mode: 'split'; readonly weight: number } | undefined
}

/** A member whose replicas may already run: it has an id only once it is registered. */
export type NewMember = Omit<Member, 'id'>

/** The running or starting variant of the same name, version and digest, whatever its role is. */
export function findSame(deployment: Deployment, member: NewMember): Member | undefined {
  return [...deployment.live, ...deployment.pending].find(
    other => other.name === member.name && other.version === member.version && other.digest === member.digest,
  )
}

/** Whether exactly this fills its slot, or is about to. */
export function isPlaced(deployment: Deployment, member: NewMember): boolean {
  const inSlot = (other: Member): boolean => toSlot(other) === toSlot(member)
  const holder = deployment.pending.find(inSlot) ?? deployment.live.find(inSlot)
  return holder !== undefined && isAlike(holder, member)
}

/** Same image under the same name, for the same purpose. */
function isAlike(one: NewMember, other: NewMember): boolean {
  if (one.name !== other.name || one.version !== other.version || one.digest !== other.digest) return false
  return one.role === other.role && (one.role !== 'split' || one.weight === other.weight)
}

/** Takes a member in: the first champion is live at once, every other waits until it is ready. */
export function place(deployment: Deployment, member: Member): Deployment {
  if (deployment.live.length === 0 && member.role === 'champion') return enter({ ...deployment, pending: [] }, member)
  const pending = deployment.pending.filter(other => toSlot(other) !== toSlot(member))
  const live = deployment.live.find(other => other.id === member.id)
  if (live !== undefined && live.role === member.role && live.weight === member.weight)
    return { ...deployment, pending }
  return { ...deployment, pending: [...pending, member], leaving: without(deployment.leaving, member.id) }
}

/**
 * Makes pending variants live that are ready: a challenger with its first replica, a champion with all of its
 * replicas, or with the first where the one before it has none.
 */
export function settle(deployment: Deployment, readyOf: (id: number) => number, replicas: number): Deployment {
  const champion = findLive(deployment, 'champion')
  const wantedOf = (member: Member): number =>
    member.role === 'champion' && champion !== undefined && readyOf(champion.id) > 0 ? replicas : 1
  return deployment.pending.filter(member => readyOf(member.id) >= wantedOf(member)).reduce(enter, deployment)
}

/** Puts a member into the routes, in the place of the one of its slot or its name. */
function enter(deployment: Deployment, member: Member): Deployment {
  const others = without(deployment.live, member.id)
  const stays = (other: Member): boolean => other.name !== member.name && toSlot(other) !== toSlot(member)
  return {
    epoch: deployment.epoch + 1,
    live: reweigh([...others.filter(stays), member]),
    pending: without(deployment.pending, member.id),
    leaving: [...without(deployment.leaving, member.id), ...others.filter(other => !stays(other))],
  }
}

/** Makes a live variant the champion; the champion before it stands by, and a former standby leaves. */
export function crown(deployment: Deployment, id: number): Deployment {
  const stays = (member: Member): boolean => member.id === id || member.role !== 'standby'
  const live = deployment.live.filter(stays).map((member): Member => {
    if (member.id === id) return { ...member, role: 'champion' }
    return member.role === 'champion' ? { ...member, role: 'standby' } : member
  })
  // A champion or a namesake on its way would push aside what was just chosen.
  const pending = deployment.pending.filter(
    member => member.role !== 'champion' && live.every(other => other.name !== member.name),
  )
  const leaving = [...deployment.leaving, ...deployment.live.filter(member => !stays(member))]
  return { epoch: deployment.epoch + 1, live: reweigh(live), pending, leaving }
}

/** Forgets leaving variants, so that the plan stops their replicas. */
export function release(deployment: Deployment, ids: readonly number[]): Deployment {
  return { ...deployment, leaving: deployment.leaving.filter(member => !ids.includes(member.id)) }
}

/** The same address with nothing behind it. */
export function clear(deployment: Deployment): Deployment {
  return { epoch: deployment.epoch + 1, live: [], pending: [], leaving: [] }
}

/** A split has its share, the champion the rest, shadows and standbys none. */
function reweigh(members: readonly Member[]): readonly Member[] {
  const share = members.find(member => member.role === 'split')?.weight ?? 0
  const weights = { champion: 1 - share, split: share, shadow: 0, standby: 0 } as const satisfies Record<Role, number>
  const order = { champion: 0, split: 1, shadow: 1, standby: 2 } as const satisfies Record<Role, number>
  return members
    .map(member => ({ ...member, weight: weights[member.role] }))
    .sort((a, b) => order[a.role] - order[b.role])
}

function without(members: readonly Member[], id: number): readonly Member[] {
  return members.filter(member => member.id !== id)
}

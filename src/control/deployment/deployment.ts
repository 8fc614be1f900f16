import type { Digest, VariantName } from '../../core/brands.ts'
import type { Routes } from '../../core/wire/routes.ts'
import {
  isAlike,
  isChallenger,
  isSameImage,
  type Member,
  type NewMember,
  reweigh,
  type Slot,
  toSlot,
  without,
} from './member.ts'

/**
 * What runs under one gateway address, as data.
 * - `live`: in the routes: at most one champion, one standby, and challengers by name; their weights sum to 1.
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

/** The live variant of a slot. */
export function findLive(deployment: Deployment, slot: Slot): Member | undefined {
  return deployment.live.find(member => toSlot(member) === slot)
}

/** The live challengers. */
export function listChallengers(deployment: Deployment): readonly Member[] {
  return deployment.live.filter(isChallenger)
}

/** The live members and those on their way. */
export function listMembers({ live, pending }: Deployment): readonly Member[] {
  return [...live, ...pending]
}

/** The shares of all splits but one, 0–1: of a split that is about to change the larger. */
export function sumOtherShares(deployment: Deployment, name: VariantName): number {
  const shares = new Map<VariantName, number>()
  for (const { name, role, weight } of listMembers(deployment))
    if (role === 'split') shares.set(name, Math.max(weight, shares.get(name) ?? 0))
  shares.delete(name)
  return [...shares.values()].reduce((sum, share) => sum + share, 0)
}

/** A challenger in the deployment, and the shares that all other splits have or are about to have, 0–1. */
export interface Placed {
  readonly challenger: Member
  readonly others: number
}

/** Where a live challenger is in the deployment. */
export function findPlaced(deployment: Deployment, id: number): Placed | undefined {
  const challenger = listChallengers(deployment).find(member => member.id === id)
  return challenger && { challenger, others: sumOtherShares(deployment, challenger.name) }
}

/** The deployment that routes on record stand for. */
export function toDeployment(routes: Routes): Deployment {
  const live = routes.variants.map(({ replicas: _, ...member }) => member)
  return { epoch: routes.epoch, live, pending: [], leaving: [] }
}

/** What a deploy command asks for. */
export interface Wish {
  readonly version: number
  readonly digest: Digest
  /** Undefined: the champion's name. */
  readonly variant: VariantName | undefined
  /** Undefined: the version becomes or replaces the champion. */
  readonly challenger:
    | { readonly mode: 'shadow' }
    | { readonly mode: 'split'; readonly weight: number }
    | { readonly mode: 'ramp' }
    | undefined
}

/** The running or starting variant of the same name, version and digest, whatever its role is. */
export function findSame(deployment: Deployment, member: NewMember): Member | undefined {
  return listMembers(deployment).find(other => isSameImage(other, member))
}

/** Whether exactly this fills its slot, or is about to. */
export function isPlaced(deployment: Deployment, member: NewMember): boolean {
  const inSlot = (other: Member): boolean => toSlot(other) === toSlot(member)
  const holder = deployment.pending.find(inSlot) ?? deployment.live.find(inSlot)
  return holder !== undefined && isAlike(holder, member)
}

/** Takes a member in: the first champion is live at once, every other waits until it is ready. */
export function place(deployment: Deployment, member: Member): Deployment {
  if (deployment.live.length === 0 && member.role === 'champion') return enter({ ...deployment, pending: [] }, member)
  const pending = deployment.pending.filter(other => toSlot(other) !== toSlot(member))
  const live = deployment.live.find(other => other.id === member.id)
  if (live !== undefined && isAlike(live, member)) return { ...deployment, pending }
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
    const { ramp: _, ...crowned } = member
    if (member.id === id) return { ...crowned, role: 'champion' }
    return member.role === 'champion' ? { ...member, role: 'standby' } : member
  })
  // A champion or a namesake on its way would push aside what was just chosen.
  const pending = deployment.pending.filter(
    member => member.role !== 'champion' && live.every(other => isChallenger(other) || other.name !== member.name),
  )
  const leaving = [...deployment.leaving, ...deployment.live.filter(member => !stays(member))]
  return { epoch: deployment.epoch + 1, live: reweigh(live), pending, leaving }
}

/** Gives a live split another share. */
export function giveShare(deployment: Deployment, id: number, weight: number): Deployment {
  const live = deployment.live.map(member => (member.id === id ? { ...member, weight } : member))
  return { ...deployment, epoch: deployment.epoch + 1, live: reweigh(live) }
}

/** Takes a live challenger out of the routes; another version under its name may be on its way. */
export function withdraw(deployment: Deployment, id: number): Deployment {
  return {
    epoch: deployment.epoch + 1,
    live: reweigh(without(deployment.live, id)),
    pending: without(deployment.pending, id),
    leaving: [...deployment.leaving, ...deployment.live.filter(member => member.id === id)],
  }
}

/** Forgets leaving variants, so that the plan stops their replicas. */
export function release(deployment: Deployment, ids: readonly number[]): Deployment {
  return { ...deployment, leaving: deployment.leaving.filter(member => !ids.includes(member.id)) }
}

/** The same address with nothing behind it. */
export function clear(deployment: Deployment): Deployment {
  return { epoch: deployment.epoch + 1, live: [], pending: [], leaving: [] }
}

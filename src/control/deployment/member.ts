import type { Role, RouteVariant } from '../../core/wire/routes.ts'

/** A variant's place in a deployment: `RouteVariant` without its replicas. */
export interface Member extends Omit<RouteVariant, 'replicas'> {
  /** Rising shares that a split is given one after the other; absent where its share stays. */
  readonly ramp?: readonly number[]
}

/** A member whose replicas may already run: it has an id only once it is registered. */
export type NewMember = Omit<Member, 'id'>

/** Part of a deployment that one variant fills: there are as many for challengers as they have names. */
export type Slot = 'champion' | 'standby' | `challenger ${string}`

/** The slot of a member. */
export function toSlot({ role, name }: Pick<Member, 'role' | 'name'>): Slot {
  return role === 'champion' || role === 'standby' ? role : `challenger ${name}`
}

/** Whether a member races the champion, in a split or in a shadow. */
export function isChallenger({ role }: Pick<Member, 'role'>): boolean {
  return role === 'split' || role === 'shadow'
}

/** Same image under the same name. */
export function isSameImage(one: NewMember, other: NewMember): boolean {
  return one.name === other.name && one.version === other.version && one.digest === other.digest
}

/** Same image under the same name, for the same purpose: a ramp is one purpose, whatever share it has come to. */
export function isAlike(one: NewMember, other: NewMember): boolean {
  if (!isSameImage(one, other) || one.role !== other.role) return false
  if (one.ramp !== undefined || other.ramp !== undefined) return isSameRamp(one.ramp, other.ramp)
  return one.role !== 'split' || one.weight === other.weight
}

/** Whether two ramps have the same steps; no ramp is one without steps. */
export function isSameRamp(one: readonly number[] = [], other: readonly number[] = []): boolean {
  return one.length === other.length && one.every((step, at) => step === other[at])
}

/** The members without one of an id. */
export function without(members: readonly Member[], id: number): readonly Member[] {
  return members.filter(member => member.id !== id)
}

const ORDER = { champion: 0, split: 1, shadow: 1, standby: 2 } as const satisfies Record<Role, number>

/** Splits have their shares, the champion the rest, shadows and standbys none. */
export function reweigh(members: readonly Member[]): readonly Member[] {
  const rest = 1 - sumShares(members)
  return members
    .map(member => ({ ...member, weight: toWeight(member, rest) }))
    .sort((a, b) => ORDER[a.role] - ORDER[b.role])
}

function toWeight({ role, weight }: Member, rest: number): number {
  if (role === 'split') return weight
  return role === 'champion' ? rest : 0
}

function sumShares(members: readonly Pick<Member, 'role' | 'weight'>[]): number {
  return members.reduce((sum, { role, weight }) => sum + (role === 'split' ? weight : 0), 0)
}

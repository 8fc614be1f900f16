import { parseVariantName, type VariantName } from '../core/brands.ts'
import { crown, type Deployment, findLive, type Member, type NewMember, toSlot, type Wish } from './deployment.ts'
import { toControlError } from './errors.ts'

/**
 * Decides name and role of what a deploy command asks for.
 *
 * @throws NO_CHAMPION, CHALLENGER_EXISTS, NAME_TAKEN, REQUEST
 */
export function toNewMember(deployment: Deployment, wish: Wish, firstName: VariantName | undefined): NewMember {
  return wish.challenger === undefined
    ? toChampion(deployment, wish, firstName)
    : toChallenger(deployment, wish, wish.challenger)
}

function toChampion(deployment: Deployment, wish: Wish, firstName: VariantName | undefined): NewMember {
  const { version, digest } = wish
  const current = findLive(deployment, 'champion')?.name ?? firstName ?? parseVariantName('a')
  const name = wish.variant ?? current
  if (findIn(deployment, 'challenger').some(member => member.name === name)) {
    throw toControlError(
      'NAME_TAKEN',
      `Cannot deploy version ${version} as champion "${name}": the challenger has this name`,
      `Promote the challenger, deploy version ${version} as challenger "${name}", or leave the variant's name out`,
    )
  }
  return { name, version, digest, role: 'champion', weight: 1 }
}

function toChallenger(deployment: Deployment, wish: Wish, how: NonNullable<Wish['challenger']>): NewMember {
  const { version, digest, variant: name } = wish
  if (name === undefined) {
    throw toControlError('REQUEST', 'Cannot deploy a challenger without a name', 'Name the variant, for example "b"')
  }
  const champions = findIn(deployment, 'champion')
  if (champions.length === 0) {
    throw toControlError(
      'NO_CHAMPION',
      `Cannot deploy challenger "${name}": nothing is deployed that it could race`,
      'Deploy a version without a challenger first: it becomes the champion',
    )
  }
  if (champions.some(member => member.name === name)) {
    throw toControlError(
      'NAME_TAKEN',
      `Cannot deploy challenger "${name}": the champion has this name`,
      'Give the challenger a name of its own, for example "b"',
    )
  }
  const other = findIn(deployment, 'challenger').find(member => member.name !== name)
  if (other !== undefined) {
    throw toControlError(
      'CHALLENGER_EXISTS',
      `Cannot deploy challenger "${name}": "${other.name}" races already, and one challenger races at a time`,
      `Promote "${other.name}", or deploy this version under its name to replace it`,
    )
  }
  return { name, version, digest, role: how.mode, weight: how.mode === 'split' ? how.weight : 0 }
}

/** Live and pending members of a slot. */
function findIn(deployment: Deployment, slot: 'champion' | 'challenger'): readonly Member[] {
  return [...deployment.live, ...deployment.pending].filter(member => toSlot(member) === slot)
}

/**
 * Makes the challenger, or the live variant of this name, the champion.
 *
 * @throws NO_CHALLENGER, VARIANT_UNKNOWN, ALREADY_CHAMPION, NOT_READY
 */
export function promote(
  deployment: Deployment,
  name: VariantName | undefined,
  readyOf: (id: number) => number,
): Deployment {
  const chosen =
    name === undefined ? findLive(deployment, 'challenger') : deployment.live.find(member => member.name === name)
  if (chosen === undefined) throw toMissing(deployment, name)
  if (chosen.role === 'champion') {
    throw toControlError(
      'ALREADY_CHAMPION',
      `Cannot promote "${chosen.name}": it is the champion already`,
      'Nothing is left to do; the status names the champion',
    )
  }
  requireReady(chosen, readyOf)
  return crown(deployment, chosen.id)
}

function toMissing(deployment: Deployment, name: VariantName | undefined): Error {
  const waits = deployment.pending.find(member =>
    name === undefined ? toSlot(member) === 'challenger' : member.name === name,
  )
  if (waits !== undefined) return toNotReady(waits)
  if (name === undefined) {
    return toControlError(
      'NO_CHALLENGER',
      'Cannot promote: no challenger is deployed',
      'Deploy a version as challenger first, or name a standby to promote',
    )
  }
  const names = deployment.live.map(member => `"${member.name}"`).join(', ')
  return toControlError(
    'VARIANT_UNKNOWN',
    `Cannot promote "${name}": no variant has this name`,
    names === '' ? 'Deploy a version first' : `Choose one of ${names}`,
  )
}

/**
 * Swaps the champion with the standby.
 *
 * @throws NO_STANDBY, NOT_READY
 */
export function rollback(deployment: Deployment, readyOf: (id: number) => number): Deployment {
  const standby = findLive(deployment, 'standby')
  if (standby === undefined) {
    throw toControlError(
      'NO_STANDBY',
      'Cannot roll back: no former champion stands by',
      'Deploy the version that shall answer; only a promotion leaves a standby',
    )
  }
  requireReady(standby, readyOf)
  return crown(deployment, standby.id)
}

function requireReady(member: Member, readyOf: (id: number) => number): void {
  if (readyOf(member.id) === 0) throw toNotReady(member)
}

function toNotReady(member: Member): Error {
  return toControlError(
    'NOT_READY',
    `Cannot make "${member.name}" the champion: none of its replicas is ready`,
    'Wait until the status says ready; the log of its replica says what is in the way',
  )
}

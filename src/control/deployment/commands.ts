import type { RaceConfig } from '../../config/index.ts'
import { parseVariantName, type VariantName } from '../../core/brands.ts'
import { toControlError } from '../errors.ts'
import {
  crown,
  type Deployment,
  findLive,
  listChallengers,
  listMembers,
  sumOtherShares,
  type Wish,
} from './deployment.ts'
import { isChallenger, type Member, type NewMember } from './member.ts'

/** What the configuration says of variants that are taken in. */
export type EntryRule = Pick<RaceConfig, 'champion' | 'ramp'>

/**
 * Decides name, role and share of what a deploy command asks for.
 *
 * @throws NO_CHAMPION, NAME_TAKEN, SHARES_TAKEN, RAMP_NONE, REQUEST
 */
export function toNewMember(deployment: Deployment, wish: Wish, rule: EntryRule): NewMember {
  if (wish.challenger === undefined) return toChampion(deployment, wish, rule)
  return toChallenger(deployment, wish, toPart(wish.challenger, rule.ramp))
}

/** The name of the first champion of a deployment, where the command says none. */
export function toFirstName({ champion }: Pick<EntryRule, 'champion'>): VariantName {
  return champion ?? parseVariantName('a')
}

function toChampion(deployment: Deployment, wish: Wish, rule: EntryRule): NewMember {
  const { version, digest } = wish
  const current = findLive(deployment, 'champion')?.name ?? toFirstName(rule)
  const name = wish.variant ?? current
  if (listMembers(deployment).some(member => isChallenger(member) && member.name === name)) {
    throw toControlError(
      'NAME_TAKEN',
      `Cannot deploy version ${version} as champion "${name}": a challenger has this name`,
      `Promote the challenger, deploy version ${version} as challenger "${name}", or leave the variant's name out`,
    )
  }
  return { name, version, digest, role: 'champion', weight: 1 }
}

type Part = Pick<NewMember, 'role' | 'weight' | 'ramp'>

function toPart(how: NonNullable<Wish['challenger']>, ramp: readonly number[]): Part {
  if (how.mode === 'shadow') return { role: 'shadow', weight: 0 }
  if (how.mode === 'split') return { role: 'split', weight: how.weight }
  const [weight] = ramp
  if (weight !== undefined) return { role: 'split', weight, ramp }
  throw toControlError(
    'RAMP_NONE',
    'Cannot deploy a challenger in a ramp: race.ramp of regatta.yaml has no steps',
    'Set race.ramp, for example [5%, 20%, 50%], and race.guardrails, or give the challenger a weight',
  )
}

function toChallenger(deployment: Deployment, { version, digest, variant: name }: Wish, part: Part): NewMember {
  if (name === undefined) {
    throw toControlError('REQUEST', 'Cannot deploy a challenger without a name', 'Name the variant, for example "b"')
  }
  const champions = listMembers(deployment).filter(member => member.role === 'champion')
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
  requireRoom(deployment, name, part.weight)
  return { name, version, digest, ...part }
}

function requireRoom(deployment: Deployment, name: VariantName, weight: number): void {
  const taken = sumOtherShares(deployment, name)
  if (weight === 0 || taken + weight < 1) return
  throw toControlError(
    'SHARES_TAKEN',
    `Cannot give challenger "${name}" ${toPercent(weight)} of the requests: the others have ${toPercent(taken)}, and the champion keeps some`,
    `Give it less than ${toPercent(1 - taken)}, or let it see copies`,
  )
}

function toPercent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`
}

/**
 * Makes the only challenger, or the live variant of this name, the champion.
 *
 * @throws NO_CHALLENGER, CHALLENGERS_SEVERAL, VARIANT_UNKNOWN, ALREADY_CHAMPION, NOT_READY
 */
export function promote(
  deployment: Deployment,
  name: VariantName | undefined,
  readyOf: (id: number) => number,
): Deployment {
  const chosen =
    name === undefined ? findOnlyChallenger(deployment) : deployment.live.find(member => member.name === name)
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

function findOnlyChallenger(deployment: Deployment): Member | undefined {
  const challengers = listChallengers(deployment)
  if (challengers.length < 2) return challengers[0]
  throw toControlError(
    'CHALLENGERS_SEVERAL',
    `Cannot promote: ${challengers.length} challengers race, and none is named`,
    `Name one of ${challengers.map(member => `"${member.name}"`).join(', ')}`,
  )
}

function toMissing(deployment: Deployment, name: VariantName | undefined): Error {
  const waits = deployment.pending.find(member => (name === undefined ? isChallenger(member) : member.name === name))
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

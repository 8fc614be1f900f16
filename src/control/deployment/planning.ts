import type { Project } from '../../config/index.ts'
import { parseDigest, parseVariantName } from '../../core/brands.ts'
import type { Routes } from '../../core/wire/routes.ts'
import type { DeploymentPlan } from '../../deploy/index.ts'
import type { DeployRequestJson } from '../api/commands.ts'
import { toNewMember } from './commands.ts'
import { toPlan } from './deployed.ts'
import { type Deployment, findSame, isPlaced, place, release, settle, toDeployment } from './deployment.ts'

const NOTHING: Deployment = { epoch: 0, live: [], pending: [], leaving: [] }

/**
 * What will run once a deployment is through, where the routes on record are what runs now: a variant that is new has the id
 * `nextId`. @throws NO_CHAMPION, NAME_TAKEN, SHARES_TAKEN, RAMP_NONE, REQUEST
 */
export function toWishedPlan(
  { name: deployment, race, serve }: Project,
  routes: Routes | undefined,
  { version, digest, variant, challenger }: DeployRequestJson,
  nextId: number,
): DeploymentPlan {
  const now = routes === undefined ? NOTHING : toDeployment(routes)
  const name = variant === undefined ? undefined : parseVariantName(variant)
  const member = toNewMember(now, { version, digest: parseDigest(digest), variant: name, challenger }, race)
  if (isPlaced(now, member)) return toPlan(now, deployment, serve.replicas)
  const placed = place(now, { ...member, id: findSame(now, member)?.id ?? nextId })
  const settled = settle(placed, () => serve.replicas, serve.replicas)
  const ended = release(
    settled,
    settled.leaving.map(({ id }) => id),
  )
  return toPlan(ended, deployment, serve.replicas)
}

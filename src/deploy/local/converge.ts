import { RegattaError } from '../../core/errors.ts'
import type { DeploymentPlan, VariantPlan } from '../target.ts'

/** A replica that runs and is not stopping. */
export interface RunningReplica {
  readonly name: string
  readonly variant: VariantPlan
}

/** What to do so that the running replicas become the plan's. */
export interface Changes {
  readonly start: readonly RunningReplica[]
  /** Names of replicas. */
  readonly stop: readonly string[]
}

const MAX_REPLICAS = 64

/** Checks that a plan can be carried out by this deployment's target. @throws TARGET_PLAN */
export function checkPlan(plan: DeploymentPlan, deployment: string, running: readonly RunningReplica[]): void {
  if (plan.deployment !== deployment)
    throw toPlanError(`deployment "${plan.deployment}"`, `expected "${deployment}", which this target runs`)
  const ids = new Set<number>()
  for (const { id, name, replicas, digest } of plan.variants) {
    const variant = `variant "${name}" (id ${id})`
    if (ids.has(id)) throw toPlanError(variant, 'its id stands twice in the plan')
    ids.add(id)
    if (!Number.isInteger(replicas) || replicas < 0 || replicas > MAX_REPLICAS)
      throw toPlanError(variant, `expected 0 to ${MAX_REPLICAS} replicas, found ${replicas}`)
    const before = running.find(replica => replica.variant.id === id)?.variant
    if (before !== undefined && (before.digest !== digest || before.name !== name))
      throw toPlanError(variant, `its id already names "${before.name}" with ${before.digest}`)
  }
}

/** The error of a plan that can never run here. */
export function toPlanError(subject: string, problem: string, more: { fix?: string; cause?: unknown } = {}) {
  return new RegattaError('TARGET_PLAN', `Cannot run ${subject}: ${problem}`, more)
}

/**
 * Compares what runs with the plan. A new replica gets the lowest number of its variant's name that no process
 * has, `taken` (stopping ones included), so that `a-1` never means two processes at once; where there are too
 * many, those started last go first.
 */
export function toChanges(
  plan: DeploymentPlan,
  running: readonly RunningReplica[],
  taken: ReadonlySet<string>,
): Changes {
  const start: RunningReplica[] = []
  const stop: string[] = []
  const names = new Set(taken)
  for (const variant of plan.variants) {
    const own = running.filter(replica => replica.variant.id === variant.id)
    stop.push(...own.slice(variant.replicas).map(replica => replica.name))
    for (let count = own.length; count < variant.replicas; count++) {
      const name = toFreeName(variant.name, names)
      names.add(name)
      start.push({ name, variant })
    }
  }
  const planned = new Set(plan.variants.map(variant => variant.id))
  stop.push(...running.filter(replica => !planned.has(replica.variant.id)).map(replica => replica.name))
  return { start, stop }
}

function toFreeName(variant: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number++) if (!taken.has(`${variant}-${number}`)) return `${variant}-${number}`
}

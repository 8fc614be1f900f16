import type { RaceEnd, RaceSpec, Store, StoredRace } from '../../store/index.ts'
import { type RacePair, toRacePairs } from '../deployment/deployed.ts'
import { type Deployment, findLive } from '../deployment/deployment.ts'
import { isSameRamp } from '../deployment/member.ts'

/** What the races of a deployment are switched by. */
export interface RaceSwitch {
  readonly store: Store
  readonly deployment: Deployment
  /** The rule of a race that starts now, whose challenger has this ramp. */
  readonly toSpec: (ramp: readonly number[]) => RaceSpec
  readonly at: number
  /** How a race ends that the deployment asks for no more, where the deployment itself does not say it. */
  readonly how: 'replaced' | 'stopped' | 'spent'
}

/**
 * Starts the races that a deployment asks for and that do not run yet; those that it asks for no more end before, so
 * that they are not taken for races at the same time. Says whether one started.
 */
export async function startRaces({ store, deployment, toSpec, at, how }: RaceSwitch): Promise<boolean> {
  const running = await readRunningRaces(store)
  const isRunning = (pair: RacePair): boolean => running.some(race => isRaceOf(race, pair))
  const started = toRacePairs(deployment).filter(pair => !isRunning(pair))
  if (started.length === 0) return false
  await endRaces({ store, deployment, toSpec, at, how })
  const [first] = await readRunningRaces(store)
  for (const { a, b, design } of started) {
    // Outcomes of one epoch have one loss: races side by side have the rule of the first.
    const { ramp = [] } = b
    const spec = first === undefined ? toSpec(ramp) : { ...first.spec, ramp }
    await store.startRace({ a: a.id, b: b.id, design, spec, startedAt: at })
  }
  return true
}

/** Ends the running races that a deployment asks for no more; says whether one ended. */
export async function endRaces({ store, deployment, at, how }: RaceSwitch): Promise<boolean> {
  const pairs = toRacePairs(deployment)
  const over = (await readRunningRaces(store)).filter(race => !pairs.some(pair => isRaceOf(race, pair)))
  for (const race of over) await store.endRace(race.id, at, toEnd(race, deployment, how))
  return over.length > 0
}

function isRaceOf({ a, b, design, spec }: StoredRace, pair: RacePair): boolean {
  return a === pair.a.id && b === pair.b.id && design === pair.design && isSameRamp(spec.ramp, pair.b.ramp)
}

function toEnd(race: StoredRace, deployment: Deployment, how: RaceSwitch['how']): RaceEnd {
  const champion = findLive(deployment, 'champion')
  if (champion === undefined) return 'deleted'
  return champion.id === race.b ? 'promoted' : how
}

/** The races that run. */
export async function readRunningRaces(store: Store): Promise<readonly StoredRace[]> {
  return (await store.readRaces()).filter(({ ended }) => ended === undefined)
}

/** Gives the splits of routes on record the ramps that their races have. */
export async function withRamps(store: Store, deployment: Deployment): Promise<Deployment> {
  const running = await readRunningRaces(store)
  const live = deployment.live.map(member => {
    const ramp = running.find(race => race.b === member.id)?.spec.ramp ?? []
    return member.role === 'split' && ramp.length > 0 ? { ...member, ramp } : member
  })
  return { ...deployment, live }
}

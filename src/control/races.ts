import type { RaceEnd, RaceSpec, Store, StoredRace } from '../store/index.ts'
import { type Deployment, findLive, toRacePair } from './deployment.ts'

/** Starts the race that a deployment asks for, unless exactly it runs; says whether one started. */
export async function startRace(store: Store, deployment: Deployment, spec: RaceSpec, at: number): Promise<boolean> {
  const pair = toRacePair(deployment)
  if (pair === undefined) return false
  const { a, b, design } = pair
  const running = await readRunningRace(store)
  if (running?.a === a.id && running.b === b.id && running.design === design) return false
  await store.startRace({ a: a.id, b: b.id, design, spec, startedAt: at })
  return true
}

/** Ends the running race where a deployment asks for none; says whether one ended. */
export async function endRace(store: Store, deployment: Deployment, how: RaceEnd, at: number): Promise<boolean> {
  if (toRacePair(deployment) !== undefined) return false
  const running = await readRunningRace(store)
  if (running === undefined) return false
  await store.endRace(running.id, at, how)
  return true
}

/**
 * Brings the running race in line with a deployment that was read from the record: the process may have ended between
 * new routes and the end of their race.
 */
export async function reconcileRace(store: Store, deployment: Deployment, spec: RaceSpec, at: number): Promise<void> {
  await startRace(store, deployment, spec, at)
  const running = await readRunningRace(store)
  const champion = findLive(deployment, 'champion')
  const how = champion === undefined ? 'deleted' : champion.id === running?.b ? 'promoted' : 'replaced'
  await endRace(store, deployment, how, at)
}

async function readRunningRace(store: Store): Promise<StoredRace | undefined> {
  const race = await store.readRace()
  return race?.ended === undefined ? race : undefined
}

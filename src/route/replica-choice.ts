import { type Ejection, isAvailable } from './ejection.ts'

/** What the choice among replicas goes by. */
export interface Candidate {
  readonly ejection: Ejection
  /** Requests sent to it and not answered yet. */
  readonly outstanding: number
  /** When a request was last given to it; any growing number. */
  readonly lastUsed: number
}

/** The circumstances of a choice among replicas. */
export interface ReplicaChoice {
  /** Epoch ms. */
  readonly now: number
  /** A replica with so many outstanding requests takes no more. */
  readonly maxOutstanding: number
  /** Whether an ejected replica is better than none. */
  readonly desperate: boolean
}

/**
 * Chooses the available replica with the fewest outstanding requests, of equals the one that has waited longest;
 * undefined where there is none.
 */
export function chooseReplica<candidate extends Candidate>(
  candidates: readonly candidate[],
  choice: ReplicaChoice,
): candidate | undefined {
  const free = candidates.filter(candidate => candidate.outstanding < choice.maxOutstanding)
  const available = free.filter(candidate => isAvailable(candidate.ejection, choice.now))
  return findIdlest(choice.desperate && available.length === 0 ? free : available)
}

function findIdlest<candidate extends Candidate>(candidates: readonly candidate[]): candidate | undefined {
  let best: candidate | undefined
  for (const candidate of candidates) if (best === undefined || isIdler(candidate, best)) best = candidate
  return best
}

function isIdler(a: Candidate, b: Candidate): boolean {
  return a.outstanding === b.outstanding ? a.lastUsed < b.lastUsed : a.outstanding < b.outstanding
}

import { type Ejection, isAvailable } from './ejection.ts'
import { chooseByKey } from './rendezvous.ts'

/** What the choice among replicas goes by. */
export interface Candidate {
  readonly name: string
  readonly ejection: Ejection
  /** Requests sent to it and not answered yet. */
  readonly outstanding: number
  /** When a request was last given to it; any growing number. */
  readonly lastUsed: number
  /** Since when it takes requests, epoch ms: since it joined, or since it is trusted again. */
  readonly since: number
}

/** The circumstances of a choice among replicas. */
export interface ReplicaChoice<candidate> {
  /** Epoch ms. */
  readonly now: number
  /** A replica with so many outstanding requests takes no more. */
  readonly maxOutstanding: number
  /** How long a new replica takes to get its full share of requests, ms. */
  readonly slowStartMs: number
  /** Draws a number within [0, 1). */
  readonly random: () => number
  /** Whether an ejected replica is better than none. */
  readonly desperate: boolean
  /** Asked before, in vain. */
  readonly not: candidate | undefined
  /** Whoever names the same sequence gets the same replica, as long as that is available. */
  readonly sequence: string | undefined
}

/** Share of the choices that a replica takes part in when it is new. */
const FIRST_SHARE = 0.1

/**
 * Chooses the available replica with the fewest outstanding requests, of equals the one that has waited longest;
 * undefined where there is none. A new replica takes part in a growing share of the choices, so that its caches, pools
 * and compiled code are warm before it has its full load; it takes part in all where there are only new ones.
 */
export function chooseReplica<candidate extends Candidate>(
  candidates: readonly candidate[],
  choice: ReplicaChoice<candidate>,
): candidate | undefined {
  const kept = choice.sequence === undefined ? undefined : chooseKept(candidates, choice, choice.sequence)
  if (kept !== undefined) return kept
  let best: candidate | undefined
  let bestRank = 0
  for (const candidate of candidates) {
    if (!hasRoom(candidate, choice)) continue
    const rank = toRank(candidate, choice)
    if (rank < bestRank || rank === 0) continue
    if (best !== undefined && rank === bestRank && !isIdler(candidate, best)) continue
    best = candidate
    bestRank = rank
  }
  return best
}

function chooseKept<candidate extends Candidate>(
  candidates: readonly candidate[],
  choice: ReplicaChoice<candidate>,
  sequence: string,
): candidate | undefined {
  const open = candidates.filter(item => hasRoom(item, choice) && isAvailable(item.ejection, choice.now))
  return chooseByKey(
    open.map(candidate => ({ id: candidate.name, weight: 1, candidate })),
    sequence,
  )?.candidate
}

function hasRoom<candidate extends Candidate>(
  candidate: candidate,
  { not, maxOutstanding }: ReplicaChoice<candidate>,
): boolean {
  return candidate !== not && candidate.outstanding < maxOutstanding
}

/** 3: takes part; 2: is new and sits this one out; 1: is ejected, better than none; 0: is ejected. */
function toRank<candidate extends Candidate>(candidate: candidate, choice: ReplicaChoice<candidate>): 0 | 1 | 2 | 3 {
  if (!isAvailable(candidate.ejection, choice.now)) return choice.desperate ? 1 : 0
  const age = (choice.now - candidate.since) / choice.slowStartMs
  return age >= 1 || choice.random() < Math.max(FIRST_SHARE, age) ? 3 : 2
}

function isIdler(a: Candidate, b: Candidate): boolean {
  return a.outstanding === b.outstanding ? a.lastUsed < b.lastUsed : a.outstanding < b.outstanding
}

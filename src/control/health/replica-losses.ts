import { toWinRate } from '../../judge/index.ts'

/** One answer of a replica whose truth is known. */
export interface ReplicaLabel {
  readonly request: string
  readonly variant: number
  readonly replica: string
  readonly loss: number
}

/** How the losses of a replica are beside those of the others of its variant. */
export interface ReplicaLoss {
  readonly replica: string
  /** Pairs of neighbouring requests of which it answered one and another replica the other, and their losses differ. */
  readonly pairs: number
  /** Share of those in which its loss is the larger one, 0–1. */
  readonly share: number
  /** What this share is at least, but for a chance of `FALSE_ALARM`, however often one looks. */
  readonly shareAtLeast: number
  /** Mean losses over all pairs. */
  readonly meanLoss: number
  readonly meanLossOfPeers: number
}

/** Chance that a replica like the others is ever told from them, within the pairs of a window. */
export const FALSE_ALARM = 0.001
/** Pairs of a window: what is older tells nothing of how a replica is now. */
const WINDOW = 500
/** A window is judged from here on; before, the one before it is. */
const ENOUGH = 100
const MAX_KEPT = 2000

/** What is counted of a replica within a window. */
interface Counts {
  readonly all: number
  readonly worse: number
  readonly better: number
  readonly sum: number
  readonly sumOfPeers: number
}

const NOTHING: Counts = { all: 0, worse: 0, better: 0, sum: 0, sumOfPeers: 0 }

interface Kept {
  current: Counts
  last: Counts | undefined
}

interface Sequence {
  /** The newest request that was looked at: what comes again, or late, does not count twice. */
  request: string
  /** A label that has no neighbour yet. */
  waiting: ReplicaLabel | undefined
}

/**
 * Compares the losses of a variant's replicas: neighbouring requests that two replicas answered make a pair, and of
 * replicas that are alike either is as likely to have the larger loss, whatever the losses are distributed like and
 * however they move with time. One label of a request counts, since rows of one request are alike.
 *
 * Source of the bound: `toWinRate` of the judge.
 */
export class ReplicaLosses {
  readonly #sequences = new Map<number, Sequence>()
  readonly #kept = new Map<string, Kept>()

  /** Takes in labels, of any order among themselves; those of requests before the last that was taken are left out. */
  note(labels: readonly ReplicaLabel[]): void {
    for (const label of labels.toSorted(compareRequests)) {
      const sequence = this.#enter(this.#sequences, label.variant, () => ({ request: '', waiting: undefined }))
      if (label.request <= sequence.request) continue
      sequence.request = label.request
      const { waiting } = sequence
      const isPair = waiting !== undefined && waiting.replica !== label.replica
      sequence.waiting = isPair ? undefined : label
      if (!isPair) continue
      this.#count(label, waiting)
      this.#count(waiting, label)
    }
  }

  /** How every replica that was in a pair compares. */
  read(): readonly ReplicaLoss[] {
    return [...this.#kept].map(([replica, { current, last }]) => {
      const counts = last === undefined || current.worse + current.better >= ENOUGH ? current : last
      return { replica, ...toComparison(counts) }
    })
  }

  #count({ replica, loss }: ReplicaLabel, peer: ReplicaLabel): void {
    const kept = this.#enter(this.#kept, replica, () => ({ current: NOTHING, last: undefined }))
    const { all, worse, better, sum, sumOfPeers } = kept.current
    kept.current = {
      all: all + 1,
      worse: worse + Number(loss > peer.loss),
      better: better + Number(loss < peer.loss),
      sum: sum + loss,
      sumOfPeers: sumOfPeers + peer.loss,
    }
    if (kept.current.worse + kept.current.better < WINDOW) return
    kept.last = kept.current
    kept.current = NOTHING
  }

  #enter<key, value>(map: Map<key, value>, key: key, make: () => value): value {
    const known = map.get(key)
    if (known !== undefined) return known
    const oldest = map.keys().next()
    if (map.size >= MAX_KEPT && !oldest.done) map.delete(oldest.value)
    const made = make()
    map.set(key, made)
    return made
  }
}

function toComparison({ all, worse, better, sum, sumOfPeers }: Counts): Omit<ReplicaLoss, 'replica'> {
  const pairs = worse + better
  const { estimate = 0.5, lower } = toWinRate(worse, better, FALSE_ALARM)
  return { pairs, share: estimate, shareAtLeast: lower, meanLoss: sum / all, meanLossOfPeers: sumOfPeers / all }
}

/** Ids of requests go by time. */
function compareRequests(a: ReplicaLabel, b: ReplicaLabel): number {
  return a.request < b.request ? -1 : a.request > b.request ? 1 : 0
}

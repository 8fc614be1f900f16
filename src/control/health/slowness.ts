import type { ReplicaLoad } from './replica-loads.ts'
import type { ReplicaLoss } from './replica-losses.ts'

/** Why a replica that answers performs poorly. Codes are stable. */
export interface Slowness {
  readonly code: 'CPU_THROTTLED' | 'ERRORS_FAR_FROM_PEERS' | 'P99_FAR_FROM_PEERS' | 'LOSS_FAR_FROM_PEERS'
  readonly evidence: string
  /** What to do at once. */
  readonly fix: string
  /** Whether it may do better once it is ended, and made anew. */
  readonly isToEnd: boolean
}

/** Share of its periods in which a replica was throttled lately, 0–1. */
export type Throttled = ReadonlyMap<string, number>

/** Fewer requests than these in a minute tell nothing. */
const MIN_REQUESTS = 100
const MIN_FAILED = 10
/** A replica is far from its peers that fails so much more often, as a share of its requests … */
const FAR_FAILED = 0.05
/** … or whose p99 is so many times theirs, and so many ms more. */
const FAR_TIMES = 3
const FAR_MS = 20
const MUCH_THROTTLED = 0.25
/** A replica loses far more that does so in so many of its pairs, and surely in more than half of them. */
const FAR_SHARE = 0.6

/** What replicas are judged by. */
export interface Performance {
  readonly loads: readonly ReplicaLoad[]
  readonly throttled: Throttled
  readonly losses: readonly ReplicaLoss[]
}

/** Names the replicas that perform poorly: by what the kernel tells, and beside the others of their variant. */
export function toSlowness({ loads, throttled, losses }: Performance): ReadonlyMap<string, Slowness> {
  const found = new Map<string, Slowness>()
  for (const load of loads.filter(({ requests }) => requests >= MIN_REQUESTS)) {
    const peers = loads.filter(
      ({ replica, variant, requests }) =>
        variant === load.variant && replica !== load.replica && requests >= MIN_REQUESTS,
    )
    const slowness = peers.length === 0 ? undefined : compare(load, peers)
    if (slowness !== undefined) found.set(load.replica, slowness)
  }
  // The cause says more than what it leads to.
  for (const [replica, share] of throttled) if (share >= MUCH_THROTTLED) found.set(replica, toThrottled(share))
  // A wrong answer is worse than a late one.
  for (const loss of losses)
    if (loss.share >= FAR_SHARE && loss.shareAtLeast > 0.5) found.set(loss.replica, toLossy(loss))
  return found
}

function toLossy({ replica, pairs, share, meanLoss, meanLossOfPeers }: ReplicaLoss): Slowness {
  const [own, others] = [meanLoss, meanLossOfPeers].map(mean => mean.toPrecision(3))
  const evidence =
    `it loses more than its peers on ${toPercent(share)} of ${pairs} pairs of neighbouring requests: ` +
    `mean loss ${own}, theirs ${others}`
  return { code: 'LOSS_FAR_FROM_PEERS', evidence, fix: `regatta logs ${replica}`, isToEnd: true }
}

function toThrottled(share: number): Slowness {
  const evidence = `its CPU limit stopped it in ${Math.round(share * 100)} % of its periods of 0.1 s`
  const fix = 'Raise serve.resources.limits.cpu, or take it out, or raise serve.replicas, then: regatta deploy'
  return { code: 'CPU_THROTTLED', evidence, fix, isToEnd: false }
}

function compare(load: ReplicaLoad, peers: readonly ReplicaLoad[]): Slowness | undefined {
  const fix = `regatta logs ${load.replica}`
  const share = load.failed / load.requests
  const sum = (key: 'failed' | 'requests'): number => peers.reduce((total, peer) => total + peer[key], 0)
  const others = sum('failed') / sum('requests')
  if (load.failed >= MIN_FAILED && share > others + FAR_FAILED) {
    const evidence = `${toPercent(share)} of its requests of the last minute failed, of its peers' ${toPercent(others)}`
    return { code: 'ERRORS_FAR_FROM_PEERS', evidence, fix, isToEnd: true }
  }
  const sorted = peers.map(({ p99Ms }) => p99Ms).sort((a, b) => a - b)
  const usual = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
  if (load.p99Ms < Math.max(usual * FAR_TIMES, usual + FAR_MS)) return undefined
  const evidence = `its p99 of the last minute is ${Math.round(load.p99Ms)} ms, its peers' ${Math.round(usual)} ms`
  return { code: 'P99_FAR_FROM_PEERS', evidence, fix, isToEnd: true }
}

function toPercent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`
}

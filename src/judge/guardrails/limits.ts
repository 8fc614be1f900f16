import { toShareBounds } from '../sequence/share.ts'

/** How one variant answered the requests of an epoch. */
export interface ArmHealth {
  /** Requests that were sent to it. */
  readonly requests: number
  /** Those of them that failed. */
  readonly failures: number
  /** Requests by how long they took, the fastest bucket first. */
  readonly latencies: readonly LatencyBucket[]
}

/** Requests that took from `fromUs` up to `upToUs`. */
export interface LatencyBucket {
  readonly fromUs: number
  readonly upToUs: number
  readonly count: number
}

/** What a challenger must keep; undefined: no such limit. */
export interface GuardrailRule {
  /** Share of failed requests, 0–1. */
  readonly errorRate?: number | undefined
  /** Multiple of the champion's 99th percentile of latency. */
  readonly p99?: number | undefined
  /** Chance, all guardrails and epochs together, of stopping a challenger that keeps to them. */
  readonly alpha: number
}

/**
 * What a guardrail says.
 * - `watching`: too few requests for a share of three times the limit to show, or the share found is above the limit
 * - `quiet`: enough requests, and the share found is within the limit
 * - `breached`: the limit is broken beyond reasonable doubt
 */
export interface Guardrail {
  readonly name: 'error rate' | 'p99'
  readonly state: 'watching' | 'quiet' | 'breached'
  readonly detail: string
}

/** Share of the requests that may be slower than the 99th percentile. */
const SLOW_SHARE = 0.01

/**
 * Watches a challenger `b` beside the champion `a` in one epoch, the `ordinal`-th of its race, counted from 1. It may
 * be asked at every request: of challengers that keep to the limits, a share of `alpha` at most is ever stopped. Each
 * guardrail has its part of alpha, and of that the k-th epoch 1/(k(k+1)), which sums to all of it.
 */
export function toGuardrails(
  rule: GuardrailRule,
  [a, b]: readonly [ArmHealth, ArmHealth],
  ordinal: number,
): readonly Guardrail[] {
  const { errorRate, p99 } = rule
  const count = Number(errorRate !== undefined) + Number(p99 !== undefined)
  const alpha = rule.alpha / (count * ordinal * (ordinal + 1))
  return [
    ...(errorRate === undefined ? [] : [toErrorGuardrail(a, b, errorRate, alpha)]),
    ...(p99 === undefined ? [] : [toLatencyGuardrail(a, b, p99, alpha)]),
  ]
}

/** A challenger breaks the limit where its share is surely above it, and surely above the champion's. */
function toErrorGuardrail(a: ArmHealth, b: ArmHealth, limit: number, alpha: number): Guardrail {
  const allowed = Math.max(limit, toShareBounds(a.failures, a.requests, alpha / 2).upper)
  const breached = toShareBounds(b.failures, b.requests, alpha / 2).lower > (a.requests === 0 ? 1 : allowed)
  const within = Math.max(limit, a.failures / Math.max(1, a.requests))
  const found = `${b.failures} of ${b.requests} requests failed, of the champion ${a.failures} of ${a.requests}`
  return toGuardrail('error rate', { hits: b.failures, total: b.requests, limit, within, breached, alpha, found })
}

/**
 * More than one in a hundred of the challenger's requests take longer than the champion's 99th percentile times the
 * factor. That percentile is taken from above: the least latency that surely no more than one in a hundred exceed.
 */
function toLatencyGuardrail(a: ArmHealth, b: ArmHealth, factor: number, alpha: number): Guardrail {
  const total = sumCounts(b.latencies)
  const edge = findSurePercentile(a.latencies, alpha / 2)
  const hits = edge === undefined ? 0 : countSlower(b.latencies, edge * factor)
  const breached = toShareBounds(hits, total, alpha / 2).lower > SLOW_SHARE
  if (edge === undefined)
    return { name: 'p99', state: 'watching', detail: "too few requests to know the champion's 99th percentile" }
  const found = `${hits} of ${total} requests took longer than ${toMs(edge * factor)} ms, ${factor} times the champion's 99th percentile (at most ${toMs(edge)} ms)`
  return toGuardrail('p99', { hits, total, limit: SLOW_SHARE, within: SLOW_SHARE, breached, alpha, found })
}

interface Found {
  readonly hits: number
  readonly total: number
  readonly limit: number
  /** Share up to which it is quiet. */
  readonly within: number
  readonly breached: boolean
  readonly alpha: number
  readonly found: string
}

function toGuardrail(
  name: Guardrail['name'],
  { hits, total, limit, within, breached, alpha, found }: Found,
): Guardrail {
  const wanted = toRequestsWanted(limit, alpha)
  if (breached) return { name, state: 'breached', detail: found }
  if (total >= wanted && hits <= within * total) return { name, state: 'quiet', detail: found }
  return { name, state: 'watching', detail: total < wanted ? `${found}; ${wanted} requests wanted` : found }
}

/** Requests at which a share of three times the limit would be a breach. */
export function toRequestsWanted(limit: number, alpha: number): number {
  const share = Math.min(1, 3 * limit)
  let total = 1
  while (toShareBounds(Math.floor(share * total), total, alpha / 2).lower <= limit) total = Math.ceil(total * 1.1)
  return total
}

function findSurePercentile(latencies: readonly LatencyBucket[], alpha: number): number | undefined {
  const total = sumCounts(latencies)
  let slower = total
  for (const { upToUs, count } of latencies) {
    slower -= count
    if (toShareBounds(slower, total, alpha).upper <= SLOW_SHARE) return upToUs
  }
  return undefined
}

/** Requests in buckets that lie wholly above a latency. */
function countSlower(latencies: readonly LatencyBucket[], us: number): number {
  return sumCounts(latencies.filter(({ fromUs }) => fromUs >= us))
}

function sumCounts(latencies: readonly LatencyBucket[]): number {
  return latencies.reduce((sum, { count }) => sum + count, 0)
}

function toMs(us: number): number {
  return Number((us / 1000).toPrecision(3))
}

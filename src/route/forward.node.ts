import type { Clock } from '../core/clock.ts'
import type { Limits } from './limits.ts'
import type { LiveRoutes, LiveVariant } from './live-routes.node.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { Replica } from './replica.node.ts'
import { chooseReplica } from './replica-choice.ts'
import type { TryResult, UpstreamRequest } from './upstream.node.ts'

/** What forwarding works with. */
export interface ForwardWorld {
  readonly routes: LiveRoutes
  readonly limits: Limits
  readonly metrics: GatewayMetrics
  readonly clock: Clock
}

/** One request and who shall answer it. */
export interface Order {
  readonly request: UpstreamRequest
  readonly variant: LiveVariant
  /** The champion may answer where the variant cannot. */
  readonly mayFallBack: boolean
  /** The request may be sent again although it may have arrived. */
  readonly repeatable: boolean
  readonly signal: AbortSignal | undefined
}

/** One try: who was asked and what came of it. `replica` is empty where the variant had none to ask. */
export interface Try {
  readonly variant: LiveVariant
  readonly replica: string
  readonly result: TryResult | { readonly kind: 'no-replica' }
  readonly latencyUs: number
}

/** The tries of one request, at most two of which were sent; what `last` gave is for the client. */
export interface Tries {
  readonly earlier: readonly Try[]
  readonly last: Try
}

/**
 * Sends a request to the variant's least loaded replica, and once more where that is safe: to another replica, to the
 * champion, or over a fresh connection where there is no other. The first sending is under way when this returns.
 */
export async function forward(world: ForwardWorld, order: Order): Promise<Tries> {
  const deadline = performance.now() + world.limits.deadlineMs
  const first = choose(world, order, false) ?? choose(world, order, true)
  if (first === undefined) return { earlier: [], last: toMiss(order.variant) }
  const missed = first.variant.id === order.variant.id ? [] : [toMiss(order.variant)]
  const tried = await send(world, order, first, deadline)
  if (!shallRepeat(tried.result, order.repeatable)) return { earlier: missed, last: tried }
  const second = chooseAgain(world, order, first, tried.result)
  if (second === undefined || performance.now() >= deadline) return { earlier: missed, last: tried }
  world.metrics.retries.inc({ variant: first.variant.name })
  const again = await send(world, order, second, deadline)
  // A server's own words say more than a connection that broke.
  const isWorse = again.result.kind !== 'answer' && tried.result.kind === 'answer'
  return isWorse ? { earlier: [...missed, again], last: tried } : { earlier: [...missed, tried], last: again }
}

interface Choice {
  readonly variant: LiveVariant
  readonly replica: Replica
  readonly fresh?: true
}

/** A connection that broke midway may have been stale: the same replica anew is better than one known to be out. */
function chooseAgain(world: ForwardWorld, order: Order, first: Choice, result: Try['result']): Choice | undefined {
  const other = choose(world, order, false, first)
  if (other !== undefined || result.kind !== 'lost') return other
  const anew: Choice = { ...first, fresh: true }
  return result.sent ? anew : (choose(world, order, true, first) ?? anew)
}

/**
 * Chooses from the routes of this moment, which may have changed since the request came: a replica of the order's
 * variant, else of the champion, where it may fall back. `desperate`: an ejected replica is better than none.
 */
function choose(world: ForwardWorld, order: Order, desperate: boolean, before?: Choice): Choice | undefined {
  const { table } = world.routes
  const variant = table?.variants.find(item => item.id === order.variant.id)
  const champion = order.mayFallBack ? table?.champion : undefined
  const now = world.clock()
  const { maxOutstanding } = world.limits
  // The champion is the last resort; another variant is asked only while it is well.
  for (const item of new Set([variant, champion])) {
    if (item === undefined) continue
    const isLast = champion === undefined || item === champion
    const others = item.live.filter(replica => replica !== before?.replica)
    const replica = chooseReplica(others, { now, maxOutstanding, desperate: desperate && isLast })
    if (replica !== undefined) return { variant: item, replica }
  }
  return undefined
}

async function send(world: ForwardWorld, order: Order, choice: Choice, deadline: number): Promise<Try> {
  const startedAt = performance.now()
  const timeoutMs = Math.min(world.limits.tryTimeoutMs, Math.max(1, deadline - startedAt))
  const bounds = { timeoutMs, maxAnswerBytes: world.limits.maxBodyBytes, signal: order.signal }
  const result = await choice.replica.send(order.request, bounds, choice.fresh)
  const latencyUs = Math.round((performance.now() - startedAt) * 1000)
  return { variant: choice.variant, replica: choice.replica.name, result, latencyUs }
}

/** Not sent, or safe to repeat and either broken off or refused as unavailable. */
function shallRepeat(result: Try['result'], repeatable: boolean): boolean {
  if (result.kind === 'lost') return !result.sent || repeatable
  return result.kind === 'answer' && result.status === 503 && repeatable
}

function toMiss(variant: LiveVariant): Try {
  return { variant, replica: '', result: { kind: 'no-replica' }, latencyUs: 0 }
}

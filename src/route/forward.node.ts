import type { Clock } from '../core/clock.ts'
import type { Fate } from './choice/circuit.ts'
import { chooseReplica } from './choice/replica-choice.ts'
import type { Limits } from './limits.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { LiveRoutes, LiveVariant } from './routes/live-routes.node.ts'
import type { Replica, ReplicaRequest } from './routes/replica.node.ts'
import type { TryResult } from './upstream/exchange.node.ts'

/** What forwarding works with. */
export interface ForwardWorld {
  readonly routes: LiveRoutes
  readonly limits: Limits
  readonly metrics: GatewayMetrics
  readonly clock: Clock
  /** Draws a number within [0, 1). */
  readonly random: () => number
}

/** What is left of a request's time when its timer fires, which may be a hair early, is no time for another try. */
const LEAST_TRY_MS = 2

/** One request and who shall answer it. */
export interface Order {
  readonly request: ReplicaRequest
  readonly variant: LiveVariant
  /** The champion may answer where the variant cannot. */
  readonly mayFallBack: boolean
  /** The request may be sent again although it may have arrived. */
  readonly repeatable: boolean
  /** The requests of one sequence go to one replica. */
  readonly sequence: string | undefined
  /** It is a copy that nobody waits for: not worth a replica that does not answer. */
  readonly isCopy: boolean
  /** How long the client waits, where it says so. */
  readonly timeoutMs: number | undefined
  readonly signal: AbortSignal | undefined
}

/** Why a variant was not asked: none of its replicas could take the request, or it failed too often of late. */
export type Miss = 'no-replica' | 'circuit-open'

/** One try: who was asked and what came of it. `replica` is empty where none was asked. */
export interface Try {
  readonly variant: LiveVariant
  readonly replica: string
  readonly result: TryResult | { readonly kind: Miss }
  readonly latencyUs: number
}

/** Whether what came is the beginning of a stream of answers. */
export function isStreaming({ result }: Try): boolean {
  return result.kind === 'answer' && result.answers !== undefined
}

/** What came of a try in the end: a stream of answers may break after it began. */
export async function toEnded(tried: Try): Promise<Try> {
  const { result } = tried
  return result.kind === 'answer' && result.answers !== undefined
    ? { ...tried, result: await result.answers.over }
    : tried
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
  const deadline = performance.now() + Math.min(world.limits.deadlineMs, order.timeoutMs ?? Infinity)
  const own = chooseOwn(world, order)
  const first = typeof own === 'string' ? chooseChampion(world, order, true) : own
  const missed = typeof own === 'string' ? [toMiss(order.variant, own)] : []
  if (first === undefined) return { earlier: [], last: missed[0] ?? toMiss(order.variant, 'no-replica') }
  const tried = await send(world, order, first, deadline)
  if (!shallRepeat(tried.result, order.repeatable)) return { earlier: missed, last: tried }
  const second = chooseAgain(world, order, first, tried.result)
  if (second === undefined || deadline - performance.now() < LEAST_TRY_MS) return { earlier: missed, last: tried }
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

/** Chooses among the replicas that the variant has at this moment: the routes may have changed since it was chosen. */
function chooseOwn(world: ForwardWorld, order: Order): Choice | Miss {
  const { table } = world.routes
  const variant = table?.variants.find(item => item.id === order.variant.id)
  if (variant === undefined) return 'no-replica'
  const isLast = !order.mayFallBack || variant === table?.champion
  if (!isLast && !variant.health.take(world.clock())) return 'circuit-open'
  const replica = pick(world, order, variant, isLast && !order.isCopy)
  if (replica !== undefined) return { variant, replica }
  // That it serves HTTP alone says nothing about its answers.
  if (!isLast)
    learn(world, variant, toCandidates(order, variant).length === 0 && variant.live.length > 0 ? 'unknown' : 'failed')
  return 'no-replica'
}

function chooseChampion(world: ForwardWorld, order: Order, desperate: boolean, not?: Replica): Choice | undefined {
  const variant = order.mayFallBack ? world.routes.table?.champion : undefined
  const replica = variant === undefined ? undefined : pick(world, order, variant, desperate, not)
  return variant === undefined || replica === undefined ? undefined : { variant, replica }
}

/** A connection that broke midway may have been stale: the same replica anew is better than one known to be out. */
function chooseAgain(world: ForwardWorld, order: Order, first: Choice, result: Try['result']): Choice | undefined {
  const variant = world.routes.table?.variants.find(item => item.id === first.variant.id)
  const other = variant === undefined ? undefined : pick(world, order, variant, false, first.replica)
  if (variant !== undefined && other !== undefined) return { variant, replica: other }
  const champion = chooseChampion(world, order, false, first.replica)
  if (champion !== undefined || result.kind !== 'lost') return champion
  const anew: Choice = { ...first, fresh: true }
  if (result.sent || order.isCopy) return anew
  const last = order.mayFallBack ? world.routes.table?.champion : variant
  const replica = last === undefined ? undefined : pick(world, order, last, true, first.replica)
  return last === undefined || replica === undefined ? anew : { variant: last, replica }
}

function pick(
  world: ForwardWorld,
  order: Order,
  variant: LiveVariant,
  desperate: boolean,
  not?: Replica,
): Replica | undefined {
  const { limits, random } = world
  const { maxOutstanding, slowStartMs } = limits
  const { sequence } = order
  const choice = { now: world.clock(), maxOutstanding, slowStartMs, random, desperate, not, sequence }
  return chooseReplica(toCandidates(order, variant), choice)
}

function toCandidates({ request }: Order, { live, liveGrpc }: LiveVariant): readonly Replica[] {
  return 'method' in request ? live : liveGrpc
}

async function send(world: ForwardWorld, order: Order, choice: Choice, deadline: number): Promise<Try> {
  const { tryTimeoutMs, maxBodyBytes } = world.limits
  const startedAt = performance.now()
  const leftMs = Math.max(1, deadline - startedAt)
  const isTold = order.timeoutMs !== undefined
  const isClients = isTold && leftMs < tryTimeoutMs
  const timeoutMs = Math.min(tryTimeoutMs, leftMs)
  const bounds = { timeoutMs, isTold, isClients, maxAnswerBytes: maxBodyBytes, signal: order.signal }
  const result = await choice.replica.send(order.request, bounds, choice.fresh)
  const latencyUs = Math.round((performance.now() - startedAt) * 1000)
  if (order.mayFallBack && choice.variant.role === 'split') learn(world, choice.variant, toFate(result, isClients))
  return { variant: choice.variant, replica: choice.replica.name, result, latencyUs }
}

function learn(world: ForwardWorld, { name, health }: LiveVariant, fate: Fate): void {
  if (health.learn(fate, world.clock())) world.metrics.circuits.inc({ variant: name })
}

const LATE_STATUS = 504

function toFate(result: TryResult, isClients: boolean): Fate {
  // The replica was told how long the client waits, and may find that over first.
  if (isClients && result.kind === 'answer' && result.status === LATE_STATUS) return 'unknown'
  if (result.kind === 'answer') return result.status >= 500 ? 'failed' : 'answered'
  if (result.kind === 'gone' || result.kind === 'unsendable') return 'unknown'
  return result.kind === 'timeout' && isClients ? 'unknown' : 'failed'
}

/** Not sent, or safe to repeat and broken off, too slow, or refused by a server that was busy or not ready. */
function shallRepeat(result: Try['result'], repeatable: boolean): boolean {
  if (result.kind === 'lost') return !result.sent || repeatable
  if (result.kind === 'answer') return (result.status === 503 || result.status === 429) && repeatable
  return result.kind === 'timeout' && repeatable
}

function toMiss(variant: LiveVariant, kind: Miss): Try {
  return { variant, replica: '', result: { kind }, latencyUs: 0 }
}

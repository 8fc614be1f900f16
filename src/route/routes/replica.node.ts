import type { Clock } from '../../core/clock.ts'
import { openGrpcChannel } from '../../core/grpc/client.node.ts'
import type { RouteReplica } from '../../core/wire/routes.ts'
import { type Ejection, type Outcome, TRUSTED, toNext, toTried } from '../choice/ejection.ts'
import type { Candidate } from '../choice/replica-choice.ts'
import { GrpcReplica } from '../grpc/replica.node.ts'
import type { GrpcUpstreamRequest } from '../grpc/upstream.node.ts'
import type { Limits } from '../limits.ts'
import type { TryResult, UpstreamBounds } from '../upstream/exchange.node.ts'
import { UpstreamPool } from '../upstream/pool.node.ts'
import type { UpstreamRequest } from '../upstream/request-head.ts'

/** What a replica needs of the gateway around it. */
export interface ReplicaWorld {
  readonly clock: Clock
  readonly limits: Limits
  /** Told when the replica is put out. */
  readonly onEjected: (replica: string) => void
}

/** A request for a replica, over either of its ports. */
export type ReplicaRequest = UpstreamRequest | GrpcUpstreamRequest

const CONNECT_TIMEOUT_MS = 2_000
const NO_GRPC: TryResult = { kind: 'lost', sent: false, reason: 'the replica serves HTTP alone' }

/** One model server as the gateway knows it: its kept-alive connections, its load and whether it is trusted. */
export class Replica implements Candidate {
  readonly name: string
  readonly url: string
  /** Undefined where it serves HTTP alone. */
  readonly grpcUrl: string | undefined
  readonly #world: ReplicaWorld
  readonly #pool: UpstreamPool
  readonly #grpc: GrpcReplica | undefined
  #ejection: Ejection = TRUSTED
  #outstanding = 0
  #lastUsed = 0
  #since: number

  /** `since`: from when on it is new, epoch ms; 0 for one that shall get its full share at once. */
  constructor(route: RouteReplica, world: ReplicaWorld, since = 0) {
    this.name = route.name
    this.url = route.url
    this.grpcUrl = route.grpcUrl
    this.#world = world
    this.#since = since
    this.#pool = openPool(route.url, world.limits)
    this.#grpc = route.grpcUrl === undefined ? undefined : openGrpc(route.grpcUrl, world.limits)
  }

  get outstanding(): number {
    return this.#outstanding
  }

  get lastUsed(): number {
    return this.#lastUsed
  }

  get ejection(): Ejection {
    return this.#ejection
  }

  get since(): number {
    return this.#since
  }

  /** Sends a request once, and learns from what comes of it. `fresh` does not use a connection that was open before. */
  async send(request: ReplicaRequest, bounds: UpstreamBounds, fresh = false): Promise<TryResult> {
    this.#ejection = toTried(this.#ejection, this.#world.clock())
    this.#outstanding += 1
    this.#lastUsed = performance.now()
    const result = await this.#sendOnce(request, bounds, fresh)
    const over = result.kind === 'answer' ? result.answers?.over : undefined
    if (over === undefined) this.#outstanding -= 1
    else void over.then(() => (this.#outstanding -= 1))
    // A client that waits less than the gateway would says nothing about the replica.
    const isHasty = result.kind === 'timeout' && bounds.isClients
    this.#learn(isHasty ? 'unknown' : toOutcome(result))
    return result
  }

  /** Lets requests in flight finish, then closes the connections. */
  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), this.#grpc?.close(this.#world.limits.deadlineMs)])
  }

  /** Breaks what is in flight and closes the connections. */
  async destroy(): Promise<void> {
    await Promise.all([this.#pool.destroy(), this.#grpc?.close(0)])
  }

  #sendOnce(request: ReplicaRequest, bounds: UpstreamBounds, fresh: boolean): Promise<TryResult> {
    if ('method' in request) return this.#pool.send(request, bounds, fresh)
    // A channel of gRPC leaves a connection that broke by itself.
    return this.#grpc?.send(request, bounds) ?? Promise.resolve(NO_GRPC)
  }

  #learn(outcome: Outcome): void {
    const before = this.#ejection
    const now = this.#world.clock()
    this.#ejection = toNext(before, outcome, now)
    if (before.state !== 'in' && this.#ejection.state === 'in') this.#since = now
    if (before.state === 'in' && this.#ejection.state === 'out') this.#world.onEjected(this.name)
  }
}

function openPool(url: string, { maxConnections, maxHeadBytes }: Limits): UpstreamPool {
  return new UpstreamPool(url, { maxConnections, maxHeadBytes, connectTimeoutMs: CONNECT_TIMEOUT_MS })
}

function openGrpc(url: string, { maxBodyBytes, maxOutstanding, tryTimeoutMs, maxTapBytes }: Limits): GrpcReplica {
  const channel = openGrpcChannel(new URL(url).host, {
    maxConcurrentStreams: maxOutstanding,
    maxQueued: maxOutstanding,
    maxMessageBytes: maxBodyBytes,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  })
  return new GrpcReplica(channel, { silenceMs: tryTimeoutMs, maxKeptBytes: maxTapBytes })
}

/** A 503 says that the server cannot take requests now; every other answer shows that it works. */
function toOutcome(result: TryResult): Outcome {
  switch (result.kind) {
    case 'answer':
      return result.status === 503 ? 'failed' : 'answered'
    case 'lost':
      return result.sent ? 'failed' : 'refused'
    case 'timeout':
      return 'failed'
    case 'too-long':
      return 'answered'
    case 'gone':
    case 'unsendable':
      return 'unknown'
    default:
      return result satisfies never
  }
}

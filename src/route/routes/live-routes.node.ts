import { Changes, type Changing } from '../../core/changes.ts'
import { toErrorText } from '../../core/errors.ts'
import type { Capture, Routes, RouteVariant } from '../../core/wire/routes.ts'
import { VariantHealth } from '../choice/variant-health.ts'
import type { Logger } from '../logger.ts'
import { toRowPaths } from '../records/capture.ts'
import { Replica, type ReplicaWorld } from './replica.node.ts'

/** A variant of the routes with its connections. */
export interface LiveVariant extends RouteVariant {
  readonly live: readonly Replica[]
  /** Those that serve gRPC too. */
  readonly liveGrpc: readonly Replica[]
  /** The same object as long as the variant stays in the routes. */
  readonly health: VariantHealth
}

/** One document of routes, ready for use; replaced as a whole, never changed. */
export interface RoutingTable {
  readonly deployment: string
  readonly epoch: number
  readonly variants: readonly LiveVariant[]
  readonly champion: LiveVariant | undefined
  readonly shadows: readonly LiveVariant[]
  readonly capture: Capture
}

/** The routes in force. A replica that stays keeps its connections; one that leaves finishes what it has. */
export class LiveRoutes implements Changing {
  readonly #world: ReplicaWorld
  readonly #logger: Logger
  /** Replicas that left the routes and still have requests. */
  readonly #retiring = new Set<Replica>()
  readonly #swaps = new Changes()
  #table: RoutingTable | undefined

  constructor(world: ReplicaWorld, logger: Logger) {
    this.#world = world
    this.#logger = logger
  }

  /** The table now; undefined before the first routes. Read anew for every try. */
  get table(): RoutingTable | undefined {
    return this.#table
  }

  /** Every replica in force. */
  get replicas(): readonly Replica[] {
    return this.#table?.variants.flatMap(variant => variant.live) ?? []
  }

  onChange(listener: () => void): () => void {
    return this.#swaps.onChange(listener)
  }

  /** Puts routes in force at once: between two requests, never within the choice of one. */
  swap(routes: Routes): void {
    this.#checkCapture(routes.capture)
    const before = this.#table
    const variants = routes.variants.map(variant => this.#toLive(variant, before))
    this.#table = {
      deployment: routes.deployment,
      epoch: routes.epoch,
      variants,
      champion: variants.find(variant => variant.role === 'champion'),
      shadows: variants.filter(variant => variant.role === 'shadow'),
      capture: routes.capture,
    }
    const kept = new Set(this.replicas)
    for (const variant of before?.variants ?? [])
      for (const replica of variant.live) if (!kept.has(replica)) this.#retire(replica)
    this.#swaps.tell()
  }

  /** Breaks every connection. */
  async destroy(): Promise<void> {
    await Promise.all([...this.replicas, ...this.#retiring].map(replica => replica.destroy()))
  }

  #retire(replica: Replica): void {
    this.#retiring.add(replica)
    // Waits for the answers in flight, each of which has its own time limit; nobody waits for the last.
    void replica
      .close()
      .catch((error: unknown) =>
        this.#logger.warn(
          { replica: replica.name, error: toErrorText(error) },
          'Cannot close the connections of a replica',
        ),
      )
      .finally(() => this.#retiring.delete(replica))
  }

  /** What stays keeps its connections and its health; a replica that joins others starts slowly. */
  #toLive(variant: RouteVariant, before: RoutingTable | undefined): LiveVariant {
    const old = before?.variants.find(item => item.id === variant.id)
    const since = old === undefined || old.live.length === 0 ? 0 : this.#world.clock()
    const live = variant.replicas.map(
      route =>
        old?.live.find(
          ({ name, url, grpcUrl }) => name === route.name && url === route.url && grpcUrl === route.grpcUrl,
        ) ?? new Replica(route, this.#world, since),
    )
    const liveGrpc = live.filter(replica => replica.grpcUrl !== undefined)
    return { ...variant, live, liveGrpc, health: old?.health ?? new VariantHealth() }
  }

  /** Routing goes on where a path cannot be compiled: every record then carries the reason. */
  #checkCapture(capture: Capture): void {
    try {
      toRowPaths(capture)
    } catch (error) {
      this.#logger.error({ error: toErrorText(error) }, 'Cannot record predictions')
    }
  }
}

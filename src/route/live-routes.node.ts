import { toErrorText } from '../core/errors.ts'
import type { Routes, RouteVariant } from '../core/wire/routes.ts'
import { type RowPaths, toRowPaths } from './capture.ts'
import type { Logger } from './logger.ts'
import { Replica, type ReplicaWorld } from './replica.node.ts'

/** A variant of the routes with its connections. */
export interface LiveVariant extends RouteVariant {
  readonly live: readonly Replica[]
}

/** One document of routes, ready for use; replaced as a whole, never changed. */
export interface RoutingTable {
  readonly deployment: string
  readonly epoch: number
  readonly variants: readonly LiveVariant[]
  readonly champion: LiveVariant | undefined
  readonly shadows: readonly LiveVariant[]
  readonly paths: RowPaths
}

/** The routes in force. A replica that stays keeps its connections; one that leaves finishes what it has. */
export class LiveRoutes {
  readonly #world: ReplicaWorld
  readonly #logger: Logger
  /** Replicas that left the routes and still have requests. */
  readonly #retiring = new Set<Replica>()
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

  /** Puts routes in force at once: between two requests, never within the choice of one. */
  swap(routes: Routes): void {
    const old = new Map(this.replicas.map(replica => [`${replica.name} ${replica.url}`, replica]))
    const variants = routes.variants.map(variant => ({
      ...variant,
      live: variant.replicas.map(route => {
        const key = `${route.name} ${route.url}`
        const kept = old.get(key)
        old.delete(key)
        return kept ?? new Replica(route, this.#world)
      }),
    }))
    this.#table = {
      deployment: routes.deployment,
      epoch: routes.epoch,
      variants,
      champion: variants.find(variant => variant.role === 'champion'),
      shadows: variants.filter(variant => variant.role === 'shadow'),
      paths: this.#compile(routes),
    }
    for (const replica of old.values()) this.#retire(replica)
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

  /** Routing goes on where a path cannot be compiled: every record then carries the reason. */
  #compile(routes: Routes): RowPaths {
    try {
      return toRowPaths(routes.capture)
    } catch (error) {
      this.#logger.error({ error: toErrorText(error) }, 'Cannot record predictions')
      const prediction = (): never => {
        throw error
      }
      return { prediction, series: undefined, at: undefined }
    }
  }
}

import { type ForwardWorld, forward } from './forward.node.ts'
import type { LiveVariant } from './live-routes.node.ts'
import type { ShadowDropReason } from './metrics.ts'
import { addTap, type Taken, type TapWorld } from './taps.ts'
import type { UpstreamRequest } from './upstream.node.ts'

const SHADOW_PART = { served: false, propensity: 1, pinned: false } as const

/** Sends copies of requests to shadows. Nobody waits for them, and only so many may be on their way. */
export class ShadowCopier {
  readonly #world: ForwardWorld & TapWorld
  readonly #copies = new Set<Promise<void>>()
  #bytes = 0

  constructor(world: ForwardWorld & TapWorld) {
    this.#world = world
  }

  /** Sends the request to each shadow and records what comes of it; returns at once and never throws. */
  copy(request: UpstreamRequest, shadows: readonly LiveVariant[], taken: Taken): void {
    for (const shadow of shadows) {
      const reason = this.#findObstacle(request)
      if (reason !== undefined) this.#drop(shadow, reason)
      else this.#start(request, shadow, taken)
    }
  }

  /** Waits until every copy on its way is over, at most `ms`. */
  async settle(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, ms)
    })
    await Promise.race([Promise.all(this.#copies), late])
    clearTimeout(timer)
  }

  #findObstacle(request: UpstreamRequest): ShadowDropReason | undefined {
    const { maxShadows, maxShadowBytes } = this.#world.limits
    if (this.#copies.size >= maxShadows) return 'in-flight'
    return this.#bytes + request.body.byteLength > maxShadowBytes ? 'bytes' : undefined
  }

  #start(request: UpstreamRequest, shadow: LiveVariant, taken: Taken): void {
    const copy = this.#send(request, shadow, taken).finally(() => {
      this.#copies.delete(copy)
      this.#bytes -= request.body.byteLength
    })
    this.#bytes += request.body.byteLength
    this.#copies.add(copy)
  }

  async #send(request: UpstreamRequest, variant: LiveVariant, taken: Taken): Promise<void> {
    const order = { request, variant, mayFallBack: false, repeatable: true, signal: undefined }
    const { last } = await forward(this.#world, order)
    // A shadow that is starting, or whose replicas are busy with other copies, has not failed.
    if (last.result.kind === 'no-replica') this.#drop(variant, 'no-replica')
    else addTap(this.#world, taken, SHADOW_PART, last)
  }

  #drop(shadow: LiveVariant, reason: ShadowDropReason): void {
    this.#world.metrics.shadowsDropped.inc({ variant: shadow.name, reason })
  }
}

import { type ForwardWorld, forward, type Try, toEnded } from './forward.node.ts'
import { INFER_STREAM_PATH } from './grpc/calls.ts'
import type { ShadowDropReason } from './metrics.ts'
import { addTap, type Taken, type TapWorld } from './records/taps.ts'
import type { LiveVariant } from './routes/live-routes.node.ts'
import type { ReplicaRequest } from './routes/replica.node.ts'

const SHADOW_PART = { served: false, propensity: 1, pinned: false } as const

/** What copying works with. */
export interface ShadowWorld extends ForwardWorld, TapWorld {
  readonly limits: ForwardWorld['limits']
  readonly metrics: ForwardWorld['metrics']
  /** Whether there is so much to answer that copies have to wait for better times. */
  readonly isLoaded: () => boolean
}

/** What is on its way to one shadow. */
interface OnTheWay {
  copies: number
  bytes: number
}

/**
 * Sends copies of requests to shadows. Nobody waits for them, and only so many may be on their way to each: a shadow
 * that hangs takes nothing from another.
 */
export class ShadowCopier {
  readonly #world: ShadowWorld
  readonly #copies = new Set<Promise<void>>()
  /** By the variant's id; only of shadows that have copies on their way. */
  readonly #onTheWay = new Map<number, OnTheWay>()

  constructor(world: ShadowWorld) {
    this.#world = world
  }

  /** Sends the request to each shadow and records what comes of it; returns at once and never throws. */
  copy(request: ReplicaRequest, shadows: readonly LiveVariant[], taken: Taken): void {
    for (const shadow of shadows) {
      const onTheWay = this.#onTheWay.get(shadow.id) ?? { copies: 0, bytes: 0 }
      const reason = this.#findObstacle(request, onTheWay)
      if (reason !== undefined) this.#drop(shadow, reason)
      else this.#start(request, shadow, taken, onTheWay)
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

  #findObstacle(request: ReplicaRequest, { copies, bytes }: OnTheWay): ShadowDropReason | undefined {
    const { maxShadows, maxShadowBytes } = this.#world.limits
    if (this.#world.isLoaded()) return 'load'
    if (copies >= maxShadows) return 'in-flight'
    return bytes + request.body.byteLength > maxShadowBytes ? 'bytes' : undefined
  }

  #start(request: ReplicaRequest, shadow: LiveVariant, taken: Taken, onTheWay: OnTheWay): void {
    onTheWay.copies += 1
    onTheWay.bytes += request.body.byteLength
    this.#onTheWay.set(shadow.id, onTheWay)
    const copy = this.#send(request, shadow, taken).finally(() => {
      this.#copies.delete(copy)
      onTheWay.copies -= 1
      onTheWay.bytes -= request.body.byteLength
      if (onTheWay.copies === 0) this.#onTheWay.delete(shadow.id)
    })
    this.#copies.add(copy)
  }

  async #send(request: ReplicaRequest, variant: LiveVariant, taken: Taken): Promise<void> {
    // Answers that never end take the place of another copy for so long at most.
    const signal = isStream(request) ? AbortSignal.timeout(this.#world.limits.deadlineMs) : undefined
    const { sequence } = taken.hints
    const part = {
      mayFallBack: false,
      repeatable: sequence === undefined,
      sequence,
      isCopy: true,
      timeoutMs: undefined,
      signal,
    }
    const tries = await forward(this.#world, { request, variant, ...part })
    const last = await drain(tries.last)
    // A shadow that is starting, or whose replicas are busy with other copies, has not failed.
    if (last.result.kind === 'no-replica') this.#drop(variant, 'no-replica')
    else addTap(this.#world, taken, SHADOW_PART, last)
  }

  #drop(shadow: LiveVariant, reason: ShadowDropReason): void {
    this.#world.metrics.shadowsDropped.inc({ variant: shadow.name, reason })
  }
}

function isStream(request: ReplicaRequest): boolean {
  return !('method' in request) && request.path === INFER_STREAM_PATH
}

/** Reads a stream of answers to its end. */
async function drain(tried: Try): Promise<Try> {
  const { result } = tried
  try {
    if (result.kind === 'answer') for await (const _ of result.answers ?? []);
  } catch {
    // How it ended is told.
  }
  return await toEnded(tried)
}

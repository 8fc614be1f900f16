import { RateLimit } from '../rate-limit.ts'
import { H2Error } from './errors.ts'

/** Requests that are malformed. A proxy sends the calls of many on one connection, which end with it. */
const FAULTS = { perSecond: 10, burst: 1000 } as const
/** Frames that carry nothing: pings, settings, priorities, empty bodies. Clients in Go send a ping for each answer. */
const IDLE_FRAMES = { perSecond: 1000, burst: 10_000, perUseful: 3 } as const

/** Counts what a peer may do now and then, and not without end. */
export class H2Guard {
  readonly #resets: RateLimit | undefined
  readonly #faults = new RateLimit(FAULTS.perSecond, FAULTS.burst)
  readonly #idleFrames = new RateLimit(IDLE_FRAMES.perSecond, IDLE_FRAMES.burst)
  /** The time of now, ms. */
  nowMs = 0

  /** Without `maxResetsPerSecond`, a peer may reset as it likes. */
  constructor(maxResetsPerSecond?: number) {
    if (maxResetsPerSecond !== undefined) this.#resets = new RateLimit(maxResetsPerSecond, 2 * maxResetsPerSecond)
  }

  /** @throws H2Error */
  countReset(): void {
    if (this.#resets?.take(this.nowMs) === false) throw toTooMuch('Too many streams are reset')
  }

  /** @throws H2Error */
  countFault(): void {
    if (!this.#faults.take(this.nowMs)) throw toTooMuch('Too many requests are malformed')
  }

  /** @throws H2Error */
  countIdle(): void {
    if (!this.#idleFrames.take(this.nowMs)) throw toTooMuch('Too many frames carry nothing')
  }

  /** Around a frame that carries something, some may be idle. */
  countUseful(): void {
    this.#idleFrames.give(IDLE_FRAMES.perUseful)
  }
}

function toTooMuch(message: string): H2Error {
  return new H2Error('ENHANCE_YOUR_CALM', message)
}

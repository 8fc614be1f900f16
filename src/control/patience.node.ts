import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import { RegattaError } from '../core/errors.ts'

/** How long work waits for a database that is away, ms: a restart or a change of servers takes seconds. */
const MAX_WAIT_MS = 5000
const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 1000

/**
 * Keeps what came in while the database is away, and tries again. What would go beyond the room is refused at once,
 * and what has waited long enough too, with an error that tells the sender to come again.
 */
export class Patience {
  readonly #clock: Clock
  readonly #maxBytes: number
  readonly #closing: AbortSignal
  #waitingBytes = 0

  constructor({ clock, maxBytes, closing }: { clock: Clock; maxBytes: number; closing: AbortSignal }) {
    this.#clock = clock
    this.#maxBytes = maxBytes
    this.#closing = closing
  }

  /** Bytes of requests that wait now. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Does work that changes nothing when it is done twice; `bytes` is the room that its input takes. */
  async run<result>(bytes: number, work: () => Promise<result>): Promise<result> {
    try {
      return await work()
    } catch (error) {
      if (!isPassing(error) || this.#waitingBytes + bytes > this.#maxBytes) throw error
    }
    this.#waitingBytes += bytes
    try {
      return await this.#insist(work)
    } finally {
      this.#waitingBytes -= bytes
    }
  }

  async #insist<result>(work: () => Promise<result>): Promise<result> {
    const deadline = this.#clock() + MAX_WAIT_MS
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(MAX_PAUSE_MS, 2 * pauseMs)) {
      await sleep(pauseMs, undefined, { signal: this.#closing }).catch(() => {})
      try {
        return await work()
      } catch (error) {
        if (!isPassing(error) || this.#closing.aborted || this.#clock() > deadline) throw error
      }
    }
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof RegattaError && (error.code === 'STORE_AWAY' || error.code === 'STORE_BUSY')
}

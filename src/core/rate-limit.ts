/** Bounds how often something may happen: some times at once, and so many in each second after that. */
export class RateLimit {
  readonly #perMs: number
  readonly #burst: number
  #left: number
  #at = 0

  constructor(perSecond: number, burst: number) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#left = burst
  }

  /** Counts one at a time (ms, of any clock that only goes on). Returns whether it may happen. */
  take(nowMs: number): boolean {
    this.#left = Math.min(this.#burst, this.#left + (nowMs - this.#at) * this.#perMs) - 1
    this.#at = nowMs
    return this.#left >= 0
  }

  /** Lets it happen some times more. */
  give(times: number): void {
    this.#left = Math.min(this.#burst, this.#left + times)
  }
}

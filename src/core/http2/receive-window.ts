/** What a peer may send, and what of it was used and is to be given back (RFC 9113, section 5.2). */
export class H2ReceiveWindow {
  readonly #bytes: number
  #left: number
  #used = 0

  constructor(bytes: number) {
    this.#bytes = bytes
    this.#left = bytes
  }

  /** Counts bytes that came. Returns whether so many might. */
  take(bytes: number): boolean {
    this.#left -= bytes
    return this.#left >= 0
  }

  /** Counts bytes that were used. Returns how many the peer is to be told of: none before it is half of the window. */
  giveBack(bytes: number): number {
    this.#used += bytes
    if (this.#used < this.#bytes / 2) return 0
    const given = this.#used
    this.#left += given
    this.#used = 0
    return given
  }
}

/** Bytes that come, for one who takes them in turn. */
export class ChunkQueue {
  readonly #chunks: Buffer[] = []
  #isEnded = false
  #wake: (() => void) | undefined

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#wake?.()
  }

  /** Says that no more will come. */
  end(): void {
    this.#isEnded = true
    this.#wake?.()
  }

  /** Forgets those that nobody has taken. */
  clear(): void {
    this.#chunks.length = 0
  }

  /** Waits for the next; undefined after the last. */
  async next(): Promise<Buffer | undefined> {
    if (this.#chunks.length === 0 && !this.#isEnded)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    this.#wake = undefined
    return this.#chunks.shift()
  }
}

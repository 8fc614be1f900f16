/** Shorter chunks are copied: as views they would keep all that came with them, and cost more than their bytes. */
const COPY_BYTES = 1024
/** Copies are joined in pieces of this size. */
const PIECE_BYTES = 8 * 1024

/** Bytes that come, for one who takes them in turn. */
export class ChunkQueue {
  readonly #chunks: Buffer[] = []
  #piece = Buffer.alloc(0)
  #end = 0
  #isEnded = false
  #wake: (() => void) | undefined

  push(chunk: Buffer): void {
    if (chunk.byteLength < COPY_BYTES) this.#join(chunk)
    else this.#chunks.push(chunk)
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

  #join(chunk: Buffer): void {
    if (this.#piece.byteLength - this.#end < chunk.byteLength) {
      this.#piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
      this.#end = 0
    }
    const last = this.#chunks.at(-1)
    const isLast = last?.buffer === this.#piece.buffer
    const start = isLast ? last.byteOffset : this.#end
    this.#piece.set(chunk, this.#end)
    this.#end += chunk.byteLength
    if (isLast) this.#chunks.pop()
    this.#chunks.push(this.#piece.subarray(start, this.#end))
  }
}

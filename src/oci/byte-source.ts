import { unreadable } from './tar-header.ts'

/** Hands out the bytes of a stream of chunks by count. Closes the stream when disposed of. */
export class ByteSource implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array(0)
  #position = 0

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Bytes handed out so far. */
  get position(): number {
    return this.#position
  }

  async read(length: number): Promise<Buffer> {
    const parts: Uint8Array[] = []
    for await (const part of this.stream(this.#position + length)) parts.push(part)
    return Buffer.concat(parts)
  }

  async skip(length: number): Promise<void> {
    for await (const _ of this.stream(this.#position + length));
  }

  async skipAll(): Promise<void> {
    while (await this.#fill());
  }

  /** The bytes up to a position. */
  async *stream(end: number): AsyncIterable<Uint8Array> {
    while (this.#position < end) {
      if (this.#rest.byteLength === 0 && !(await this.#fill())) throw unreadable('more bytes', 'its end')
      const part = this.#rest.subarray(0, end - this.#position)
      this.#rest = this.#rest.subarray(part.byteLength)
      this.#position += part.byteLength
      yield part
    }
  }

  async #fill(): Promise<boolean> {
    const next = await this.#chunks.next()
    this.#rest = next.done === true ? new Uint8Array(0) : next.value
    return next.done !== true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.()
  }
}

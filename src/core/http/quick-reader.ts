import { HeadReader } from './head-reader.ts'
import { parseQuickHead, type QuickHead } from './quick-head.ts'

/** What a reader does not read itself. */
export interface QuickLimits {
  readonly maxHeadBytes: number
  readonly maxBodyBytes: number
}

const NOTHING = Buffer.alloc(0)

/** Takes requests of the plain form out of the bytes of one connection, however those are cut. */
export class QuickReader {
  readonly #heads: HeadReader<QuickHead | undefined>
  readonly #maxBodyBytes: number
  #chunks: Buffer[] = []
  #heldBytes = 0
  /** There is nothing to be found before so many are held. */
  #wantedBytes = 1
  #bodyAt = 0

  constructor({ maxHeadBytes, maxBodyBytes }: QuickLimits) {
    this.#heads = new HeadReader(maxHeadBytes, parseQuickHead)
    this.#maxBodyBytes = maxBodyBytes
  }

  /** Bytes that are here and not taken. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Takes bytes in. Returns whether it is worth looking again. */
  push(chunk: Buffer): boolean {
    this.#chunks.push(chunk)
    this.#heldBytes += chunk.length
    return this.#heldBytes >= this.#wantedBytes
  }

  /** The head of the next request, once it is whole; `other` where somebody else must read the request. */
  readHead(): QuickHead | 'partial' | 'other' {
    if (this.#heldBytes === 0) return 'partial'
    const bytes = this.#join()
    const read = this.#heads.read(bytes)
    if (read === 'partial') {
      this.#wantedBytes = bytes.length + 1
      return 'partial'
    }
    if (read === 'too-long' || read.head === undefined || read.head.bodyBytes > this.#maxBodyBytes) return 'other'
    const { head } = read
    this.#bodyAt = read.bytes.length
    this.#wantedBytes = this.#bodyAt + head.bodyBytes
    return head
  }

  /** The body behind the head that was read, once it is whole; the next request's bytes stay. */
  takeBody(): Uint8Array | undefined {
    if (this.#heldBytes < this.#wantedBytes) return undefined
    const bytes = this.#join()
    const body = bytes.subarray(this.#bodyAt, this.#wantedBytes)
    const rest = bytes.subarray(this.#wantedBytes)
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#heldBytes = rest.length
    this.#wantedBytes = 1
    return body
  }

  /** All that is here, for who reads on. */
  takeAll(): Buffer {
    const bytes = this.#join()
    this.#chunks = []
    this.#heldBytes = 0
    return bytes
  }

  #join(): Buffer {
    const [first = NOTHING] = this.#chunks
    if (this.#chunks.length <= 1) return first
    const bytes = Buffer.concat(this.#chunks, this.#heldBytes)
    this.#chunks = [bytes]
    return bytes
  }
}

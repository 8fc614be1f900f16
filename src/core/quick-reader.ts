import { parseQuickHead, type QuickHead } from './quick-head.ts'

/** What a reader does not read itself. */
export interface QuickLimits {
  readonly maxHeadBytes: number
  readonly maxBodyBytes: number
}

const HEAD_END = Buffer.from('\r\n\r\n')
const NOTHING = Buffer.alloc(0)

/** Takes requests of the plain form out of the bytes of one connection, however those are cut. */
export class QuickReader {
  readonly #limits: QuickLimits
  #chunks: Buffer[] = []
  #heldBytes = 0
  /** There is nothing to be found before so many are held. */
  #wantedBytes = 1
  #bodyAt = 0
  /** The last head, with the empty line behind it: clients mostly send the same one again. */
  #lastBytes = NOTHING
  #lastHead: QuickHead | undefined

  constructor(limits: QuickLimits) {
    this.#limits = limits
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
    const { maxBodyBytes, maxHeadBytes } = this.#limits
    const lastEnd = this.#lastBytes.length
    const isLast =
      lastEnd > 0 && lastEnd <= bytes.length && bytes.compare(this.#lastBytes, 0, lastEnd, 0, lastEnd) === 0
    const end = isLast ? lastEnd - HEAD_END.length : bytes.indexOf(HEAD_END)
    if (end === -1 && bytes.length <= maxHeadBytes) {
      this.#wantedBytes = bytes.length + 1
      return 'partial'
    }
    const head = isLast ? this.#lastHead : end !== -1 && end <= maxHeadBytes ? this.#parse(bytes, end) : undefined
    if (head === undefined || head.bodyBytes > maxBodyBytes) return 'other'
    this.#bodyAt = end + HEAD_END.length
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

  #parse(bytes: Buffer, end: number): QuickHead | undefined {
    const head = parseQuickHead(bytes.toString('latin1', 0, end))
    // A copy: a view would keep all that came with it.
    this.#lastBytes = head === undefined ? NOTHING : Buffer.from(bytes.subarray(0, end + HEAD_END.length))
    this.#lastHead = head
    return head
  }
}

import { parseField } from '../../core/http/fields.ts'

/**
 * Where a chunked body is being read (RFC 9112, section 7.1).
 * - `size`: in the line that tells the length of the next chunk.
 * - `data`: in the chunk itself, then at its `mark`, an empty line.
 * - `trailer`: in the lines behind the last chunk, which are dropped.
 */
type Phase = 'size' | 'data' | 'mark' | 'trailer'

const SIZE = /^([\da-f]{1,8})(?:;[\t\x20-\x7e]*)?\r\n$/i
const LINE_END = '\r\n'
const LINE_FEED = 10
const MAX_LINE_CHARS = 4096
const MAX_TRAILERS = 64

/** Takes a chunked body apart, however it is cut. */
export class ChunkedBody {
  readonly #take: (piece: Buffer) => void
  #phase: Phase = 'size'
  /** The beginning of a line whose end has not come. */
  #line = ''
  #leftBytes = 0
  #trailers = 0

  /** `take` is given each piece of data; it is a view of what was given to `read`. */
  constructor(take: (piece: Buffer) => void) {
    this.#take = take
  }

  /** Reads on. Returns where the body ends within these bytes, -1 where it goes on, or that this is none. */
  read(bytes: Buffer): number | 'wrong' {
    let at = 0
    while (at < bytes.length) {
      if (this.#phase === 'data') {
        at = this.#readData(bytes, at)
        continue
      }
      const end = bytes.indexOf(LINE_FEED, at) + 1
      this.#line += bytes.toString('latin1', at, end === 0 ? bytes.length : end)
      if (this.#line.length > MAX_LINE_CHARS) return 'wrong'
      if (end === 0) return -1
      at = end
      const line = this.#line
      this.#line = ''
      if (this.#phase === 'trailer' && line === LINE_END) return at
      if (!this.#takeLine(line)) return 'wrong'
    }
    return -1
  }

  #readData(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#leftBytes)
    this.#take(bytes.subarray(at, end))
    this.#leftBytes -= end - at
    if (this.#leftBytes === 0) this.#phase = 'mark'
    return end
  }

  /** Returns whether the line may stand here. */
  #takeLine(line: string): boolean {
    if (this.#phase === 'mark') {
      this.#phase = 'size'
      return line === LINE_END
    }
    if (this.#phase === 'trailer') {
      this.#trailers += 1
      const isField = line.endsWith(LINE_END) && parseField(line.slice(0, -LINE_END.length)) !== undefined
      return this.#trailers <= MAX_TRAILERS && isField
    }
    const [, size] = SIZE.exec(line) ?? []
    if (size === undefined) return false
    this.#leftBytes = Number.parseInt(size, 16)
    this.#phase = this.#leftBytes === 0 ? 'trailer' : 'data'
    return true
  }
}

/** A head of HTTP/1.1 that was read. */
export interface ReadHead<head> {
  readonly head: head
  /** As it came, with the empty line behind it. */
  readonly bytes: Buffer
}

const HEAD_END = Buffer.from('\r\n\r\n')

/** Reads the heads of one connection. Who sends mostly sends the same one again, which is not parsed again. */
export class HeadReader<head> {
  readonly #maxBytes: number
  readonly #parse: (text: string) => head
  #last: ReadHead<head> | undefined

  /** `parse` is given a head without its empty line, in characters of one byte. */
  constructor(maxBytes: number, parse: (text: string) => head) {
    this.#maxBytes = maxBytes
    this.#parse = parse
  }

  /** Reads the head that bytes begin with: `partial` where its end has not come. */
  read(bytes: Buffer): ReadHead<head> | 'partial' | 'too-long' {
    const last = this.#last
    if (last !== undefined && isBeginning(last.bytes, bytes)) return last
    const end = bytes.indexOf(HEAD_END)
    if ((end === -1 ? bytes.length : end) > this.#maxBytes) return 'too-long'
    if (end === -1) return 'partial'
    const head = this.#parse(bytes.toString('latin1', 0, end))
    // A copy: a view would keep all that came with it.
    this.#last = { head, bytes: Buffer.from(bytes.subarray(0, end + HEAD_END.length)) }
    return this.#last
  }
}

function isBeginning(beginning: Buffer, bytes: Buffer): boolean {
  const { length } = beginning
  return length <= bytes.length && bytes.compare(beginning, 0, length, 0, length) === 0
}

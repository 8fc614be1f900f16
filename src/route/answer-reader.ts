import { type AnswerHead, parseAnswerHead } from './answer-head.ts'
import { ChunkedBody } from './chunked-body.ts'

/** A whole answer. */
export interface Answer extends Pick<AnswerHead, 'status' | 'headers' | 'keepMs'> {
  readonly body: Buffer
}

/** What is known of an answer so far: `partial` where more has to come; a `problem` says why it is none. */
export type Reading = 'partial' | 'too-long' | Answer | { readonly problem: string }

/** What answer is expected. */
export interface Expected {
  /** The request was HEAD: the head says how long a body would be, and none comes. */
  readonly isHead: boolean
  /** A longer body is not taken. */
  readonly maxBodyBytes: number
}

const HEAD_END = Buffer.from('\r\n\r\n')
const NOTHING = Buffer.alloc(0)
const CUT_OFF = 'the server closed the connection before its answer was whole'
const TOO_MUCH = { problem: 'more comes than the answer tells of' } as const
const NONE: Expected = { isHead: false, maxBodyBytes: 0 }

/**
 * Takes one answer after the other out of the bytes of a connection, however those are cut. It keeps no bytes that it is
 * given, only copies. Once it has found a problem or a body that is too long, the connection is of no use any more.
 */
export class AnswerReader {
  readonly #maxHeadBytes: number
  #expected: Expected = NONE
  /** The beginning of a head. */
  #held: Buffer = NOTHING
  /** Of the answer whose body is being read. */
  #head: AnswerHead | undefined
  #chunks: ChunkedBody | undefined
  /** Room for the body, and how much of it is filled. */
  #body: Buffer = NOTHING
  #bodyBytes = 0
  /** The last head, with the empty line behind it: a server mostly sends the same one again. */
  #lastBytes: Buffer = NOTHING
  #lastHead: AnswerHead | undefined

  constructor(maxHeadBytes: number) {
    this.#maxHeadBytes = maxHeadBytes
  }

  /** Whether anything of the answer has come. */
  get isBegun(): boolean {
    return this.#held.length > 0 || this.#head !== undefined
  }

  /** Gets ready for the answer to the next request. */
  begin(expected: Expected): void {
    this.#expected = expected
    this.#head = undefined
    this.#body = NOTHING
    this.#bodyBytes = 0
  }

  /** Takes bytes in; after anything but `partial` there is no more to be read. */
  push(bytes: Buffer): Reading {
    return this.#head === undefined ? this.#readHead(bytes) : this.#readBody(this.#head, bytes)
  }

  /** The connection has ended, which ends some bodies. */
  end(): Reading {
    const head = this.#head
    if (head === undefined) return { problem: this.isBegun ? CUT_OFF : 'the server closed the connection' }
    return head.framing === 'close' ? this.#toAnswer(head) : { problem: CUT_OFF }
  }

  #readHead(bytes: Buffer): Reading {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    const lastEnd = this.#lastBytes.length
    const isLast = lastEnd > 0 && lastEnd <= all.length && all.compare(this.#lastBytes, 0, lastEnd, 0, lastEnd) === 0
    const end = isLast ? lastEnd - HEAD_END.length : all.indexOf(HEAD_END)
    if (end > this.#maxHeadBytes || (end === -1 && all.length > this.#maxHeadBytes))
      return { problem: `the answer’s head is longer than ${this.#maxHeadBytes} bytes` }
    if (end === -1) {
      this.#held = this.#held.length === 0 ? Buffer.from(all) : all
      return 'partial'
    }
    this.#held = NOTHING
    const head = isLast && this.#lastHead !== undefined ? this.#lastHead : this.#parse(all, end)
    if ('problem' in head) return head
    const rest = all.subarray(end + HEAD_END.length)
    // An interim answer is followed by another (RFC 9110, section 15.2).
    if (head.status < 200) return rest.length === 0 ? 'partial' : this.#readHead(rest)
    return this.#begin(head, rest)
  }

  #parse(bytes: Buffer, end: number): AnswerHead | { readonly problem: string } {
    const head = parseAnswerHead(bytes.toString('latin1', 0, end))
    if ('problem' in head) return head
    this.#lastBytes = Buffer.from(bytes.subarray(0, end + HEAD_END.length))
    this.#lastHead = head
    return head
  }

  #begin(head: AnswerHead, rest: Buffer): Reading {
    const isBare = head.status === 204 || head.status === 304
    if (isBare || this.#expected.isHead) {
      if (rest.length > 0) return TOO_MUCH
      // A body may come all the same, so nothing else is read from there.
      return isBare && head.framing !== 'close' && head.framing !== 0
        ? this.#toAnswer({ ...head, keepMs: 0 })
        : this.#toAnswer(head)
    }
    const { framing } = head
    if (typeof framing === 'number' && framing > this.#expected.maxBodyBytes) return 'too-long'
    this.#head = head
    this.#chunks = framing === 'chunked' ? new ChunkedBody(piece => this.#keep(piece)) : undefined
    return this.#readBody(head, rest)
  }

  #readBody(head: AnswerHead, bytes: Buffer): Reading {
    if (this.#chunks === undefined) this.#keep(bytes)
    const end = this.#chunks?.read(bytes)
    if (end === 'wrong') return { problem: 'the answer’s body is not in chunks as it says' }
    if (typeof head.framing === 'number') {
      if (this.#bodyBytes > head.framing) return TOO_MUCH
      return this.#bodyBytes === head.framing ? this.#toAnswer(head) : 'partial'
    }
    if (this.#bodyBytes > this.#expected.maxBodyBytes) return 'too-long'
    if (end === undefined || end === -1) return 'partial'
    return end < bytes.length ? TOO_MUCH : this.#toAnswer(head)
  }

  #keep(piece: Buffer): void {
    const length = this.#bodyBytes + piece.length
    if (length > this.#body.length) {
      const body = Buffer.allocUnsafe(Math.max(length, 2 * this.#bodyBytes))
      body.set(this.#body.subarray(0, this.#bodyBytes))
      this.#body = body
    }
    this.#body.set(piece, this.#bodyBytes)
    this.#bodyBytes = length
  }

  #toAnswer({ status, headers, framing, keepMs }: AnswerHead): Answer {
    const body = this.#body.subarray(0, this.#bodyBytes)
    const isOpen = framing !== 'close' || this.#expected.isHead || status === 204 || status === 304
    this.begin(NONE)
    return { status, headers, keepMs: isOpen ? keepMs : 0, body }
  }
}

import { HeadReader } from '../../core/http/head-reader.ts'
import { isBare } from '../../core/http/world.ts'
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

const NOTHING = Buffer.alloc(0)
const CUT_OFF = 'the server closed the connection before its answer was whole'
const TOO_MUCH = { problem: 'more comes than the answer tells of' } as const
const NONE: Expected = { isHead: false, maxBodyBytes: 0 }

/**
 * Takes one answer after the other out of the bytes of a connection, however those are cut. It keeps no bytes that it is
 * given, only copies. Once it has found a problem or a body that is too long, the connection is of no use any more.
 */
export class AnswerReader {
  readonly #heads: HeadReader<ReturnType<typeof parseAnswerHead>>
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

  constructor(maxHeadBytes: number) {
    this.#heads = new HeadReader(maxHeadBytes, parseAnswerHead)
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
    const read = this.#heads.read(all)
    if (read === 'too-long') return { problem: `the answer’s head is longer than ${this.#maxHeadBytes} bytes` }
    if (read === 'partial') {
      this.#held = this.#held.length === 0 ? Buffer.from(all) : all
      return 'partial'
    }
    this.#held = NOTHING
    const { head } = read
    if ('problem' in head) return head
    const rest = all.subarray(read.bytes.length)
    // An interim answer is followed by another (RFC 9110, section 15.2).
    if (head.status < 200) return rest.length === 0 ? 'partial' : this.#readHead(rest)
    return this.#begin(head, rest)
  }

  #begin(head: AnswerHead, rest: Buffer): Reading {
    const hasNone = isBare(head.status)
    if (hasNone || this.#expected.isHead) {
      if (rest.length > 0) return TOO_MUCH
      // A body may come all the same, so nothing else is read from there.
      return hasNone && head.framing !== 'close' && head.framing !== 0
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
    const isOpen = framing !== 'close' || this.#expected.isHead || isBare(status)
    this.begin(NONE)
    return { status, headers, keepMs: isOpen ? keepMs : 0, body }
  }
}

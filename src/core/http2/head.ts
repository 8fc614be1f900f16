import { HpackDecoder } from './hpack-decoder.ts'
import type { HpackField } from './hpack-table.ts'

/** The fields of a request or an answer, before the body or behind it. */
export interface H2Head {
  /** By name, the pseudo-headers among them; values of one name are joined with commas, cookies with semicolons. */
  readonly headers: Readonly<Record<string, string>>
  /** Of its body, where it is told. */
  readonly contentLength: number | undefined
}

/** A name in lower case (RFC 9113, section 8.2.1). */
const NAME = /^[0-9a-z!#$%&'*+.^_`|~-]+$/
/** Printable, with blanks inside alone (RFC 9113, section 8.2.1). */
const VALUE = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/
type Pseudo = ReadonlyMap<string, RegExp>
/** What the pseudo-headers of a request may be (RFC 9110, section 9.1; RFC 3986, sections 3.1 to 3.3). */
const OF_REQUESTS: Pseudo = new Map([
  [':method', /^[\w!#$%&'*+.^`|~-]+$/],
  [':scheme', /^[A-Za-z][A-Za-z0-9+.-]*$/],
  [':path', /^(?:\/[!-~]*|\*)$/],
  [':authority', /^[\w.~!$&'()*+,;=:@[\]%-]*$/],
])
const OF_ANSWERS: Pseudo = new Map([[':status', /^[1-9]\d\d$/]])
const OF_TRAILERS: Pseudo = new Map()
/** They are of HTTP/1.1 (RFC 9113, section 8.2.2). */
const FORBIDDEN: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'],
])
const LENGTH = /^\d{1,15}$/

/** Makes a head of a request's fields; undefined where it is malformed (RFC 9113, sections 8.2 and 8.3.1). */
function toRequestHead(fields: readonly HpackField[]): H2Head | undefined {
  const head = toHead(fields, OF_REQUESTS)
  return head !== undefined && isRequest(head.headers) ? head : undefined
}

/** Makes a head of an answer's fields; undefined where it is malformed (RFC 9113, sections 8.2, 8.3.2 and 8.6). */
function toAnswerHead(fields: readonly HpackField[]): H2Head | undefined {
  const head = toHead(fields, OF_ANSWERS)
  const status = head?.headers[':status']
  if (head === undefined || status === undefined || status === '101') return undefined
  // They have no body, whatever length they tell (RFC 9110, section 6.4.1).
  return status === '204' || status === '304' ? { ...head, contentLength: 0 } : head
}

/**
 * A blank before or behind a value, as gRPC servers in C++ send it in the words of an error. It is malformed, and harmless
 * in an answer.
 */
const EDGES = /^[\t ]+|[\t ]+$/g
const hasEdge = ({ value }: HpackField): boolean => /^[\t ]|[\t ]$/.test(value)
const toTrimmed = ({ name, value }: HpackField): HpackField => ({ name, value: value.replaceAll(EDGES, '') })

/** Whether another head follows, which is that of the answer. */
export function isInterim({ headers }: H2Head): boolean {
  return headers[':status']?.startsWith('1') === true
}

/** A length told behind a body is none (RFC 9110, section 6.5.1). */
function toTrailers(fields: readonly HpackField[]): H2Head | undefined {
  const head = toHead(fields, OF_TRAILERS)
  return head?.contentLength === undefined ? head : undefined
}

function toHead(fields: readonly HpackField[], pseudo: Pseudo): H2Head | undefined {
  const headers: Record<string, string> = Object.create(null)
  let isPseudoOver = false
  for (const { name, value } of fields) {
    const isPseudo = name.startsWith(':')
    isPseudoOver ||= !isPseudo
    const before = headers[name]
    if (isPseudo) {
      if (isPseudoOver || before !== undefined || pseudo.get(name)?.test(value) !== true) return undefined
      headers[name] = value
      continue
    }
    if (!isRegular(name, value) || (name === 'host' && before !== undefined)) return undefined
    headers[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  const length = headers['content-length']
  if (length !== undefined && !LENGTH.test(length)) return undefined
  return { headers, contentLength: length === undefined ? undefined : Number(length) }
}

function isRegular(name: string, value: string): boolean {
  if (name === 'te') return value === 'trailers'
  return NAME.test(name) && VALUE.test(value) && !FORBIDDEN.has(name)
}

/** Whether all is there that a request has. CONNECT has other things, and no place here. */
function isRequest(headers: H2Head['headers']): boolean {
  const { ':method': method, ':scheme': scheme, ':path': path, ':authority': authority = headers['host'] } = headers
  if (method === undefined || method === 'CONNECT' || scheme === undefined) return false
  return authority !== undefined && path !== undefined && (path !== '*' || method === 'OPTIONS')
}

/** What a block was: fields, or why they are none. */
export type ReadH2Head = H2Head | 'malformed' | 'too-long'

interface KnownBlock {
  readonly block: Buffer
  readonly head: H2Head
}

/**
 * Reads the heads of one connection, and what stands behind bodies. Who sends mostly sends the same one again, which is
 * not read again.
 */
export class H2HeadReader {
  readonly #decoder: HpackDecoder
  readonly #isClient: boolean
  #last: KnownBlock | undefined
  #lastTrailers: KnownBlock | undefined

  /** A head is `too-long` above `maxListBytes`: names, values and 32 bytes for each. A client reads answers. */
  constructor(maxListBytes: number, isClient: boolean) {
    this.#decoder = new HpackDecoder(maxListBytes)
    this.#isClient = isClient
  }

  /** Reads the next block. @throws H2Error COMPRESSION_ERROR */
  read(block: Buffer, isTrailing: boolean): ReadH2Head {
    const last = isTrailing ? this.#lastTrailers : this.#last
    if (last?.block.equals(block) === true) return last.head
    const { fields, isTooLong, isRepeatable } = this.#decoder.decode(block)
    // What changes the table changes what the last ones meant.
    if (!isRepeatable) {
      this.#last = undefined
      this.#lastTrailers = undefined
    }
    if (isTooLong) return 'too-long'
    const head = this.#toHead(fields, isTrailing)
    if (head !== undefined && isRepeatable) this.#know(block, head, isTrailing)
    return head ?? 'malformed'
  }

  #toHead(fields: readonly HpackField[], isTrailing: boolean): H2Head | undefined {
    const given = this.#isClient && fields.some(hasEdge) ? fields.map(toTrimmed) : fields
    if (isTrailing) return toTrailers(given)
    return this.#isClient ? toAnswerHead(given) : toRequestHead(given)
  }

  #know(block: Buffer, head: H2Head, isTrailing: boolean): void {
    // A copy: a view would keep all that came with it.
    const known = { head, block: Buffer.from(block) }
    if (isTrailing) this.#lastTrailers = known
    else this.#last = known
  }
}
